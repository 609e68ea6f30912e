"""Checks for the engine: types of operands and results, changes in place, error messages.

The engine's own path is for float32 and numbers; `operands` and `result` are for all the rest.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tinynet.autograd.value import Value, raw
from tinynet.autograd.versions import share_version
from tinynet.backend import array_module, as_array, generic, is_array, ndarray, plain_array
from tinynet.dtypes import float32, is_new_float, only_float16, rounded, widened

NUMBERS = frozenset({float, int, bool, type(None)})  # operands that need no conversion
_PLAIN = NUMBERS | {ndarray}


def operands(op: Any, args: Sequence[Any], arrays: list[Any]) -> list[Any] | None:
    """The arguments to run an operation with, converted, or None if they are right as they are.

    NumPy scalars become Python numbers, arrays of subclasses of NumPy's plain ones, and the
    operands of an operation that has such a rule (`Op.promote`) are brought to one dtype. Arrays of
    float16 of an operation that adds up are replaced in `arrays`; `result` rounds.
    """
    converted = args
    if op.promote is not None:
        x, y = arrays[-2:]
        if type(x) is not ndarray:
            x, y = y, x
        dtype = x.dtype if type(x) is ndarray else None
        number = type(y) in (float, int) and dtype is not None and dtype.kind == "f"
        if dtype is None or not (number or getattr(y, "dtype", None) is dtype):
            converted = op.promote(args)
    if not _PLAIN.issuperset(map(type, arrays)):
        converted = [a if isinstance(a, Value) else operand(op.name, a) for a in converted]
    if any(map(operator.is_not, converted, args)):
        return list(converted)
    if op.accumulates and only_float16(arrays):
        arrays[:] = map(widened, arrays)
    return None


def explained(op: Any, error: Exception, arrays: list[Any], options: dict[str, Any]) -> Exception:
    """An error of an operation's forward, with the operation's name and the shapes."""
    array_module(*arrays)  # raises DeviceError if they are on different devices
    # NumPy's subclasses of TypeError do not accept a message
    kind = TypeError if isinstance(error, TypeError) else type(error)
    kind = ValueError if kind is OverflowError else kind
    return kind(op.explain(error, arrays, options))


def result(
    op: Any, y: Any, args: Sequence[Any], arrays: list[Any], options: dict[str, Any], kind: Any
) -> Any:
    """What an operation's forward returned as a Value or, for several arrays, a tuple of them.

    A view shares the version of its base. If integers would make the result float64
    (`tinynet.dtypes.is_new_float`), a list of arguments of float32 to retry with.
    """
    if isinstance(y, Value):  # an input was among the options
        raise TypeError(op.explain(TypeError(), arrays, options))
    if isinstance(y, (tuple, list)):
        return tuple([_wrapped(as_array(part), args, kind) for part in y])
    y = as_array(y)
    if y.dtype is not float32 and is_new_float(y.dtype, arrays, options):
        if any(map(_is_integer, arrays)):  # integers have no gradient, so a leaf is enough
            return [kind(raw(a).astype(float32)) if _is_integer(raw(a)) else a for a in args]
        y = y.astype(float32)
    if op.accumulates and only_float16([raw(a) for a in args]):
        y = rounded(y)
    return _wrapped(y, args, kind)


def _is_integer(array: Any) -> bool:
    return is_array(array) and array.dtype.kind in "biu"


def _wrapped(y: Any, args: Sequence[Any], kind: type[Value]) -> Value:
    """`y` as a Value; a view of an argument shares the argument's version."""
    out = kind(y)
    if y.base is not None:
        for a in args:
            if isinstance(a, Value) and (y.base is a._data or y.base is a._data.base):
                share_version(out, a)
    return out


def kept(a: Any) -> Any:
    """An input to keep for a rule: arrays are copied, since the caller may overwrite them.

    A change of a Tensor is detected by its version instead.
    """
    if is_array(a):
        return a.copy()
    return tuple([kept(part) for part in a]) if type(a) is tuple else a


def accumulated(op: Any, arrays: Sequence[Any], options: dict[str, Any]) -> Any:
    """What an operation that adds up gives for arrays of float16, computed in float32."""
    if not only_float16(arrays):
        return op.forward(*arrays, **options)
    return rounded(op.forward(*map(widened, arrays), **options))


def shapes(args: Sequence[Any]) -> list[tuple[int, ...]]:
    """The shape of each argument of an operation; () for a number."""
    return [getattr(raw(a), "shape", ()) for a in args]


def operand(name: str, a: Any) -> Any:
    """Check an operand that is not a Tensor: an array, a number, or None if it is missing.

    A NumPy scalar becomes a Python number, because under NumPy 2 ``float32_array *
    np.float64(2)`` is float64 whereas ``float32_array * 2.0`` is float32.
    """
    if type(a) in _PLAIN:
        return a
    if is_array(a):
        return plain_array(a)
    if isinstance(a, generic | int | float):
        return a.item() if isinstance(a, generic) else a
    raise TypeError(
        f"{name}: an operand is a {type(a).__name__}; it must be a Tensor, an array or a number "
        "(make one with tinynet.tensor)"
    )


def message(name: str, error: Exception, options: dict[str, Any]) -> str:
    """The error message of the array module, prefixed with the operation's name."""
    named = [option for option, a in options.items() if isinstance(a, Value)]
    if named:
        return f"{name}: give {', '.join(named)} by position, not by name"
    text = str(error) or "it uses a Tensor that is not among its arguments; make it one of them"
    return text if text.startswith(name) else f"{name}: {text}"


def check_rule(op: Any, name: str, function: Callable[..., Any]) -> None:
    """Raise ValueError unless a rule is for an input, and names what a rule may name."""
    if name not in op.inputs:
        raise ValueError(f"{op.name}: no input is called {name!r}; they are {', '.join(op.inputs)}")
    _, *needs = inspect.signature(function).parameters
    unknown = [need for need in needs if need not in op.places]
    if unknown:
        raise ValueError(
            f"{op.name}: the rule for {name!r} names {', '.join(map(repr, unknown))}; after gy it "
            f"may name {', '.join(op.places)}"
        )


def unpack(node: Any, name: str, a: Any, create_graph: bool, output_nr: int = 0) -> Any:
    """What a node saved, as an array or, with create_graph, as a Value of the graph.

    Raises:
        RuntimeError: if it has been changed in place since.
    """
    if isinstance(a, tuple):
        return tuple([unpack(node, name, v, create_graph, k) for k, v in enumerate(a)])
    if not isinstance(a, Value):
        return a
    if a._version[0] > node.stamp:
        op = node.op.name
        raise RuntimeError(
            f"backward: `{name}` (shape {tuple(a._data.shape)}), kept for the rule of {op}, was "
            f"changed in place after {op} had used it; change a copy (x = x + 1, or x.clone()), "
            "or change it after backward"
        )
    if not create_graph:
        return a._data
    return a if name != "y" else type(a)(a._data, True, (node, output_nr) if output_nr else node)


def owned(g: Any, gy: Any, saved: dict[str, Any]) -> Any:
    """The gradient, copied if its memory may be shared: a rule may return its argument."""
    array = raw(g)
    if g is gy or array.base is not None:
        return copied(g)
    for a in (*gy, *saved.values()) if isinstance(gy, list) else saved.values():
        if a is array or (isinstance(a, Value) and a._data is array):
            return copied(g)
    return g


def copied(g: Any) -> Any:
    """A copy of a gradient; copying a Value is recorded."""
    return g.clone() if isinstance(g, Value) else g.copy()  # type: ignore[attr-defined]


def freed(caller: str, op: str) -> RuntimeError:
    fix = "give the earlier one" if caller == "backward" else f"call {caller} before it, give it"
    return RuntimeError(
        f"{caller}: the graph was freed by an earlier backward (at {op}); {fix} "
        "retain_graph=True, or run the forward again"
    )


def check_seed(name: str, output: Value, gradient: Any) -> None:
    """Raise unless backward can start at `output` with the cotangent `gradient`."""
    shape = tuple(output._data.shape)
    if not output.requires_grad:
        raise RuntimeError(
            f"{name}: the tensor of shape {shape} does not require a gradient: none of its inputs "
            "does, or it was computed inside no_grad or by an operation without a gradient; create "
            "the inputs with requires_grad=True"
        )
    if gradient is None:
        if output._data.size != 1:
            raise RuntimeError(
                f"{name}: the output has shape {shape}, not a single number; give `gradient` of "
                "that shape (to compute the product gradient . Jacobian), or reduce the output to "
                "a number first, with .sum() or .mean()"
            )
        return
    array = raw(gradient)
    if not is_array(array) or array.shape != shape:
        found = array.shape if is_array(array) else type(array).__name__
        raise ValueError(
            f"{name}: gradient has shape {found}, but the output has {shape}; they must be equal"
        )
    array_module(array, output._data)


def check_grad(outputs: Sequence[Value], inputs: Sequence[Value], given: Sequence[Any]) -> None:
    """Raise unless each output has a cotangent and each input requires a gradient."""
    if len(given) != len(outputs):
        raise ValueError(
            f"grad: {len(given)} grad_outputs for {len(outputs)} outputs; give one per output"
        )
    for i, x in enumerate(inputs):
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i} does not require a gradient")


def unused(i: int, x: Value) -> RuntimeError:
    return RuntimeError(
        f"grad: the outputs do not depend on input {i} of shape {tuple(x._data.shape)}; give "
        "allow_unused=True to get None for it"
    )
