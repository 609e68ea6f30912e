"""Checks for the engine: types of operands and results, changes in place, error messages.

The engine calls `run` for every operation on a Value; the other functions check its arguments or
create its exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynet.autograd.value import Value, raw
from tinynet.autograd.versions import share_version
from tinynet.backend import array_module, as_array, generic, is_array, ndarray
from tinynet.dtypes import float16, float32, is_new_float, same_kind

PLAIN = frozenset({float, int, bool, type(None), ndarray})  # operands that need no conversion


def run(
    op: Any,
    args: Sequence[Any],
    arrays: list[Any],
    options: dict[str, Any],
    kind: type[Value],
    unusual: bool,
) -> Any:
    """Run an operation's forward on arrays.

    NumPy scalars are converted to Python numbers first, integers to float32 if NumPy would compute
    in float64 or float16 (see `tinynet.dtypes.is_new_float`), and an operand of shape () to the
    dtype of the others if it would widen them. Error messages get the operation's name and the
    shapes. A view shares the version of its base.

    Args:
        op: the operation.
        args: its arguments, at least one of them a Value.
        arrays: the arguments with Values replaced by their arrays.
        options: its options.
        kind: the type of the result.
        unusual: whether some arguments are neither Values nor of a type in `PLAIN`.

    Returns:
        The output, a Value or a tuple of them; or a list of converted arguments to retry with.
    """
    if unusual:
        operands = [a if isinstance(a, Value) else operand(op.name, a) for a in args]
        if any([a is not b for a, b in zip(operands, args, strict=True)]):
            return operands
    try:
        y = op.forward(*arrays, **options)
    except (TypeError, ValueError, IndexError) as error:
        array_module(*arrays)  # raises DeviceError if they are on different devices
        # NumPy's subclasses of TypeError do not accept a message
        kind_of_error = TypeError if isinstance(error, TypeError) else type(error)
        raise kind_of_error(op.explain(error, arrays, options)) from error
    if type(y) is not ndarray:
        if isinstance(y, (tuple, list)):
            return tuple([_wrapped(as_array(part), args, kind) for part in y])
        y = as_array(y)
    dtype = y.dtype
    if op.broadcasts:
        a, b = arrays[-2], arrays[-1]
        if (type(a) is ndarray and a.dtype is not dtype) or (
            type(b) is ndarray and b.dtype is not dtype
        ):
            narrow = _without_widening(args, arrays, dtype)
            if narrow is not None:
                return narrow
    if dtype is not float32 and is_new_float(dtype, arrays, options):
        # booleans and bytes would compute in float16; where a Python number made the result
        # float64, booleans are conditions
        kinds = "iub" if dtype == float16 else "iu"
        if any([is_array(a) and a.dtype.kind in kinds for a in arrays]):
            # integers have no gradient, so a leaf is enough
            return [
                kind(raw(a).astype(float32))
                if is_array(raw(a)) and raw(a).dtype.kind in kinds
                else a
                for a in args
            ]
        y = y.astype(float32)
    return kind(y) if y.base is None else _wrapped(y, args, kind)


def _without_widening(args: Sequence[Any], arrays: list[Any], dtype: Any) -> list[Any] | None:
    """The arguments, those of shape () converted to the dtype of the others of the same kind if
    they widen it, as in PyTorch; None if they do not. `dtype` is that of the result."""
    kin = [is_array(a) and same_kind(a.dtype, dtype) for a in arrays]
    full = [a.dtype for a, is_kin in zip(arrays, kin, strict=True) if is_kin and a.ndim]
    wanted = max(full, key=lambda d: d.itemsize, default=dtype)
    wider = [k and not a.ndim and a.dtype != wanted for a, k in zip(arrays, kin, strict=True)]
    if wanted == dtype or not any(wider):
        return None
    return [
        a if not w else a.to(wanted) if isinstance(a, Value) else a.astype(wanted)
        for a, w in zip(args, wider, strict=True)
    ]


def _wrapped(y: Any, args: Sequence[Any], kind: type[Value]) -> Value:
    """`y` as a Value; a view of an argument shares the argument's version."""
    out = kind(y)
    if y.base is not None:
        for a in args:
            if isinstance(a, Value) and (y.base is a._data or y.base is a._data.base):
                share_version(out, a)
    return out


def operand(name: str, a: Any) -> Any:
    """Check an operand that is not a Tensor: an array, a number, or None if it is missing.

    A NumPy scalar becomes a Python number, because under NumPy 2 ``float32_array *
    np.float64(2)`` is float64 whereas ``float32_array * 2.0`` is float32.
    """
    if type(a) in PLAIN or is_array(a):
        return a
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
    text = str(error)
    return text if text.startswith(name) else f"{name}: {text}"


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
    return g.clone() if isinstance(g, Value) else g.copy()


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
