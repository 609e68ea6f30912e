"""NumPy's functions called with a Tensor: operators work, the others raise an error with advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinynet.autograd import Value

# NumPy's name of an operator: Python's, of the Tensor on the left and of one on the right
_OPERATORS = {
    "add": ("__add__", "__radd__"), "subtract": ("__sub__", "__rsub__"),
    "multiply": ("__mul__", "__rmul__"), "divide": ("__truediv__", "__rtruediv__"),
    "power": ("__pow__", "__rpow__"), "matmul": ("__matmul__", "__rmatmul__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__"), "remainder": ("__mod__", "__rmod__"),
    "bitwise_and": ("__and__", "__rand__"), "bitwise_or": ("__or__", "__ror__"),
    "bitwise_xor": ("__xor__", "__rxor__"),
    "equal": ("__eq__", "__eq__"), "not_equal": ("__ne__", "__ne__"),
    "less": ("__lt__", "__gt__"), "less_equal": ("__le__", "__ge__"),
    "greater": ("__gt__", "__lt__"), "greater_equal": ("__ge__", "__le__"),
}  # fmt: skip

_OTHERS = {
    "absolute": "t.abs()", "concatenate": "tinynet.cat", "stack": "tinynet.stack",
    "where": "tinynet.where", "einsum": "tinynet.einsum", "maximum": "tinynet.maximum",
    "minimum": "tinynet.minimum",
}  # fmt: skip
_HIDES_ERRORS = ("array_equal", "array_equiv")  # they return False


class ArrayUfunc:
    """The attribute ``__array_ufunc__``: a function to NumPy, which asks the class for it.

    To CuPy, which asks the object, it is None: CuPy's arrays then leave operators to the Tensor.
    """

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any] | None:
        return _call if instance is None else None


def _call(tensor: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """``array * tensor`` as the Tensor's operator; an error for other calls such as np.exp."""
    name, known = ufunc.__name__, _OPERATORS.get(ufunc.__name__)
    if method == "__call__" and known is not None and options.keys() <= {"out"}:
        a, b = inputs
        left = isinstance(a, Value)
        operator = getattr(a if left else b, known[not left], None)
        if operator is not None:  # with out=, it is array *= tensor: the name becomes a Tensor
            return operator(b if left else a)
    raise TypeError(_advice(tensor, name))


def array_function(
    self: Any, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """``__array_function__``: np.shape and the like work; an error for others such as np.mean."""
    try:
        if function.__name__ not in _HIDES_ERRORS:
            return function._implementation(*args, **options)
        raise TypeError
    except (TypeError, ValueError, AttributeError):
        raise TypeError(_advice(self, function.__name__)) from None


def _advice(tensor: Any, name: str) -> str:
    ours = _OTHERS.get(name) or (f"t.{name}()" if hasattr(tensor, name) else "")
    return (
        f"numpy.{name}: a Tensor is not an array, and its gradients would be lost; "
        f"{f'use {ours}, or ' if ours else ''}call it on t.detach().numpy()"
    )
