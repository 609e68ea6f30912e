"""in_place: the method that writes a function's result into its first argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, no_grad
from tinynet.functions.operands import check_in_place
from tinynet.functions.public import function

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


def in_place(f: Callable[..., Any]) -> Callable[..., Any]:
    """``x.exp_()`` for ``exp(x)``: the same arguments, x changed and returned."""
    name = f.__name__ + "_"

    def method(input: Tensor, *args: Any, **options: Any) -> Tensor:
        for a in (*args, *options.values()):
            if isinstance(a, Value):
                input._assigned(name, a)
        with no_grad():
            result = f(input.detach(), *args, **options)
        check_in_place(name, result, input.shape, input.dtype)
        input._writable(name)[...] = result.data
        return input

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{f.__name__}`, written into the tensor itself; see `tinynet.{f.__name__}`."
    return function(method)
