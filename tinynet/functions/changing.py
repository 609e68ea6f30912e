"""Changes in place, by the function without the underscore: ``x.masked_fill_(mask, 0)``.

They are refused on a tensor that requires a gradient, as every change in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions import masking, scattering
from tinynet.functions.public import function

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def masked_fill_(input: Tensor, mask: Any, value: Any) -> Tensor:
    """x = value where the mask is true; see `masked_fill`."""
    return input.copy_(masking.masked_fill(input.detach(), mask, value))


@function
def masked_scatter_(input: Tensor, mask: Any, source: Tensor) -> Tensor:
    """See `masked_scatter`."""
    return input.copy_(masking.masked_scatter(input.detach(), mask, source))


@function
def scatter_(
    input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """See `scatter`."""
    new = scattering.scatter(input.detach(), dim, index, src, value=value, reduce=reduce)
    return input.copy_(new)


@function
def scatter_add_(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """See `scatter_add`."""
    return input.copy_(scattering.scatter_add(input.detach(), dim, index, src))


@function
def scatter_reduce_(
    input: Tensor, dim: int, index: Any, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """See `scatter_reduce`."""
    new = scattering.scatter_reduce(
        input.detach(), dim, index, src, reduce, include_self=include_self
    )
    return input.copy_(new)


@function
def index_add_(input: Tensor, dim: int, index: Any, source: Tensor, *, alpha: float = 1) -> Tensor:
    """See `index_add`."""
    return input.copy_(scattering.index_add(input.detach(), dim, index, source, alpha=alpha))


@function
def index_copy_(input: Tensor, dim: int, index: Any, source: Tensor) -> Tensor:
    """See `index_copy`."""
    return input.copy_(scattering.index_copy(input.detach(), dim, index, source))


@function
def index_fill_(input: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """See `index_fill`."""
    return input.copy_(scattering.index_fill(input.detach(), dim, index, value))


@function
def index_put_(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """See `index_put`."""
    return input.copy_(scattering.index_put(input.detach(), indices, values, accumulate))
