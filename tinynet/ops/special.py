"""Special functions: the complement and the inverse of erf, the logarithm of gamma."""

from __future__ import annotations

import math
from typing import Any

from tinynet import backend
from tinynet.autograd import Op
from tinynet.backend import array_module
from tinynet.ops.elementary import exp


@Op
def erfc(x: Any) -> Any:
    """y = erfc x = 1 - erf x, with full relative precision for large x.

    Derivation: dy = -2/sqrt(pi) e^(-x^2) dx, so <gy, dy> = <-gy 2/sqrt(pi) e^(-x^2), dx>.
        gx = gy * (exp(-(x * x)) * (-2.0 / math.sqrt(math.pi)))
    Jacobian: diagonal.
    Kinks: none.
    Cost: n error functions forward, n exponentials and 3n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 7.10.
    """
    return backend.special("erfc", x)


@erfc.rule("x")
def erfc_gx(gy: Any, x: Any) -> Any:
    return gy * (exp(-(x * x)) * (-2.0 / math.sqrt(math.pi)))


@Op
def erfinv(x: Any) -> Any:
    """y = the number with erf y = x, for x from -1 to 1.

    Derivation: erf y = x, so 2/sqrt(pi) e^(-y^2) dy = dx, and
        <gy, dy> = <gy sqrt(pi)/2 e^(y^2), dx>.
        gx = gy * (exp(y * y) * (math.sqrt(math.pi) / 2.0))
    Jacobian: diagonal.
    Kinks: at x = -1 and x = 1 the value is -Inf and Inf, the derivative Inf; NaN beyond.
    Cost: n inverse error functions forward, n exponentials and 3n products backward; keeps y.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 7.17.
    """
    return backend.special("erfinv", x)


@erfinv.rule("x")
def erfinv_gx(gy: Any, y: Any) -> Any:
    return gy * (exp(y * y) * (math.sqrt(math.pi) / 2.0))


@Op
def lgamma(x: Any) -> Any:
    """y = ln |Gamma(x)|.

    Derivation: dy = Gamma'(x)/Gamma(x) dx = digamma(x) dx, so <gy, dy> = <gy digamma(x), dx>.
        gx = gy * digamma(x)
    Jacobian: diagonal, diag(digamma(x)).
    Kinks: none; poles (Inf) at 0, -1, -2, ..., where digamma is NaN (-Inf at 0).
    Cost: n logarithms of gamma forward, n digammas and n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 5.2(i).
    """
    y = backend.special("gammaln", x)
    return array_module(y).where(x == -math.inf, math.inf, y)  # SciPy has -Inf, C and PyTorch Inf


@lgamma.rule("x")
def lgamma_gx(gy: Any, x: Any) -> Any:
    return gy * digamma(x)


@Op
def digamma(x: Any) -> Any:
    """y = psi(x), the derivative of ln |Gamma(x)|.

    Derivation: dy = psi'(x) dx = polygamma(x, 1) dx, so <gy, dy> = <gy polygamma(x, 1), dx>.
        gx = gy * polygamma(x, n=1)
    Jacobian: diagonal.
    Kinks: none; poles at 0, -1, -2, ...: -Inf at 0, NaN at the others.
    Cost: n digammas forward, n polygammas and n products backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, section 5.2(i).
    """
    return backend.special("digamma", x)


@digamma.rule("x")
def digamma_gx(gy: Any, x: Any) -> Any:
    return gy * polygamma(x, n=1)


@Op
def polygamma(x: Any, *, n: int) -> Any:
    """y = psi^(n)(x) = (-1)^(n+1) n! zeta(n + 1, x), the n-th derivative of digamma, n >= 1.

    Derivation: dy = psi^(n+1)(x) dx, so <gy, dy> = <gy polygamma(x, n + 1), dx>.
        gx = gy * polygamma(x, n=n + 1)
    Jacobian: diagonal.
    Kinks: none; poles at 0, -1, -2, ...
    Cost: n zeta functions forward and backward; keeps x.
    Shapes: any; dtype of x.
    Source: NIST Digital Library of Mathematical Functions, eq. 25.11.12.
    """
    return backend.special("zeta", x, n + 1.0) * ((-1.0) ** (n + 1) * math.factorial(n))


@polygamma.rule("x")
def polygamma_gx(gy: Any, x: Any, n: int) -> Any:
    return gy * polygamma(x, n=n + 1)
