"""Load a state_dict into tensors, after checking all names and shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tinynet import backend
from tinynet.autograd import Value
from tinynet.autograd.modes import no_grad
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor

# PyTorch's types that NumPy lacks; float32 holds their numbers exactly
_WITHOUT_NUMPY = {"torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2"}


class IncompatibleKeys(NamedTuple):
    """Names missing from a state_dict, and names that the module does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def host_array(where: str, value: Any, dtype: Any = None) -> Any:
    """Convert a Tensor, an array, numbers, or another library's tensor to a NumPy array.

    A tensor that is on another device or part of a graph is converted with its methods `detach`
    and `cpu`.

    Args:
        where: the prefix of error messages.
        value: the object to convert.
        dtype: the dtype of the result; by default that of `value`.

    Raises:
        TypeError: if it cannot be converted to numbers.
    """
    if isinstance(value, Value):
        value = value._data
    if not backend.is_array(value):
        try:
            for method in ("detach", "cpu"):
                if hasattr(value, method):
                    value = getattr(value, method)()
            if str(getattr(value, "dtype", "")) in _WITHOUT_NUMPY:
                value = value.float()
            value = value.numpy() if hasattr(value, "numpy") else value
        except (TypeError, RuntimeError) as error:  # e.g. a dtype that NumPy does not have
            raise TypeError(f"{where} cannot be converted to a NumPy array: {error}") from error
    try:
        return backend.to_numpy(backend.asarray(value, dtype, "cpu"))
    except TypeError as error:
        raise TypeError(f"{where} cannot be converted to an array of numbers: {error}") from error


def load_arrays(
    owner: str, tensors: Mapping[str, Tensor], state: Mapping[str, Any], strict: bool
) -> IncompatibleKeys:
    """Implement `Module.load_state_dict` for tensors by name; `owner` prefixes error messages."""
    incompatible = _compare(owner, tensors, state, strict)
    arrays = {
        name: host_array(f"{owner}.load_state_dict: {name!r}", state[name], tensor.dtype)
        for name, tensor in tensors.items()
        if name in state
    }
    with no_grad():
        for name, array in arrays.items():
            tensor = tensors[name]
            tensor.copy_(backend.to_device(array, tensor.device))
    return incompatible


def assign_arrays(
    owner: str,
    tensors: Mapping[str, Tensor],
    state: Mapping[str, Any],
    strict: bool,
    replace: Callable[[str, Tensor], None],
) -> IncompatibleKeys:
    """Implement ``Module.load_state_dict(assign=True)``; `replace` puts a tensor in its place."""
    incompatible = _compare(owner, tensors, state, strict)
    made: dict[tuple[int, int], Tensor] = {}  # what was one tensor and is given one value stays one
    places = {name: (id(old), id(state[name])) for name, old in tensors.items() if name in state}
    for name, key in places.items():
        old, value = tensors[name], state[name]
        if key not in made:
            if not isinstance(value, Value):
                value = Tensor(host_array(f"{owner}.load_state_dict: {name!r}", value))
            if isinstance(old, Parameter) and not isinstance(value, Parameter):
                value = Parameter(value.detach(), requires_grad=False)
            made[key] = value.requires_grad_(old.requires_grad)
    for name, key in places.items():
        replace(name, made[key])
    return incompatible


def _compare(
    owner: str, tensors: Mapping[str, Tensor], state: Mapping[str, Any], strict: bool
) -> IncompatibleKeys:
    """The names that do not fit; raises if these or any shapes are errors."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"{owner}.load_state_dict: state is a {type(state).__name__}; it must be a dict of "
            "arrays by name"
        )
    # A tensor with two names, such as a weight shared by two layers, is loaded by either.
    given = {id(tensor) for name, tensor in tensors.items() if name in state}
    missing = [name for name, t in tensors.items() if name not in state and id(t) not in given]
    unexpected = [name for name in state if name not in tensors]
    mismatched = []
    for name, tensor in tensors.items():
        if name in state:
            try:
                shape = getattr(state[name], "shape", None)
            except RuntimeError as error:  # of PyTorch's lazy layers, before their first input
                raise ValueError(
                    f"{owner}.load_state_dict: {name!r} has no shape yet; run the model that it is "
                    "from once before taking its state"
                ) from error
            if shape is None:  # numbers, perhaps in lists
                shape = host_array(f"{owner}.load_state_dict: {name!r}", state[name]).shape
            if tuple(shape) != tensor.shape:
                mismatched.append(f"{name} ({tuple(shape)} given, the module has {tensor.shape})")
    problems = [
        f"{len(names)} {kind}: {', '.join(map(str, names))}"
        for kind, names in (
            ("missing", missing if strict else []),
            ("unexpected", unexpected if strict else []),
            ("of another shape", mismatched),
        )
        if names
    ]
    if problems:
        raise ValueError(
            f"{owner}.load_state_dict: names or shapes do not fit, nothing was loaded. "
            + "; ".join(problems)
        )
    return IncompatibleKeys(missing, unexpected)
