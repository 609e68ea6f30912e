"""Elementwise arithmetic and selection: + - * / abs, maximum, minimum, where, clamp."""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Op, raw
from tinynet.backend import array_module
from tinynet.ops.broadcast import Elementwise


@Elementwise
def add(a: Any, b: Any) -> Any:
    """y = a + b.

    Derivation: dy = da + db, so <gy, dy> = <gy, da> + <gy, db>.
        ga = gy
        gb = gy
    Jacobian: the identity for each input (after broadcasting).
    Kinks: none; linear.
    Cost: n additions forward, none backward; keeps nothing.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    return a + b


@add.rule("a")
def add_ga(gy: Any) -> Any:
    return gy


@add.rule("b")
def add_gb(gy: Any) -> Any:
    return gy


@Elementwise
def sub(a: Any, b: Any) -> Any:
    """y = a - b.

    Derivation: dy = da - db, so <gy, dy> = <gy, da> + <-gy, db>.
        ga = gy
        gb = -gy
    Jacobian: the identity for a, minus the identity for b.
    Kinks: none; linear.
    Cost: n subtractions forward, n negations backward for b; keeps nothing.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    return a - b


@sub.rule("a")
def sub_ga(gy: Any) -> Any:
    return gy


@sub.rule("b")
def sub_gb(gy: Any) -> Any:
    return -gy


@Elementwise
def mul(a: Any, b: Any) -> Any:
    """y = a b.

    Derivation: dy = b da + a db, so <gy, dy> = <gy b, da> + <gy a, db>.
        ga = gy * b
        gb = gy * a
    Jacobian: diagonal: diag(b) for a and diag(a) for b.
    Kinks: none; bilinear.
    Cost: n products forward, n backward for each input; keeps b for ga and a for gb.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    return a * b


@mul.rule("a")
def mul_ga(gy: Any, b: Any) -> Any:
    return gy * b


@mul.rule("b")
def mul_gb(gy: Any, a: Any) -> Any:
    return gy * a


@Elementwise
def div(a: Any, b: Any) -> Any:
    """y = a / b.

    Derivation: dy = da / b - (a / b^2) db, so <gy, dy> = <gy / b, da> + <-gy y / b, db>.
        ga = gy / b
        gb = -(gy * y) / b
    Jacobian: diagonal, diag(1/b) by a and diag(-y/b) by b.
    Kinks: none where b != 0; at b = 0 the value is Inf or NaN, by IEEE 754.
    Cost: n divisions forward, n backward for a and 3n for b; keeps b, and y for gb.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    return a / b


@div.rule("a")
def div_ga(gy: Any, b: Any) -> Any:
    return gy / b


@div.rule("b")
def div_gb(gy: Any, b: Any, y: Any) -> Any:
    return -(gy * y) / b


@Op
def neg(x: Any) -> Any:
    """y = -x.

    Derivation: dy = -dx, so <gy, dy> = <-gy, dx>.
        gx = -gy
    Jacobian: minus the identity.
    Kinks: none; linear.
    Cost: n negations forward and backward; keeps nothing.
    Shapes: any; dtype of x. Errors: TypeError for booleans, as in NumPy.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    return -x


@neg.rule("x")
def neg_gx(gy: Any) -> Any:
    return -gy


@Op
def abs(x: Any) -> Any:
    """y = |x|.

    Derivation: dy = sign(x) dx, so <gy, dy> = <gy sign(x), dx>.
        gx = gy * array_module(raw(x)).sign(raw(x))
    Jacobian: diagonal, of signs.
    Kinks: at 0 the subdifferential is [-1, 1]; 0 is taken, its element of smallest magnitude.
    Cost: n forward, 2n backward; keeps x.
    Shapes: any; dtype of x.
    Source: R. T. Rockafellar, Convex Analysis (1970), section 23.
    """
    return array_module(x).abs(x)


@abs.rule("x")
def abs_gx(gy: Any, x: Any) -> Any:
    return gy * array_module(raw(x)).sign(raw(x))


@Elementwise
def maximum(a: Any, b: Any) -> Any:
    """y = max(a, b).

    Derivation: dy = da where a > b and db where b > a, so <gy, dy> = <gy [a > b], da> + ...
        ga = where(raw(a) > raw(b), gy, where(raw(a) == raw(b), gy * 0.5, 0.0))
        gb = maximum_ga(gy, b, a)
    Jacobian: diagonal, with entries 0 and 1.
    Kinks: where a = b the subdifferential is every s da + (1 - s) db with s in [0, 1]. s = 1/2 is
        used: it is symmetric in a and b, and the gradients still add up to gy.
    Cost: n comparisons forward, 5n backward for each input; keeps a and b.
    Shapes: a, b broadcast to y; dtype: the wider of both. A NaN in a or b makes y NaN and both
        gradients 0 there. Errors: ValueError if the shapes do not broadcast.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), prop. 2.3.12.
    """
    return array_module(a, b).maximum(a, b)


@maximum.rule("a")
def maximum_ga(gy: Any, a: Any, b: Any) -> Any:
    return where(raw(a) > raw(b), gy, where(raw(a) == raw(b), gy * 0.5, 0.0))


@maximum.rule("b")
def maximum_gb(gy: Any, a: Any, b: Any) -> Any:
    return maximum_ga(gy, b, a)


@Elementwise
def minimum(a: Any, b: Any) -> Any:
    """y = min(a, b).

    Derivation: dy = da where a < b and db where b < a, so <gy, dy> = <gy [a < b], da> + ...
        ga = where(raw(a) < raw(b), gy, where(raw(a) == raw(b), gy * 0.5, 0.0))
        gb = minimum_ga(gy, b, a)
    Jacobian: diagonal, with entries 0 and 1.
    Kinks: where a = b each input gets half of gy, as in `maximum`.
    Cost: n comparisons forward, 5n backward for each input; keeps a and b.
    Shapes: a, b broadcast to y; dtype: the wider of both. A NaN in a or b makes y NaN and both
        gradients 0 there. Errors: ValueError if the shapes do not broadcast.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), prop. 2.3.12.
    """
    return array_module(a, b).minimum(a, b)


@minimum.rule("a")
def minimum_ga(gy: Any, a: Any, b: Any) -> Any:
    return where(raw(a) < raw(b), gy, where(raw(a) == raw(b), gy * 0.5, 0.0))


@minimum.rule("b")
def minimum_gb(gy: Any, a: Any, b: Any) -> Any:
    return minimum_ga(gy, b, a)


@Elementwise
def where(condition: Any, a: Any, b: Any) -> Any:
    """y = a where `condition`, b elsewhere.

    Derivation: dy = [c] da + [not c] db, so <gy, dy> = <[c] gy, da> + <[not c] gy, db>.
        ga = where(raw(condition), gy, 0.0)
        gb = where(raw(condition), 0.0, gy)
    Jacobian: diagonal, of zeros and ones, complementary.
    Kinks: the condition is a constant. The branch not taken receives the gradient 0, and the rules
        behind it multiply that: where(x > 0, sqrt(x), 0) gives 0 * Inf = NaN at x = 0. Mask the
        input as well: where(x > 0, sqrt(where(x > 0, x, 1)), 0).
    Cost: n selections forward, n backward for each input; keeps the condition.
    Shapes: condition (boolean), a, b broadcast to y; dtype: the wider of a and b.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 14.1.
    """
    return array_module(condition, a, b).where(condition, a, b)


@where.rule("a")
def where_ga(gy: Any, condition: Any) -> Any:
    return where(raw(condition), gy, 0.0)


@where.rule("b")
def where_gb(gy: Any, condition: Any) -> Any:
    return where(raw(condition), 0.0, gy)


@Op
def clamp(x: Any, *, min: float | None = None, max: float | None = None) -> Any:
    """y = min(max(x, lo), hi), where lo and hi are the options `min` and `max`.

    Derivation: dy = dx where lo <= x <= hi, else 0, so <gy, dy> = <gy [lo <= x <= hi], dx>.
        gx = where(inside, gy, 0.0)
    Jacobian: diagonal, of zeros and ones.
    Kinks: at x = lo and x = hi the subdifferential is [0, 1]; 1 is taken, as in PyTorch, so that
        a value on the bound can move back inside.
    Cost: 2n comparisons forward, 4n backward; keeps x.
    Shapes: any; dtype of x. If lo > hi every y is hi. Errors: ValueError if both bounds are None.
    Source: F. H. Clarke, Optimization and Nonsmooth Analysis (1983), prop. 2.3.12.
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    return array_module(x).clip(x, min, max)


@clamp.rule("x")
def clamp_gx(gy: Any, x: Any, min: float | None, max: float | None) -> Any:
    if min is None:
        inside = raw(x) <= max
    elif max is None:
        inside = raw(x) >= min
    else:
        inside = (raw(x) >= min) & (raw(x) <= max)
    return where(inside, gy, 0.0)
