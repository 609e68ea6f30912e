"""tinynet.linalg: linear algebra by PyTorch's names, as in ``torch.linalg``.

Matrices are in the last two axes. The factorisations and their derivatives are in
`tinynet.ops.inverses` and `tinynet.ops.factorisation`.
"""

from tinynet.linalg.factorisations import cholesky, eigh, eigvalsh, qr, svd, svdvals
from tinynet.linalg.norms import cond, matrix_norm, norm, vector_norm
from tinynet.linalg.products import cross, matmul, matrix_power, multi_dot, vecdot
from tinynet.linalg.solving import det, inv, matrix_rank, pinv, slogdet, solve, solve_triangular

__all__ = [
    "cholesky", "cond", "cross", "det", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_triangular", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip
