"""One result of PyTorch beside one of tinynet: translated, compared, differentiated twice."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from opinfo_explained import EXPLAINED

import tinynet as tn

DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)
OTHERS = (torch.int32, torch.int16, torch.int8, torch.uint8, torch.float16)
TOLERANCE = {"float64": 1e-9, "float32": 2e-5}
ERRORS = (ValueError, TypeError, IndexError, RuntimeError)
CLEAR = re.compile(r"[\w.]+(: |\(\) )\S")  # "name: what is wrong", or Python's "name() got ..."


class Untranslatable(Exception):
    """The sample has something that tinynet has not: complex numbers, sparse tensors, ..."""


@dataclass(frozen=True)
class Outcome:
    """What became of one sample.

    `kind` is "agrees", "differs", "refused" (a clear error where PyTorch computes), "obscure" (an
    error that does not name the operation), "accepted" (a result where PyTorch raises), or "left
    out" (arguments that do not exist in tinynet, such as complex numbers).
    """

    name: str
    kind: str
    text: str = ""
    sample: str = ""

    @property
    def right(self) -> bool:
        return self.kind in ("agrees", "left out")

    @property
    def line(self) -> str:
        return f"{self.name}: {self.kind}: {self.text} <- {self.sample}"

    @property
    def reason(self) -> str | None:
        """Why it does not agree, from the table of what is meant to differ."""
        return next((why for pattern, why in EXPLAINED if re.match(pattern, self.line)), None)


def translated(value: Any, pairs: list[tuple[torch.Tensor, tn.Tensor]] | None = None) -> Any:
    """PyTorch's arguments as tinynet's. Tensors and their counterparts are appended to `pairs`."""
    if isinstance(value, torch.Tensor):
        if value.dtype not in DTYPES + OTHERS or value.layout != torch.strided or value.is_meta:
            raise Untranslatable(f"{value.dtype}, {value.layout}")
        for theirs, ours in pairs or ():
            if theirs is value:
                return ours
        if value.ndim > 64:
            raise Untranslatable("more axes than NumPy has")
        # a deep copy keeps the strides: what is transposed or expanded stays so
        ours = tn.Tensor(copy.deepcopy(value.detach()).resolve_neg().numpy(force=True))
        ours.requires_grad_(value.requires_grad)
        if pairs is not None:
            pairs.append((value, ours))
        return ours
    if isinstance(value, torch.dtype):
        if value not in DTYPES + OTHERS:
            raise Untranslatable(str(value))
        return str(value).removeprefix("torch.")
    if isinstance(value, complex | torch.Generator | torch.memory_format | torch.layout):
        raise Untranslatable(type(value).__name__)
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, torch.nn.Module):  # a distance, as an argument of a loss
        return getattr(tn.nn, type(value).__name__)()
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(translated(v, pairs) for v in value)
    if isinstance(value, dict):
        return {k: translated(v, pairs) for k, v in value.items()}
    return value


def leaves(result: Any) -> list[Any]:
    """The tensors and numbers of a result, in order."""
    if isinstance(result, list | tuple):
        return [leaf for part in result for leaf in leaves(part)]
    return [] if result is None else [result]


def described(value: Any) -> str:
    """Arguments in short: tensors by dtype and shape."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(described, value))})"
    if isinstance(value, dict):
        return ", ".join(f"{k}={described(v)}" for k, v in value.items())
    return repr(value)


def array(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_neg().numpy(force=True)
    return np.asarray(value.data if isinstance(value, tn.Tensor) else value)


def unlike(ours: Any, theirs: Any) -> str | None:
    """What differs in shape or dtype, or None."""
    a, b = array(ours), array(theirs)
    if a.shape != b.shape:
        return f"shape {a.shape}, PyTorch {b.shape}"
    return None if a.dtype == b.dtype else f"dtype {a.dtype}, PyTorch {b.dtype}"


def difference(ours: Any, theirs: Any, looser: float = 1.0) -> str | None:
    """What differs in shape, dtype or values, or None."""
    wrong = unlike(ours, theirs)
    a, b = array(ours), array(theirs)
    if wrong or not b.size:
        return wrong
    if b.dtype.kind != "f":
        unequal = a != b
    else:
        finite = np.abs(b[np.isfinite(b)])
        rtol = TOLERANCE.get(b.dtype.name, 1e-3) * looser
        atol = rtol / 10 * max(1.0, float(finite.max()) if finite.size else 1.0)
        unequal = ~np.isclose(a.astype("f8"), b.astype("f8"), rtol, atol, equal_nan=True)
    if not unequal.any():
        return None
    place = tuple(int(i) for i in np.argwhere(unequal)[0])
    return f"value {a[place]:.9g}, PyTorch {b[place]:.9g}"


def first_difference(ours: list[Any], theirs: list[Any], compare: Any = difference) -> str | None:
    if len(ours) != len(theirs):
        return f"{len(ours)} results, PyTorch {len(theirs)}"
    return next(filter(None, map(compare, ours, theirs)), None)


def failed(name: str, error: Exception, sample: str) -> Outcome:
    """The outcome of an error where PyTorch computes: clear or obscure."""
    clear = isinstance(error, ERRORS) and CLEAR.match(str(error))
    text = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return Outcome(name, "refused" if clear else "obscure", text, sample)


# --- gradients ------------------------------------------------------------------------------------

_draws = torch.Generator()


def reseed() -> None:
    """Start the draws of cotangents anew, so that an operation's do not depend on the others."""
    torch.manual_seed(0)
    _draws.manual_seed(0)


def like(x: torch.Tensor, requires_grad: bool = False) -> torch.Tensor:
    """Normal numbers of the shape and dtype of x."""
    drawn = torch.randn(x.shape, dtype=x.dtype, generator=_draws)
    return drawn.requires_grad_(requires_grad)


def gradients(grad: Callable[..., Any], ys: list, xs: list, cs: list, vs: list) -> list[Any]:
    """Gradients of <y, c> with respect to x, and of <those, v> to x and c; None if unused."""
    first = grad(ys, xs, cs, create_graph=True, allow_unused=True)
    terms = [(g * v).sum() for g, v in zip(first, vs, strict=True)
             if g is not None and g.requires_grad]  # fmt: skip
    if not terms:
        return [*first, *[None] * (len(xs) + len(cs))]
    return [*first, *grad(sum(terms[1:], terms[0]), [*xs, *cs], allow_unused=True)]


def gradient_difference(theirs: list, ours: list, pairs: list, second: bool) -> str | None:
    """What differs between the gradients of two results with respect to the pairs of inputs.

    Without `second`, and where PyTorch has no second derivative, only the first is compared.
    """
    tracked = [(y, z) for y, z in zip(theirs, ours, strict=True)
               if isinstance(y, torch.Tensor) and y.requires_grad]  # fmt: skip
    inputs = [(x, w) for x, w in pairs if x.requires_grad]
    if not tracked or not inputs:
        return None
    if not all(getattr(z, "requires_grad", False) for _, z in tracked):
        return "the result does not require a gradient, PyTorch's does"
    (ys, zs), (xs, ws) = ([list(side) for side in zip(*p, strict=True)] for p in (tracked, inputs))
    cs, vs = [like(y, True) for y in ys], [like(x) for x in xs]
    try:
        wanted = gradients(torch.autograd.grad, ys, xs, cs, vs)
    except (RuntimeError, NotImplementedError):
        wanted, second = list(torch.autograd.grad(ys, xs, cs, allow_unused=True)), False
    found = gradients(tn.grad, zs, ws, translated(cs), translated(vs))
    count = len(wanted) if second else len(xs)
    for k, (g, h, x) in enumerate(zip(wanted[:count], found, [*xs, *xs, *cs], strict=False)):
        zero = torch.zeros_like(x)
        wrong = difference(translated(zero) if h is None else h, zero if g is None else g)
        if wrong:
            order = "gradient" if k < len(xs) else "second derivative"
            return f"{order}: {wrong}"
    return None


def refused(
    name: str, theirs: Callable[..., Any], ours: Callable[..., Any], args: Any, options: Any
) -> list[Outcome]:
    """The outcome of arguments that PyTorch refuses; none if it accepts them."""
    try:
        theirs(*args, **options)
        return []
    except Exception:
        sample = f"{described(tuple(args))[1:-1]}, {described(options)}"
    try:
        pairs: list[Any] = []  # what is given twice is so in tinynet too
        given, named = translated(tuple(args), pairs), translated(dict(options), pairs)
    except Untranslatable:
        return []
    try:
        with np.errstate(all="ignore"):
            ours(*given, **named)
    except Exception as error:
        found = failed(name, error, sample)
        return [Outcome(name, "agrees") if found.kind == "refused" else found]
    return [Outcome(name, "accepted", "", sample)]
