"""Tools to test derivatives with: your own operations, layers and losses, and those of tinynet.

* `check_grads`: a function or Module against finite differences, to second order.
* `check_adjoint`: a linear map against its transpose, to rounding.
* `taylor_test`, `check_hessian_symmetry`: Taylor's remainder, symmetric second derivatives.
* `jacobian`, `hessian`, `hvp`: derivatives as arrays.
* `tinynet.testing.definitions`: convolution, pooling, soft-max, ... as loops over their indices.
* `tinynet.testing.strategies`: Hypothesis strategies for arrays, shapes and geometries; not
  imported here, so that Hypothesis is needed only by those who use them.
"""

from tinynet.testing import definitions
from tinynet.testing.adjoint import check_adjoint
from tinynet.testing.comparison import Report
from tinynet.testing.derivatives import hessian, hvp, jacobian
from tinynet.testing.function import GradientError
from tinynet.testing.gradcheck import check_grads
from tinynet.testing.taylor import Taylor, check_hessian_symmetry, taylor_test

__all__ = [
    "GradientError",
    "Report",
    "Taylor",
    "check_adjoint",
    "check_grads",
    "check_hessian_symmetry",
    "definitions",
    "hessian",
    "hvp",
    "jacobian",
    "taylor_test",
]
