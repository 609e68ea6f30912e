"""function: the decorator of the public functions of tensors.

``def exp(input)`` is both `tinynet.exp` and the method `Tensor.exp`. The decorator adds what all
public functions have in common: NumPy's words `axis` and `keepdims` for `dim` and `keepdim`; a
TypeError for an argument that must be a Tensor; and error messages that begin with the name of the
function that was called, even if a function that it calls finds the error.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tinynet.autograd import Value
from tinynet.backend import as_array, generic, is_array

if TYPE_CHECKING:
    from tinynet.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

_NUMPY_WORDS = {"axis": "dim", "keepdims": "keepdim"}
_ERRORS = (TypeError, ValueError, IndexError, RuntimeError, AttributeError, OverflowError)
_MISSING: Any = object()
_INSTEAD = {AttributeError: TypeError, OverflowError: ValueError}
_NAME = re.compile(r"[\w.]+: ")  # what a message of tinynet begins with
_INSIDE = re.compile(r"attribute|NoneType|ndarray|ufunc|numpy|tuple index|truth value|float\(\)")


def function(f: F) -> F:
    """Make `f` a public function. Arguments of parameters annotated as Tensor must be Tensors."""
    name = f.__name__
    parameters, many = _parameters(f)
    types = inspect.unwrap(f).__annotations__
    tensors = [(k, p) for k, p in enumerate(parameters) if types.get(p) == "Tensor"]
    words = {numpy: own for numpy, own in _NUMPY_WORDS.items() if own in parameters}

    def checked(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """The positional arguments; `options` get PyTorch's words."""
        for word in words.keys() & options.keys():
            options[words[word]] = options.pop(word)
        if many in options:  # permute(x, dims=(1, 0)) for permute(x, 1, 0)
            args = (*args, options.pop(many))
        for k, what in tensors:
            given = args[k] if k < len(args) else options.get(what, _MISSING)
            if not isinstance(given, Value) and given is not _MISSING:
                raise TypeError(
                    f"{name}: {what} is {a_kind_of(given)}; it must be a Tensor (make one with "
                    "tinynet.tensor)"
                )
        return args

    own = f"{name}:", f"{name}("  # `max` must not pass on what begins with "maximum:"
    only_first = tensors == [(0, parameters[0])] if parameters else False

    @functools.wraps(f)
    def public(*args: Any, **options: Any) -> Any:
        if options or not only_first or not args or not isinstance(args[0], Value):
            args = checked(args, options)
        try:
            return f(*args, **options)
        except _ERRORS as error:
            if str(error).startswith(own):
                raise
            raise _renamed(error, name, args, options) from error

    return public  # type: ignore[return-value]


def _parameters(f: Callable[..., Any]) -> tuple[list[str], str | None]:
    """The names of the parameters, and that of ``*args``.

    Read from the code: for hundreds of functions `inspect.signature` would take a sixth of the time
    of ``import tinynet``.
    """
    code: Any = inspect.unwrap(f).__code__
    ends = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    positional, keywords = code.co_varnames[: ends[0]], code.co_varnames[ends[0] : ends[1]]
    many = code.co_varnames[ends[1]] if code.co_flags & inspect.CO_VARARGS else None
    return [*positional, *([many] if many else []), *keywords], many


def unrecorded(input: Tensor, array: Any) -> Tensor:
    """An array, computed from `input` without a gradient, as a Tensor."""
    return input.result_type(as_array(array))  # type: ignore[return-value]


def _renamed(
    error: Exception, name: str, args: tuple[Any, ...], options: dict[str, Any]
) -> Exception:
    """The error with a message that begins with `name`.

    A message that no function of tinynet wrote also gets the types and shapes of the arguments,
    and is left out if it is about the inside of a function.
    """
    text = str(error)
    prefix = _NAME.match(text)
    if prefix:
        text = text[prefix.end() :]
    else:
        given = [*map(shown, args), *(f"{k}={shown(v)}" for k, v in options.items())]
        text = "an argument has a wrong type or shape" if _INSIDE.search(text) else text
        text += f" (given {', '.join(given)})"
    kinds = (
        k for k in type(error).__mro__ if k.__module__.split(".")[0] in ("builtins", "tinynet")
    )
    kind: Any = _INSTEAD.get(type(error)) or next(kinds)
    return kind(f"{name}: {text}")


def shown(value: Any) -> str:
    """A value for an error message: a tensor by dtype and shape, numbers as they are."""
    if isinstance(value, generic):
        value = value.item()
    if isinstance(value, Value):
        return f"a tensor of {value.dtype} and shape {tuple(value.shape)}"  # type: ignore[attr-defined]
    if is_array(value):
        return f"an array of {value.dtype} and shape {tuple(value.shape)}"
    plain = isinstance(value, int | float | complex | str | tuple | list | None)
    return repr(value) if plain and len(repr(value)) < 60 else a_kind_of(value)


def a_kind_of(a: object) -> str:
    """The type of an argument, in words."""
    if a is None or is_array(a):
        return "None" if a is None else "an array"
    name = type(a).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
