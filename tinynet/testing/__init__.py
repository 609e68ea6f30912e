"""Tests of derivatives, for tinynet's operations, layers and losses and for your own.

* `check_grads` compares a function or Module with finite differences, to second order.
* `check_adjoint` compares a linear map with its transpose, to rounding.
* `taylor_test` and `check_hessian_symmetry` test Taylor's remainder and the Hessian's symmetry.
* `assert_close` compares two results to the precision of their dtype.
* `jacobian`, `hessian` and `hvp` return derivatives as arrays.
* `tinynet.testing.definitions` holds convolution, pooling, softmax, ... as loops over indices.
* `tinynet.testing.strategies` holds Hypothesis strategies for arrays, shapes and geometries. It is
  not imported here, so only its users need Hypothesis.
"""

from tinynet.testing import definitions
from tinynet.testing.adjoint import check_adjoint
from tinynet.testing.closeness import assert_close
from tinynet.testing.comparison import Report
from tinynet.testing.derivatives import hessian, hvp, jacobian
from tinynet.testing.function import GradientError
from tinynet.testing.gradcheck import check_grads
from tinynet.testing.taylor import Taylor, check_hessian_symmetry, taylor_test

__all__ = [
    "GradientError",
    "Report",
    "Taylor",
    "assert_close",
    "check_adjoint",
    "check_grads",
    "check_hessian_symmetry",
    "definitions",
    "hessian",
    "hvp",
    "jacobian",
    "taylor_test",
]
