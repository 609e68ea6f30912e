"""Elementwise functions: exp, log, pow, sqrt, sin, cos, tanh, erf and activations.

Every Jacobian here is diagonal, so each rule multiplies the cotangent by a derivative. If the
derivative is simple in y, the rule keeps the output instead of the input: the next layer keeps
an activation's output anyway.
"""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend
from tinynet.autograd import Op, raw
from tinynet.backend import array_module, quiet_underflow
from tinynet.kernels import elementwise
from tinynet.ops.arithmetic import where
from tinynet.ops.broadcast import Elementwise


@Op
def exp(x: Any) -> Any:
    """y = e^x.

    Derivation: dy = e^x dx = y dx, so <gy, dy> = <gy y, dx>.
        gx = gy * y
    Jacobian: diagonal, diag(y).
    Kinks: none. Overflows to Inf above 88.7 in float32 and 709.7 in float64.
    Cost: n exponentials forward, n products backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(ii).
    """
    return array_module(x).exp(x)


@exp.rule("x")
def exp_gx(gy: Any, y: Any) -> Any:
    return gy * y


@Op
def log(x: Any) -> Any:
    """y = ln x.

    Derivation: dy = dx / x, so <gy, dy> = <gy / x, dx>.
        gx = gy / x
    Jacobian: diagonal, diag(1/x).
    Kinks: ln 0 = -Inf with derivative Inf; NaN below 0. Use `log_softmax` or a loss on logits
        instead of the logarithm of a probability.
    Cost: n logarithms forward, n divisions backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(i).
    """
    return array_module(x).log(x)


@log.rule("x")
def log_gx(gy: Any, x: Any) -> Any:
    return gy / x


@Elementwise
def pow(a: Any, b: Any) -> Any:
    """y = a^b.

    Derivation: dy = b a^(b-1) da + y ln(a) db, so <gy, dy> = <gy b a^(b-1), da> + <gy y ln a, db>.
        ga = gy * (b * where(zero, 1.0, a) ** (b - 1))
        gb = gy * where(zero, 0.0, y * log(where(zero, 1.0, a)))
    Jacobian: diagonal for each input.
    Kinks: a^0 is 1 everywhere, also at a = 0, so dy/da is 0 there (the formula gives 0 * Inf).
        At a = 0, dy/db is 0 for b > 0 and -Inf for b < 0; at b = 0 it does not exist, and 0 is
        used to keep gradients finite. For a < 0 the power is defined for integer b only, and
        dy/db is NaN.
    Cost: n powers forward; n powers backward for a, n logarithms for b; keeps a, b, and y for gb.
    Shapes: a, b broadcast to y; dtype: the wider of the two.
    Errors: ValueError if the shapes do not broadcast.
    Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 2.3.
    """
    if backend.is_array(a) and a.dtype.kind == "b" and isinstance(b, int):
        a = a.astype("int64")  # NumPy takes int8
    return a**b


@pow.rule("a")
def pow_ga(gy: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):  # the common case, x**2, needs no masks
        return gy * (b * a ** (b - 1)) if b != 0 else gy * 0.0
    # mask only where both are 0: elsewhere b a^(b-1) and its derivative dy/db are right at b = 0
    zero = (raw(b) == 0) & (raw(a) == 0)
    return gy * (b * where(zero, 1.0, a) ** (b - 1))


@pow.rule("b")
def pow_gb(gy: Any, a: Any, b: Any, y: Any) -> Any:
    if isinstance(a, int | float):
        # a Python number has no dtype: use the output's
        a = array_module(raw(y)).full_like(raw(y), a)
    zero = (raw(a) == 0) & (raw(b) >= 0)
    return gy * where(zero, 0.0, y * log(where(zero, 1.0, a)))


@Op
def sqrt(x: Any) -> Any:
    """y = x^(1/2).

    Derivation: y^2 = x, so 2y dy = dx and <gy, dy> = <gy / (2y), dx>.
        gx = gy / (y * 2.0)
    Jacobian: diagonal, diag(1/(2y)).
    Kinks: at 0 the derivative is Inf and is returned as such (NaN where gy is 0): no finite number
        is right. For a length use `norm`, which is finite at 0; under `where`, mask the input.
    Cost: n roots forward, 2n backward; keeps y.
    Shapes: any; dtype of x. NaN below 0.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(ii).
    """
    return array_module(x).sqrt(x)


@sqrt.rule("x")
def sqrt_gx(gy: Any, y: Any) -> Any:
    return gy / (y * 2.0)


@Op
def sin(x: Any) -> Any:
    """y = sin x, x in radians.

    Derivation: dy = cos(x) dx, so <gy, dy> = <gy cos(x), dx>.
        gx = gy * cos(x)
    Jacobian: diagonal, diag(cos x).
    Kinks: none.
    Cost: n sines forward, n cosines and n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.20.
    """
    return array_module(x).sin(x)


@sin.rule("x")
def sin_gx(gy: Any, x: Any) -> Any:
    return gy * cos(x)


@Op
def cos(x: Any) -> Any:
    """y = cos x, x in radians.

    Derivation: dy = -sin(x) dx, so <gy, dy> = <-gy sin(x), dx>.
        gx = -(gy * sin(x))
    Jacobian: diagonal, diag(-sin x).
    Kinks: none.
    Cost: n cosines forward, n sines and 2n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.20.
    """
    return array_module(x).cos(x)


@cos.rule("x")
def cos_gx(gy: Any, x: Any) -> Any:
    return -(gy * sin(x))


@Op
def tanh(x: Any) -> Any:
    """y = tanh x = (e^x - e^-x) / (e^x + e^-x).

    Derivation: dy = (1 - tanh(x)^2) dx, so <gy, dy> = <gy (1 - y^2), dx>.
        gx = gy * (1.0 - y * y)
    Jacobian: diagonal, diag(1 - y^2).
    Kinks: none.
    Cost: n hyperbolic tangents forward, 3n backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.34.
    """
    return array_module(x).tanh(x)


@tanh.rule("x")
def tanh_gx(gy: Any, y: Any) -> Any:
    return gy * (1.0 - y * y)


@Op
def erf(x: Any) -> Any:
    """y = erf x = 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    Derivation: by the fundamental theorem dy = 2/sqrt(pi) e^(-x^2) dx, so
        <gy, dy> = <gy 2/sqrt(pi) e^(-x^2), dx>.
        gx = gy * (exp(-(x * x)) * (2.0 / math.sqrt(math.pi)))
    Jacobian: diagonal.
    Kinks: none.
    Cost: n error functions forward, n exponentials and 3n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 7.10.
    """
    return backend.special("erf", x)


@erf.rule("x")
def erf_gx(gy: Any, x: Any) -> Any:
    return gy * (exp(-(x * x)) * (2.0 / math.sqrt(math.pi)))


def exp_minus_abs(x: Any) -> Any:
    """e^-|x| as an array; it is at most 1."""
    xp, x = array_module(x), backend.array_of(x)
    if x.dtype.kind != "f":  # integers wrap: -5 of uint16 is 65531, |-128| of int8 is -128
        x = x.astype(xp.result_type(x, xp.float32))
    return xp.exp(-xp.abs(x))


@Op
def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + e^-x).

    Derivation: dy = e^-x / (1 + e^-x)^2 dx = y (1 - y) dx, so <gy, dy> = <gy y (1 - y), dx>.
        gx = gy * (y * (1.0 - y))
    Jacobian: diagonal, diag(y (1 - y)).
    Kinks: none. 1 + e^-x keeps the precision of a large e^-x, so y has full relative precision in
        both tails, until e^-x overflows and y is 0: below -88.7 in float32, -709.7 in float64.
    Cost: n exponentials and 3n forward, 3n backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 4.7(ii), by the chain rule.
    """
    # one call, silent where e^-x overflows; for few numbers it takes a tenth of the time
    return backend.special("expit", x)


@sigmoid.rule("x")
def sigmoid_gx(gy: Any, y: Any) -> Any:
    return gy * (y * (1.0 - y))


@Op
@quiet_underflow
def softplus(x: Any) -> Any:
    """y = ln(1 + e^x), computed as max(x, 0) + ln(1 + e^-|x|), which never overflows.

    Derivation: dy = e^x / (1 + e^x) dx = sigmoid(x) dx, so <gy, dy> = <gy sigmoid(x), dx>.
        gx = gy * sigmoid(x)
    Jacobian: diagonal, diag(sigmoid(x)).
    Kinks: none: the kinks of the two terms it is computed from cancel.
    Cost: n exponentials and logarithms forward, n sigmoids backward; keeps x.
    Shapes: any; dtype of x.
    Source: C. Dugas et al., Incorporating second-order functional knowledge (NIPS 2000), eq. 3.
    """
    xp = array_module(x)
    return xp.maximum(x, 0.0) + xp.log1p(exp_minus_abs(x))


@softplus.rule("x")
def softplus_gx(gy: Any, x: Any) -> Any:
    return gy * sigmoid(x)


@Op
def relu(x: Any) -> Any:
    """y = max(x, 0).

    Derivation: dy = [x > 0] dx, and y > 0 exactly where x > 0, so <gy, dy> = <gy [y > 0], dx>.
        gx = gated(gy, gate=raw(y))
    Jacobian: diagonal, of zeros and ones.
    Kinks: at 0 the subdifferential is [0, 1]; 0 is taken: an inactive unit passes no gradient (for
        Inf and NaN see `gated`).
    Cost: n comparisons forward, 2n backward; keeps y.
    Shapes: any; dtype of x; NaN stays NaN.
    Source: V. Nair and G. Hinton, Rectified linear units improve restricted Boltzmann machines
        (ICML 2010).
    """
    return elementwise.relu(x)


@relu.rule("x")
def relu_gx(gy: Any, y: Any) -> Any:
    return gated(gy, gate=raw(y))


@Op
def gated(x: Any, *, gate: Any) -> Any:
    """y = x [gate > 0]: x where the gate is positive, 0 elsewhere.

    Derivation: dy = dx [gate > 0], so <gy, dy> = <gy [gate > 0], dx>: self-adjoint.
        gx = gated(gy, gate=gate)
    Jacobian: diagonal, of zeros and ones.
    Kinks: none; linear, the gate is constant. (Inf or NaN in x gives 0 * Inf = NaN where the gate
        is closed: the run is lost anyway, and a selection would cost ten times as much.)
    Cost: n comparisons and products forward and backward; keeps the gate.
    Shapes: x and gate have the same shape; dtype of x.
    Source: V. Nair and G. Hinton, Rectified linear units improve restricted Boltzmann machines
        (ICML 2010).
    """
    return elementwise.gate(x, gate)


@gated.rule("x")
def gated_gx(gy: Any, gate: Any) -> Any:
    return gated(gy, gate=gate)


@Op
def leaky_relu(x: Any, *, negative_slope: float = 0.01) -> Any:
    """y = x for x > 0, s x otherwise, where s is `negative_slope`.

    Derivation: dy = ([x > 0] + s [x <= 0]) dx, so <gy, dy> = <gy or s gy, dx>.
        gx = where(raw(x) > 0, gy, gy * negative_slope)
    Jacobian: diagonal, of ones and s.
    Kinks: at 0 the subdifferential is the interval from s to 1; s is taken, as for `relu`.
    Cost: 3n forward and backward; keeps x.
    Shapes: any; dtype of x.
    Source: A. Maas, A. Hannun and A. Ng, Rectifier nonlinearities improve neural network acoustic
        models (ICML 2013), section 2.
    """
    return array_module(x).where(x > 0, x, x * negative_slope)


@leaky_relu.rule("x")
def leaky_relu_gx(gy: Any, x: Any, negative_slope: float) -> Any:
    return where(raw(x) > 0, gy, gy * negative_slope)


@Op
def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """y = x for x > 0, alpha (e^x - 1) otherwise.

    Derivation: dy = dx for x > 0, alpha e^x dx otherwise, so <gy, dy> = <gy (1 or alpha e^x), dx>.
        gx = where(positive, gy, gy * (exp(where(positive, 0.0, x)) * alpha))
    Jacobian: diagonal.
    Kinks: at 0, unless alpha is 1, the subdifferential is the interval from alpha to 1; alpha is
        taken, the slope of the branch that contains 0.
    Cost: n exponentials forward and backward; keeps x.
    Shapes: any; dtype of x.
    Source: D.-A. Clevert, T. Unterthiner and S. Hochreiter, arXiv:1511.07289, eq. 15.
    """
    xp = array_module(x)
    # clip x: the exponential of a large x would overflow in the branch not taken
    return xp.where(x > 0, x, xp.expm1(xp.minimum(x, 0.0)) * alpha)


@elu.rule("x")
def elu_gx(gy: Any, x: Any, alpha: float) -> Any:
    positive = raw(x) > 0
    return where(positive, gy, gy * (exp(where(positive, 0.0, x)) * alpha))
