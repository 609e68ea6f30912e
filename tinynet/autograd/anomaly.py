"""detect_anomaly: find the operation that made the first NaN or Inf, and the calling line."""

from __future__ import annotations

import math
import os
import sys
from contextlib import ContextDecorator
from typing import Any

from tinynet.autograd.engine import Edge, Node, Op
from tinynet.autograd.modes import modes, set_modes
from tinynet.autograd.value import raw
from tinynet.autograd.watcher import Watcher
from tinynet.backend import array_module

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class AnomalyError(ArithmeticError):
    """An operation produced NaN or Inf within `detect_anomaly`."""


def calling_line() -> str:
    """``file:line: source`` of the innermost frame that is not tinynet's own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    import linecache  # needed only here

    name, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, line).strip()
    return f"{name}:{line}" + (f": {source}" if source else "")


def bad_number(a: Any) -> str | None:
    """``"NaN"`` or ``"Inf"`` if the array contains one, else None."""
    if a.dtype.kind not in "fc":
        return None
    xp = array_module(a)
    if bool(xp.isfinite(a).all()):
        return None
    return "NaN" if bool(xp.isnan(a).any()) else "Inf"


def is_infinite(a: Any) -> bool:
    """Whether an operand, an array or a number, contains Inf or -Inf."""
    if isinstance(a, float):
        return math.isinf(a)
    if getattr(a, "dtype", None) is None or a.dtype.kind != "f":
        return False
    return bool(array_module(a).isinf(a).any())


class _Anomaly(Watcher):
    """Raises at the first operation or rule whose result is not finite."""

    def operation(self, op: Op, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = super().operation(op, args, options)
        outputs: tuple[Any, ...] = out if isinstance(out, tuple) else (out,)
        for o in outputs:
            _check_forward(op.name, o._data, [raw(a) for a in args])
        if nodes := {o.grad_fn for o in outputs} - {None}:  # one, which integer outputs lack
            nodes.pop().where = calling_line()
        return out

    def rule(self, node: Node, edge: Edge, gy: Any, create_graph: bool) -> Any:
        g = super().rule(node, edge, gy, create_graph)
        where = getattr(node, "where", "(run the forward in detect_anomaly too)")
        _check_backward(node.op.name, edge[0], raw(g), gy, where)
        return g


class detect_anomaly(ContextDecorator):
    """Context manager and decorator that raises at the first operation that makes NaN or Inf.

    The `AnomalyError` names the operation, the shapes, and the line that called the operation. For
    an error in backward, that line is known only if the forward ran inside too. The check reads
    every result once more, which takes time.

    >>> import tinynet as tn
    >>> x = tn.tensor([1.0, 0.0], requires_grad=True)
    >>> with tn.detect_anomaly():
    ...     x.sqrt().sum().backward()
    Traceback (most recent call last):
    ...
    tinynet.autograd.anomaly.AnomalyError: backward of sqrt made Inf ...
    """

    def __init__(self) -> None:
        self.watchers: list[_Anomaly] = []  # one for each time it is entered

    def __enter__(self) -> None:
        self.watchers.append(_Anomaly().__enter__())

    def __exit__(self, *exc: object) -> None:
        self.watchers.pop().__exit__()

    def _recreate_cm(self) -> detect_anomaly:
        return detect_anomaly()


class set_detect_anomaly:
    """Switch `detect_anomaly` on or off at once; as a context manager, until the end of the block.

    It is on or off in this thread alone, and then within what this thread calls.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        if not check_nan:
            raise ValueError(
                "set_detect_anomaly: check_nan is False; to find NaN is all that tinynet's does"
            )
        self.before = modes()[1]
        found = [w for w in _watchers(self.before) if isinstance(w, _Anomaly)]
        if mode and not found:
            _Anomaly().__enter__()
        for watcher in [] if mode else found:
            for inner in _watchers(modes()[1]):
                if inner.outer is watcher:
                    inner.outer = watcher.outer
            if modes()[1] is watcher:
                set_modes((modes()[0], watcher.outer))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        set_modes((modes()[0], self.before))


def _watchers(innermost: Any) -> list[Any]:
    """The active watchers, from the inside out."""
    found = []
    while innermost is not None:
        found.append(innermost)
        innermost = innermost.outer
    return found


def _check_forward(name: str, y: Any, arrays: list[Any]) -> None:
    """Raise if an operation's output is not finite; the message says whether its inputs were."""
    bad = bad_number(y)
    if bad is None:
        return
    if bad == "Inf" and any(is_infinite(a) for a in arrays):
        return  # not new: -Inf in an input is how scores are masked
    shaped = [a for a in arrays if hasattr(a, "dtype")]
    given = [f"input {i} held {b}" for i, a in enumerate(shaped) if (b := bad_number(a))]
    origin = (
        "it was already in an input: " + ", ".join(given) if given else "its inputs were finite"
    )
    shapes = ", ".join(str(tuple(a.shape)) for a in shaped)
    raise AnomalyError(
        f"{name} made {bad} from inputs of shapes {shapes} ({origin}), called at {calling_line()}"
    )


def _check_backward(name: str, i: int, g: Any, gy: Any, where: str) -> None:
    """Raise if the gradient that a rule returned is not finite."""
    bad = bad_number(g)
    if bad is None:
        return
    given = gy if isinstance(gy, list) else [gy]
    before = next((b for a in given if a is not None and (b := bad_number(raw(a)))), None)
    origin = "the gradient it was given was finite" if before is None else f"it was given {before}"
    raise AnomalyError(
        f"backward of {name} made {bad} for input {i} of shape {tuple(g.shape)} ({origin}); "
        f"the operation was called at {where}"
    )
