"""backends: settings that programs for PyTorch make at their beginning. They change nothing here.

Results on the CPU are the same bits from run to run and for any number of threads.

>>> import tinynet as tn
>>> tn.backends.cudnn.benchmark = False
>>> tn.use_deterministic_algorithms(True)
"""

from __future__ import annotations

from typing import Any


class _Library:
    """A library that PyTorch may use, and tinynet does not.

    Attributes:
        enabled, benchmark, deterministic, allow_tf32: may be set, and change nothing.
    """

    enabled = benchmark = allow_tf32 = False
    deterministic = True

    def is_available(self) -> bool:
        return False

    is_built = is_available

    def version(self) -> None:
        return None


class _Cuda(_Library):
    """The settings of `torch.backends.cuda`."""

    matmul = _Library()


cudnn, mps, mkl, mkldnn, openmp, cuda = (
    _Library(), _Library(), _Library(), _Library(), _Library(), _Cuda(),
)  # fmt: skip
_PRECISIONS = ("highest", "high", "medium")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accept either: tinynet's algorithms are deterministic on the CPU."""


def are_deterministic_algorithms_enabled() -> bool:
    return True


def set_float32_matmul_precision(precision: Any) -> None:
    """Accept PyTorch's words; products of float32 numbers are always of the highest precision."""
    if precision not in _PRECISIONS:
        raise ValueError(
            f"set_float32_matmul_precision: precision is {precision!r}; it must be one of "
            f"{', '.join(map(repr, _PRECISIONS))}"
        )


def get_float32_matmul_precision() -> str:
    return "highest"
