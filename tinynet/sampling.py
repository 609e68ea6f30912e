"""Functions that create random tensors, from the generator that `manual_seed` seeds.

Numbers are drawn on the host, so that a run has the same ones on CPU and GPU.
"""

from __future__ import annotations

from typing import Any

from tinynet import backend, dtypes
from tinynet.autograd import Value
from tinynet.creation import check_layout, tensor
from tinynet.functions.arguments import integer, shape_of
from tinynet.functions.copying import check_format
from tinynet.functions.public import function, shown
from tinynet.random import generator as default_generator
from tinynet.tensor import Tensor


def _drawn(
    array: Any, dtype: Any, requires_grad: Any, device: Any, default: Any = "float32"
) -> Tensor:
    place = backend.default_device() if device is None else device
    return tensor(array, default if dtype is None else dtype, requires_grad, place)


@function
def randn(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Independent normal numbers with mean 0 and variance 1; `manual_seed` sets the seed."""
    array = (generator or default_generator()).standard_normal(shape_of("randn", size))
    return _drawn(array, dtype, requires_grad, device)


@function
def rand(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Independent uniform numbers in [0, 1); `manual_seed` sets the seed."""
    array = (generator or default_generator()).random(shape_of("rand", size))
    return _drawn(_below_one(array, dtype), dtype, requires_grad, device)


def _below_one(array: Any, dtype: Any) -> Any:
    """Uniform numbers that rounding to the dtype does not make 1."""
    bits = {"float64": 53, "float16": 11}.get(dtypes.as_dtype(dtype or "float32").name, 24)
    return array if bits == 53 else (array * 2.0**bits // 1) * 2.0**-bits


@function
def randint(
    *bounds: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Independent integers from `low` (0) to `high` - 1: ``randint(10, (2, 3))``; int64."""
    given = list(bounds)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if low is None:
        low = given.pop() if given else 0
    if given or size is None or high is None:
        raise TypeError("randint: give high and size, or low, high and size")
    array = _integers("randint", low, high, shape_of("randint", (size,)), generator)
    return _drawn(array, dtype, requires_grad, device, "int64")


def _integers(name: str, low: Any, high: Any, shape: tuple[int, ...], generator: Any) -> Any:
    first, last = integer(name, "low", low), integer(name, "high", high)
    if first >= last:
        raise ValueError(f"{name}: low is {first} and high {last}; low must be below high")
    return (generator or default_generator()).integers(first, last, shape)


@function
def randperm(
    n: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers 0, ..., n - 1 in random order; int64."""
    count = integer("randperm", "n", n, least=0)
    array = (generator or default_generator()).permutation(count)
    return _drawn(array, dtype, requires_grad, device, "int64")


@function
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Independent normal numbers of the given means and standard deviations.

    Args:
        mean: a number or a Tensor.
        std: a number or a Tensor, which broadcasts with `mean`; none negative.
        size: the shape, if both are numbers.
        generator: where to draw from; by default what `manual_seed` seeds.
        dtype: by default that of a Tensor, and float32.
        device: where to put the result.
        requires_grad: whether to record operations on it.
    """
    tensors = [t for t in (mean, std) if isinstance(t, Value)]
    for what, given in (("mean", mean), ("std", std)):
        if not isinstance(given, Value | int | float):
            raise TypeError(f"normal: {what} is {shown(given)}; it must be a number or a Tensor")
        if isinstance(given, Value) and given._data.dtype.kind != "f":
            raise TypeError(f"normal: {what} is {shown(given)}; it must be floating-point")
    m, s = (backend.to_numpy(g._data) if isinstance(g, Value) else g for g in (mean, std))
    if (s < 0) if isinstance(s, int | float) else (s < 0).any():
        raise ValueError("normal: std has a negative number; it must be at least 0")
    if tensors and size is not None:
        raise TypeError("normal: size is given beside a Tensor, which has the shape")
    if not tensors and size is None:
        raise TypeError("normal: size is None; give it if mean and std are numbers")
    shape = (m + s).shape if tensors else shape_of("normal", (size,))
    if tensors:
        first: Any = tensors[0]
        dtype, device = dtype or first.dtype, device or first.device
    noise = (generator or default_generator()).standard_normal(shape)
    return _drawn(m + s * noise, dtype, requires_grad, device)


def _like(
    name: str, draw: Any, x: Tensor, dtype: Any, grad: Any, device: Any, format: Any, layout: Any
) -> Tensor:
    check_format(name, format)
    check_layout(name, layout)
    kind = x.dtype if dtype is None else dtype
    return _drawn(draw(x.shape), kind, grad, x.device if device is None else device)


@function
def rand_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`rand` in the shape, dtype and on the device of another tensor."""

    def draw(shape: tuple[int, ...]) -> Any:
        array = (generator or default_generator()).random(shape)
        return _below_one(array, input.dtype if dtype is None else dtype)

    name = "rand_like"
    return _like(name, draw, input, dtype, requires_grad, device, memory_format, layout)


@function
def randn_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randn` in the shape, dtype and on the device of another tensor."""
    draw = (generator or default_generator()).standard_normal
    name = "randn_like"
    return _like(name, draw, input, dtype, requires_grad, device, memory_format, layout)


@function
def randint_like(
    input: Tensor,
    *bounds: Any,
    low: Any = None,
    high: Any = None,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randint` in the shape, dtype and on the device of another tensor."""
    given = [*([] if low is None else [low]), *bounds, *([] if high is None else [high])]
    if not 1 <= len(given) <= 2:
        raise TypeError("randint_like: give high, or low and high")
    first, last = given if len(given) == 2 else (0, given[0])

    def draw(shape: tuple[int, ...]) -> Any:
        return _integers("randint_like", first, last, shape, generator)

    name = "randint_like"
    return _like(name, draw, input, dtype, requires_grad, device, memory_format, layout)
