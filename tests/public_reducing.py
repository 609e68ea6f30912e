"""Gradients of the public functions that reduce, scan, sort and multiply, for
`test_public_names`."""

from __future__ import annotations

import numpy as np

import tinynet as tn
from tinynet import linalg


def real(*shape, seed=0):
    """Distinct numbers without ties, none of them 0."""
    size = int(np.prod(shape))
    numbers = np.linspace(-2.0, 2.0, size + 2)[1:-1] + 0.013
    return np.random.default_rng([seed, *shape]).permutation(numbers).reshape(shape)


X, Y, V, W = real(3, 4), real(3, 4, seed=1), real(4), real(3, seed=2)
A = real(3, 3) + 3.0 * np.eye(3)
BATCH, BATCH2 = real(2, 3, 4), real(2, 4, 3, seed=1)
THREES = real(3, 2), real(3, 2, seed=1)


def symmetric(x):
    return x @ x.mT + tn.tensor(np.eye(3), x.dtype, device=x.device)


def both(pair):
    """The sum of the entries of two tensors, so that both have a part in the gradient."""
    first, second = pair
    return (first * first).sum() + (second * 2.0 * second).sum()


# name: (function, inputs)
METHODS = {
    "addbmm": (lambda c, a, b: c.addbmm(a, b, beta=0.5, alpha=2.0), [real(3, 3), BATCH, BATCH2]),
    "addmm": (lambda c, a, b: c.addmm(a, b.T, beta=0.5), [W, X, Y]),
    "addmv": (lambda c, a, v: c.addmv(a, v, alpha=-1.0), [W, X, V]),
    "addr": (lambda c, v, w: c.addr(w, v, beta=2.0), [X, V, W]),
    "aminmax": (lambda x: both(x.aminmax(dim=1)), [X]),
    "baddbmm": (lambda c, a, b: c.baddbmm(a, b, alpha=0.5), [real(3, 3), BATCH, BATCH2]),
    "bmm": (lambda a, b: a.bmm(b), [BATCH, BATCH2]),
    "cholesky": (lambda x: symmetric(x).cholesky(), [A]),
    "corrcoef": (lambda x: x.corrcoef()[0, 1:], [X]),
    "cov": (lambda x: x.cov(correction=0, fweights=tn.tensor([1, 2, 1, 3], device=x.device)), [X]),
    "cross": (lambda x, y: x.cross(y), THREES),
    "cummax": (lambda x: x.cummax(1)[0] * 2.0, [X]),
    "cummin": (lambda x: x.cummin(0)[0] * 2.0, [X]),
    "cumprod": (lambda x: x.cumprod(1), [X]),
    "cumsum": (lambda x: x.cumsum(1), [X]),
    "det": (lambda x: x.det(), [A]),
    "diff": (lambda x: x.diff(2, prepend=x), [X]),
    "dist": (lambda x, y: x.dist(y) + x.dist(y, 3), [X, Y]),
    "dot": (lambda v, x: v.dot(x[1]), [V, X]),
    "ger": (lambda v, w: v.ger(w), [V, W]),
    "inner": (lambda x, y: x.inner(y), [X, Y]),
    "inverse": (lambda x: x.inverse(), [A]),
    "kron": (lambda v, x: v.kron(x), [W, X]),
    "kthvalue": (lambda x: x.kthvalue(2, 1)[0] * 2.0, [X]),
    "logcumsumexp": (lambda x: x.logcumsumexp(1), [X]),
    "logdet": (lambda x: symmetric(x).logdet(), [A]),
    "matrix_power": (lambda x: x.matrix_power(3) + x.matrix_power(-1), [A]),
    "median": (lambda x: x.median(1)[0] * 2.0 + x.median(), [X]),
    "mm": (lambda x, y: x.mm(y.T), [X, Y]),
    "mode": (lambda x: x.mode(1)[0] * 2.0, [X]),
    "msort": (lambda x: x.msort() * 2.0, [X]),
    "mv": (lambda x, v: x.mv(v), [X, V]),
    "nanmean": (lambda x: x.nanmean(0), [X]),
    "nanmedian": (lambda x: x.nanmedian(0)[0] * 2.0, [X]),
    "nanquantile": (lambda x: x.nanquantile(0.3, 1), [X]),
    "nansum": (lambda x: x.nansum(0), [X]),
    "norm": (lambda x: x.norm(dim=1) + x.norm(3, 1) + x.norm("nuc"), [X]),
    "outer": (lambda v, w: v.outer(w), [V, W]),
    "pdist": (lambda x: x.square().sum() + x.pdist(), [X]),
    "pinverse": (lambda x: x.pinverse(), [X]),
    "prod": (lambda x: x.prod(1) + x.prod(), [X]),
    "qr": (lambda x: both(x.T.qr()), [X]),
    "quantile": (lambda x: x.quantile(0.3, 1) + x.quantile(0.6), [X]),
    "renorm": (lambda x: x.renorm(2, 0, 1.5), [X]),
    "slogdet": (lambda x: x.slogdet()[1], [A]),
    "sort": (lambda x: x.sort(1, descending=True)[0][:, :2] * 2.0, [X]),
    "std_mean": (lambda x: both(x.std_mean(1)), [X]),
    "svd": (lambda x: (x.svd()[0] * x.svd()[1]) @ x.svd()[2].mT * x, [X]),
    "topk": (lambda x: x.topk(2, 1)[0] ** 2, [X]),
    "var_mean": (lambda x: both(x.var_mean(0, unbiased=False)), [X]),
    "vdot": (lambda v, x: v.vdot(x[1]), [V, X]),
}
NO_GRADIENT = set(
    "argsort bincount bucketize count_nonzero histc histogram unique unique_consecutive".split()
)
TOP_LEVEL = {
    "cdist": (lambda x, y: tn.cdist(x, y) + tn.cdist(x, y, 1.0), [X, Y + 0.5]),
    "cumulative_trapezoid": (lambda y: tn.cumulative_trapezoid(y, dim=0), [X]),
    "einsum": (lambda x, y: tn.einsum("...i,ji->...j", x, y), [BATCH, X]),
    "pairwise_distance": (tn.pairwise_distance, [X, Y]),
    "tensordot": (lambda x, y: tn.tensordot(x, y, ([1], [1])), [X, Y]),
    "trapezoid": (lambda y: tn.trapezoid(y, dx=0.5), [X]),
    "trapz": (lambda y, x: tn.trapz(y, x), [X, Y]),
}
TOP_LEVEL_WITHOUT = {"linalg", "searchsorted"}
FUNCTIONS = {
    "pairwise_distance": TOP_LEVEL["pairwise_distance"],
    "pdist": METHODS["pdist"],
    "softmin": (lambda x: tn.functional.softmin(x, 1), [X]),
}
LINALG = {
    "cholesky": (lambda x: linalg.cholesky(symmetric(x), upper=True), [A]),
    "cond": (lambda x: linalg.cond(x) + linalg.cond(x, 1), [A]),
    "cross": (lambda x, y: linalg.cross(x, y, dim=0), THREES),
    "det": (linalg.det, [A]),
    "eigh": (lambda x: both(linalg.eigh(symmetric(x))), [A]),
    "eigvalsh": (lambda x: linalg.eigvalsh(symmetric(x)), [A]),
    "inv": (linalg.inv, [A]),
    "matmul": (lambda x, y: linalg.matmul(x, y.mT), [X, Y]),
    "matrix_norm": (lambda x: linalg.matrix_norm(x, 2) + linalg.matrix_norm(x, 1), [X]),
    "matrix_power": (lambda x: linalg.matrix_power(x, 2), [A]),
    "multi_dot": (lambda x, y, w: linalg.multi_dot([w, x, y.mT, w]), [X, Y, W]),
    "norm": (lambda x: linalg.norm(x) + linalg.norm(x, np.inf) + linalg.norm(x, 3, 1), [X]),
    "pinv": (linalg.pinv, [X]),
    "qr": (lambda x: linalg.qr(x)[1], [X]),
    "slogdet": (lambda x: linalg.slogdet(x)[1], [A]),
    "solve": (lambda a, b: linalg.solve(a, b) * linalg.solve(a, b[:, 0])[1], [A, X]),
    "solve_triangular": (lambda a, b: linalg.solve_triangular(a, b, upper=False), [A, X]),
    "svd": (lambda x: linalg.svd(x, full_matrices=False)[1], [X]),
    "svdvals": (linalg.svdvals, [X]),
    "vecdot": (linalg.vecdot, [X, Y]),
    "vector_norm": (lambda x: linalg.vector_norm(x, 2.5, 0), [X]),
}
LINALG_WITHOUT = {"matrix_rank"}
