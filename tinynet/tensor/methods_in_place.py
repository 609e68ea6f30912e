"""The functions of tinynet that are methods of `Tensor` in place too: a table, family by family.

``acos_ = in_place(angles.acos)`` says that ``x.acos_()`` writes ``tinynet.acos(x)`` into x. Those
whose result has no gradient of its own to give, such as `index_fill_`, are functions themselves, in
`tinynet.tensor.methods`.
"""

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


class MethodsInPlace:
    """Methods of `Tensor`."""

    __slots__ = ()

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
