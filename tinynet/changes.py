"""Changes: the methods of Tensor that change it in place.

Most are a function of `tinynet` whose result is written into the tensor: ``x.exp_()``. They are
refused on a tensor that requires a gradient; see `Tensor._writable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynet.functions import (
    angles,
    bounds,
    comparing,
    diagonals,
    gathering,
    logical,
    norms,
    operators,
    pointwise,
    products,
    rounding,
    scans,
    scattering,
    special,
)
from tinynet.functions.in_place import in_place
from tinynet.functions.public import function

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


class Changes:
    """Methods of `Tensor`."""

    __slots__ = ()

    def copy_(self: Any, other: Any) -> Tensor:
        """Copy numbers, converted to this tensor's dtype and repeated to its shape."""
        other = self._assigned("copy_", other)
        self._writable("copy_")[...] = other
        return self

    def fill_(self: Any, value: float) -> Tensor:
        return self.copy_(value)

    def zero_(self: Any) -> Tensor:
        return self.copy_(0)

    @function
    def fill_diagonal_(self: Any, fill_value: float, wrap: bool = False) -> Tensor:
        """x[i, i, ..., i] = fill_value.

        Args:
            fill_value: a number.
            wrap: whether the diagonal of a tall matrix (N, C) starts again after C + 1 rows.
        """
        if self.ndim < 2 or (self.ndim > 2 and len(set(self.shape)) > 1):
            raise ValueError(
                f"fill_diagonal_: shape {self.shape} must have two axes, or more of one size"
            )
        rows, columns = self.shape[0], self.shape[-1]
        period = columns + 1 if wrap and self.ndim == 2 else max(rows, 1)
        places = [i for i in range(rows) if i % period < columns]
        index = (places, *[[i % period for i in places]] * (self.ndim - 1))
        self._writable("fill_diagonal_")[index] = fill_value
        return self

    # --- another shape for the same memory ---

    def _reshaped(self: Any, name: str, view: Tensor) -> Tensor:
        self._writable(name)
        self._data = view._data
        return self

    def squeeze_(self: Any, dim: Any = None) -> Tensor:
        x = self.detach()
        return self._reshaped("squeeze_", x.squeeze() if dim is None else x.squeeze(dim))

    def unsqueeze_(self: Any, dim: int) -> Tensor:
        return self._reshaped("unsqueeze_", self.detach().unsqueeze(dim))

    def transpose_(self: Any, dim0: int, dim1: int) -> Tensor:
        return self._reshaped("transpose_", self.detach().transpose(dim0, dim1))

    swapaxes_ = swapdims_ = transpose_

    def t_(self: Any) -> Tensor:
        return self._reshaped("t_", self.detach().t())

    def detach_(self: Any) -> Tensor:
        """Take the tensor out of the graph, and return it."""
        self._source, self._requires_grad = None, False
        return self

    # --- functions written into the tensor ---

    abs_ = in_place(operators.abs)
    absolute_ = in_place(operators.absolute)
    add_ = in_place(operators.add)
    addcdiv_ = in_place(operators.addcdiv)
    addcmul_ = in_place(operators.addcmul)
    div_ = in_place(operators.div)
    divide_ = in_place(operators.divide)
    floor_divide_ = in_place(operators.floor_divide)
    fmod_ = in_place(operators.fmod)
    lerp_ = in_place(operators.lerp)
    mul_ = in_place(operators.mul)
    multiply_ = in_place(operators.multiply)
    neg_ = in_place(operators.neg)
    negative_ = in_place(operators.negative)
    remainder_ = in_place(operators.remainder)
    sub_ = in_place(operators.sub)
    subtract_ = in_place(operators.subtract)
    true_divide_ = in_place(operators.true_divide)

    exp_ = in_place(pointwise.exp)
    exp2_ = in_place(pointwise.exp2)
    expm1_ = in_place(pointwise.expm1)
    float_power_ = in_place(pointwise.float_power)
    log_ = in_place(pointwise.log)
    log10_ = in_place(pointwise.log10)
    log1p_ = in_place(pointwise.log1p)
    log2_ = in_place(pointwise.log2)
    pow_ = in_place(pointwise.pow)
    reciprocal_ = in_place(pointwise.reciprocal)
    relu_ = in_place(pointwise.relu)
    rsqrt_ = in_place(pointwise.rsqrt)
    sqrt_ = in_place(pointwise.sqrt)
    square_ = in_place(pointwise.square)

    acos_ = in_place(angles.acos)
    acosh_ = in_place(angles.acosh)
    arccos_ = in_place(angles.arccos)
    arccosh_ = in_place(angles.arccosh)
    arcsin_ = in_place(angles.arcsin)
    arcsinh_ = in_place(angles.arcsinh)
    arctan_ = in_place(angles.arctan)
    arctan2_ = in_place(angles.arctan2)
    arctanh_ = in_place(angles.arctanh)
    asin_ = in_place(angles.asin)
    asinh_ = in_place(angles.asinh)
    atan_ = in_place(angles.atan)
    atan2_ = in_place(angles.atan2)
    atanh_ = in_place(angles.atanh)
    cos_ = in_place(angles.cos)
    cosh_ = in_place(angles.cosh)
    deg2rad_ = in_place(angles.deg2rad)
    hypot_ = in_place(angles.hypot)
    rad2deg_ = in_place(angles.rad2deg)
    sin_ = in_place(angles.sin)
    sinc_ = in_place(angles.sinc)
    sinh_ = in_place(angles.sinh)
    tan_ = in_place(angles.tan)
    tanh_ = in_place(angles.tanh)

    digamma_ = in_place(special.digamma)
    erf_ = in_place(special.erf)
    erfc_ = in_place(special.erfc)
    erfinv_ = in_place(special.erfinv)
    lgamma_ = in_place(special.lgamma)
    logit_ = in_place(special.logit)
    sigmoid_ = in_place(special.sigmoid)
    xlogy_ = in_place(special.xlogy)

    clamp_ = in_place(bounds.clamp)
    clamp_max_ = in_place(bounds.clamp_max)
    clamp_min_ = in_place(bounds.clamp_min)
    clip_ = in_place(bounds.clip)
    nan_to_num_ = in_place(bounds.nan_to_num)

    ceil_ = in_place(rounding.ceil)
    copysign_ = in_place(rounding.copysign)
    fix_ = in_place(rounding.fix)
    floor_ = in_place(rounding.floor)
    frac_ = in_place(rounding.frac)
    heaviside_ = in_place(rounding.heaviside)
    round_ = in_place(rounding.round)
    sgn_ = in_place(rounding.sgn)
    sign_ = in_place(rounding.sign)
    trunc_ = in_place(rounding.trunc)

    bitwise_and_ = in_place(logical.bitwise_and)
    bitwise_left_shift_ = in_place(logical.bitwise_left_shift)
    bitwise_not_ = in_place(logical.bitwise_not)
    bitwise_or_ = in_place(logical.bitwise_or)
    bitwise_right_shift_ = in_place(logical.bitwise_right_shift)
    bitwise_xor_ = in_place(logical.bitwise_xor)
    gcd_ = in_place(logical.gcd)
    lcm_ = in_place(logical.lcm)
    logical_and_ = in_place(logical.logical_and)
    logical_not_ = in_place(logical.logical_not)
    logical_or_ = in_place(logical.logical_or)
    logical_xor_ = in_place(logical.logical_xor)

    cumprod_ = in_place(scans.cumprod)
    cumsum_ = in_place(scans.cumsum)

    renorm_ = in_place(norms.renorm)

    addbmm_ = in_place(products.addbmm)
    addmm_ = in_place(products.addmm)
    addmv_ = in_place(products.addmv)
    addr_ = in_place(products.addr)
    baddbmm_ = in_place(products.baddbmm)

    tril_ = in_place(diagonals.tril)
    triu_ = in_place(diagonals.triu)

    eq_ = in_place(comparing.eq)
    ge_ = in_place(comparing.ge)
    greater_ = in_place(comparing.greater)
    greater_equal_ = in_place(comparing.greater_equal)
    gt_ = in_place(comparing.gt)
    le_ = in_place(comparing.le)
    less_ = in_place(comparing.less)
    less_equal_ = in_place(comparing.less_equal)
    lt_ = in_place(comparing.lt)
    ne_ = in_place(comparing.ne)
    not_equal_ = in_place(comparing.not_equal)

    index_reduce_ = in_place(scattering.index_reduce)

    put_ = in_place(gathering.put)
