"""The function under test: a function of Tensors or a Module, as a function of plain arrays.

f gets fresh copies of its inputs, its results are checked, and a Module's state is restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tinynet.autograd import grad
from tinynet.backend import to_numpy
from tinynet.creation import tensor
from tinynet.dtypes import float64
from tinynet.tensor import Tensor


class GradientError(AssertionError):
    """Raised if a derivative is wrong or cannot be checked."""


def random_like(a: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random numbers of either sign with absolute values from 0.5 to 1.5."""
    return rng.uniform(0.5, 1.5, a.shape) * rng.choice([-1.0, 1.0], a.shape)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two results agree up to the rounding of sums."""
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True)


class Function:
    """f with its inputs split into constants and variables.

    Attributes:
        points: the variables' values, one float64 array each; a Module's parameters come last.
        labels: the variables' names in messages.
    """

    def __init__(self, f: Callable[..., Any], inputs: Any, name: str | None = None) -> None:
        if not callable(f):
            raise TypeError(f"check_grads: f is a {type(f).__name__}; it must be a function of "
                            "Tensors or a Module")  # fmt: skip
        self.f = f
        self.name = name or getattr(f, "__name__", None) or type(f).__name__
        given = [inputs] if isinstance(inputs, Tensor) else inputs
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"check_grads: inputs is a {type(inputs).__name__}; pass a Tensor or a list of "
                "Tensors, as from tinynet.tensor(..., dtype='float64', requires_grad=True)"
            )
        self.slots: list[int | Tensor] = []  # for each input of f: a variable's index, or itself
        self.points: list[np.ndarray] = []
        self.labels: list[str] = []
        self._devices: list[str] = []
        for k, x in enumerate(given):
            if not isinstance(x, Tensor):
                raise TypeError(
                    f"check_grads: input {k} is a {type(x).__name__}; it must be a Tensor, as from "
                    "tinynet.tensor(..., dtype='float64', requires_grad=True)"
                )
            if x.requires_grad:
                self.slots.append(len(self.points))
                self._add(f"input {k} of shape {x.shape}", x, "convert it with x.double()")
            else:
                self.slots.append(x)
        self.parameters: list[Tensor] = []
        for key, p in self._members("named_parameters"):
            if p.requires_grad:
                self.parameters.append(p)
                self._add(
                    f"parameter {key!r} of shape {p.shape}",
                    p,
                    "convert the Module first, with .double()",
                )
        if not self.points:
            raise ValueError(
                "check_grads: no input requires a gradient; create the inputs to check with "
                "requires_grad=True (others are constants)"
            )

    def _add(self, label: str, x: Tensor, remedy: str) -> None:
        if x.dtype != float64:
            raise TypeError(
                f"check_grads: {label} is {x.dtype}; finite differences need float64, since in "
                f"float32 rounding alone is 0.1 % of a gradient: {remedy}"
            )
        if not np.isfinite(to_numpy(x._data)).all():
            raise ValueError(
                f"check_grads: {label} holds a NaN or an infinity; pass finite numbers"
            )
        self.labels.append(label)
        self.points.append(np.array(to_numpy(x._data), order="C"))
        self._devices.append(x.device)

    def _members(self, which: str) -> Iterator[tuple[str, Tensor]]:
        method = getattr(self.f, which, None)
        return iter(()) if method is None else iter(method())

    # --- restore a Module's state ---

    def __enter__(self) -> Function:
        buffers = [b for _, b in self._members("named_buffers") if isinstance(b, Tensor)]
        self._state = [(t, t._data) for t in self.parameters]
        self._state += [(b, b._data.copy()) for b in buffers]
        return self

    def __exit__(self, *exc: object) -> None:
        for t, array in self._state:
            t.data = array

    # --- as a function of arrays ---

    def leaves(self, arrays: Sequence[np.ndarray]) -> list[Tensor]:
        """Fresh leaves with these values; for a Module, its own parameters with new data."""
        n = len(self.points) - len(self.parameters)
        made = [tensor(a, requires_grad=True, device=d)
                for a, d in zip(arrays[:n], self._devices, strict=False)]  # fmt: skip
        for p, a, d in zip(self.parameters, arrays[n:], self._devices[n:], strict=True):
            p.data = tensor(a, device=d)._data
            made.append(p)
        return made

    def call(self, leaves: Sequence[Tensor]) -> Tensor:
        """Call f on the leaves and copies of the constants; raises unless the result is tracked."""
        arguments = [leaves[s] if isinstance(s, int) else tensor(s) for s in self.slots]
        y = self.f(*arguments)
        if not isinstance(y, Tensor):
            raise TypeError(
                f"check_grads: `{self.name}` returned a {type(y).__name__}; it must return one "
                "Tensor (check several results one at a time)"
            )
        if y.dtype.kind != "f":
            raise TypeError(
                f"check_grads: `{self.name}` returned a tensor of {y.dtype}, which has no gradient;"
                " it must return floating-point numbers"
            )
        if y.dtype != float64:
            raise TypeError(
                f"check_grads: `{self.name}` returned {y.dtype} for float64 inputs; look for a "
                "conversion such as .float() (a float32 constant does not convert)"
            )
        if not y.requires_grad:
            raise ValueError(
                f"check_grads: the result of `{self.name}` was not computed from any input that "
                "requires a gradient, or not by tinynet's operations: look for .detach(), .data, "
                ".numpy(), no_grad() or a new tensor in it"
            )
        return y

    def value(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(to_numpy(self.call(self.leaves(arrays))._data))

    def gradients(self, arrays: Sequence[np.ndarray], c: np.ndarray) -> list[np.ndarray]:
        """J^T c for each variable, by an ordinary backward."""
        leaves = self.leaves(arrays)
        y = self.call(leaves)
        found = grad(y, leaves, tensor(c, device=y.device), allow_unused=True)
        return [np.zeros(a.shape) if g is None else np.array(to_numpy(g._data))
                for g, a in zip(found, arrays, strict=True)]  # fmt: skip

    def check_first_call(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """f's value, checked to be finite, reproducible, and computed without changing inputs."""
        leaves = self.leaves(arrays)
        result = self.call(leaves)
        y = np.array(to_numpy(result._data))
        if not np.isfinite(y).all():
            at = tuple(int(k) for k in np.argwhere(~np.isfinite(y))[0])
            raise ValueError(
                f"check_grads: `{self.name}` returned {y[at]} at {at}; pass inputs for which it is "
                "finite"
            )
        grad(result, leaves, tensor(np.ones(y.shape), device=result.device), allow_unused=True)
        for label, leaf, a in zip(self.labels, leaves, arrays, strict=True):
            if not np.array_equal(to_numpy(leaf._data), a):
                raise GradientError(
                    f"check_grads: `{self.name}` or its backward changed {label} in place; it must "
                    "not modify its inputs"
                )
        if not same(self.value(arrays), y):
            raise GradientError(self.not_deterministic())
        return y

    def not_deterministic(self) -> str:
        return (
            f"check_grads: `{self.name}` is not deterministic (dropout? running statistics?): two "
            "calls with the same inputs gave different results; put the Module into evaluation "
            "mode with .eval(), or fix the random numbers inside f"
        )

    # --- one tensor as two inputs ---

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of inputs that are variables of the same shape."""
        shapes = {k: self.points[s].shape for k, s in enumerate(self.slots) if isinstance(s, int)}
        found = [(i, j) for i, j in combinations(shapes, 2) if shapes[i] == shapes[j]]
        if not found:
            raise ValueError(
                "check_grads: same_tensor=True needs two inputs of one shape that require a "
                "gradient"
            )
        return found

    def tied(self, i: int, j: int) -> Function:
        """The function with one input fewer that passes input i to f as input j too."""

        def f(*others: Tensor) -> Any:
            return self.f(*others[:j], others[i], *others[j:])

        inputs = []
        for k, s in enumerate(self.slots):
            if k != j:
                inputs.append(tensor(self.points[s], requires_grad=True, device=self._devices[s])
                              if isinstance(s, int) else s)  # fmt: skip
        return Function(f, inputs, f"{self.name} with input {i} as input {j} too")
