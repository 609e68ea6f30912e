"""Exponentials and logarithms beside exp and log: e^x - 1, other bases, sums of exponentials.

Each has an accurate function of its own. As a composition it would lose digits: log(1 + x) rounds
a small x away, and exp(x ln 2) multiplies the rounding of x ln 2 by |x|.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet.autograd import Op
from tinynet.backend import array_module
from tinynet.ops.broadcast import Elementwise
from tinynet.ops.elementary import exp, sigmoid


@Op
def expm1(x: Any) -> Any:
    """y = e^x - 1, accurate near x = 0.

    Derivation: dy = e^x dx, so <gy, dy> = <gy e^x, dx>. The rule takes e^x from x, since y + 1
        has lost its digits where y is near -1.
        gx = gy * exp(x)
    Jacobian: diagonal, diag(e^x).
    Kinks: none.
    Cost: n exponentials forward, n exponentials and products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(ii).
    """
    return array_module(x).expm1(x)


@expm1.rule("x")
def expm1_gx(gy: Any, x: Any) -> Any:
    return gy * exp(x)


@Op
def log1p(x: Any) -> Any:
    """y = ln(1 + x), accurate near x = 0.

    Derivation: dy = dx / (1 + x), so <gy, dy> = <gy / (1 + x), dx>.
        gx = gy / (x + 1.0)
    Jacobian: diagonal, diag(1/(1 + x)).
    Kinks: -Inf at x = -1, with derivative Inf; NaN below, as for `log`.
    Cost: n logarithms forward, 2n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(i).
    """
    return array_module(x).log1p(x)


@log1p.rule("x")
def log1p_gx(gy: Any, x: Any) -> Any:
    return gy / (x + 1.0)


@Op
def exp2(x: Any) -> Any:
    """y = 2^x.

    Derivation: dy = ln(2) 2^x dx, so <gy, dy> = <gy y ln 2, dx>.
        gx = gy * (y * math.log(2.0))
    Jacobian: diagonal, diag(y ln 2).
    Kinks: none. Overflows to Inf at 128 in float32 and at 1024 in float64.
    Cost: n exponentials forward, 2n products backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(ii).
    """
    return array_module(x).exp2(x)


@exp2.rule("x")
def exp2_gx(gy: Any, y: Any) -> Any:
    return gy * (y * math.log(2.0))


@Op
def log2(x: Any) -> Any:
    """y = log2 x = ln x / ln 2, exact at powers of two.

    Derivation: dy = dx / (x ln 2), so <gy, dy> = <gy / (x ln 2), dx>.
        gx = gy / (x * math.log(2.0))
    Jacobian: diagonal, diag(1/(x ln 2)).
    Kinks: -Inf at 0 with derivative Inf, NaN below, as for `log`.
    Cost: n logarithms forward, 2n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(i).
    """
    return array_module(x).log2(x)


@log2.rule("x")
def log2_gx(gy: Any, x: Any) -> Any:
    return gy / (x * math.log(2.0))


@Op
def log10(x: Any) -> Any:
    """y = log10 x = ln x / ln 10, exact at powers of ten.

    Derivation: dy = dx / (x ln 10), so <gy, dy> = <gy / (x ln 10), dx>.
        gx = gy / (x * math.log(10.0))
    Jacobian: diagonal, diag(1/(x ln 10)).
    Kinks: -Inf at 0 with derivative Inf, NaN below, as for `log`.
    Cost: n logarithms forward, 2n backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(i).
    """
    return array_module(x).log10(x)


@log10.rule("x")
def log10_gx(gy: Any, x: Any) -> Any:
    return gy / (x * math.log(10.0))


@Elementwise
def logaddexp(a: Any, b: Any) -> Any:
    """y = ln(e^a + e^b), without overflow.

    Derivation: dy = (e^a da + e^b db) / (e^a + e^b) = sigmoid(a - b) da + sigmoid(b - a) db.
        ga = gy * sigmoid(a - b)
        gb = gy * sigmoid(b - a)
    Jacobian: diagonal for each input; the two add up to 1.
    Kinks: none; where a and b are the same infinity the gradients are NaN.
    Cost: n exponentials and logarithms forward, n sigmoids and 2n backward for each input; keeps
        a and b.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: P. Blanchard, D. Higham and N. Higham, IMA J. Numer. Anal. 41 (2021) 2311, eq. 1.3.
    """
    return array_module(a, b).logaddexp(a, b)


@logaddexp.rule("a")
def logaddexp_ga(gy: Any, a: Any, b: Any) -> Any:
    return gy * sigmoid(a - b)


@logaddexp.rule("b")
def logaddexp_gb(gy: Any, a: Any, b: Any) -> Any:
    return gy * sigmoid(b - a)


@Elementwise
def logaddexp2(a: Any, b: Any) -> Any:
    """y = log2(2^a + 2^b), without overflow.

    Derivation: dy = (2^a da + 2^b db) / (2^a + 2^b), where 2^a / (2^a + 2^b) =
        1 / (1 + 2^(b - a)) = sigmoid((a - b) ln 2).
        ga = gy * sigmoid((a - b) * math.log(2.0))
        gb = gy * sigmoid((b - a) * math.log(2.0))
    Jacobian: diagonal for each input; the two add up to 1.
    Kinks: none; where a and b are the same infinity the gradients are NaN.
    Cost: n exponentials and logarithms forward, n sigmoids and 3n backward for each input; keeps
        a and b.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: P. Blanchard, D. Higham and N. Higham, IMA J. Numer. Anal. 41 (2021) 2311, eq. 1.3.
    """
    return array_module(a, b).logaddexp2(a, b)


@logaddexp2.rule("a")
def logaddexp2_ga(gy: Any, a: Any, b: Any) -> Any:
    return gy * sigmoid((a - b) * math.log(2.0))


@logaddexp2.rule("b")
def logaddexp2_gb(gy: Any, a: Any, b: Any) -> Any:
    return gy * sigmoid((b - a) * math.log(2.0))
