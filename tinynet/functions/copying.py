"""The same numbers as another tensor: copies, and aliases outside the graph; what a tensor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.autograd.versions import alias
from tinynet.functions.public import function
from tinynet.ops import conversion

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

FORMATS = ("preserve_format", "contiguous_format")


def check_format(name: str, memory_format: Any) -> None:
    """Raise unless a memory format is None or one of those that change nothing here."""
    if memory_format is not None and str(memory_format).rpartition(".")[2] not in FORMATS:
        raise ValueError(
            f"{name}: memory_format {memory_format} is not supported; tinynet chooses how a tensor "
            "lies in memory, and no number depends on it, so leave it out"
        )


@function
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, recorded: gradients flow back through it."""
    check_format("clone", memory_format)
    return conversion.clone(input)


@function
def detach(input: Tensor) -> Tensor:
    """A tensor outside the graph that shares memory with this one."""
    return alias(input)


@function
def adjoint(input: Tensor) -> Tensor:
    """The transpose of the last two axes; numbers here are real."""
    if input.ndim < 2:
        raise ValueError(f"adjoint: shape {tuple(input.shape)} is not a matrix; it needs two axes")
    return input.transpose(-2, -1)


@function
def is_nonzero(input: Tensor) -> bool:
    """Whether the one entry is not 0."""
    if input.numel() != 1:
        raise RuntimeError(
            f"is_nonzero: shape {tuple(input.shape)} has no truth value; use .any() or .all()"
        )
    return bool(input.item())


@function
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return tuple(input.shape) == tuple(other.shape)


@function
def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return input.dtype.kind in "if"
