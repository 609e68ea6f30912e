"""What the functions that reduce, scan, sort and multiply promise: laws, conventions, refusals."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import public_reducing
import pytest
from op_case import gradients

import tinynet as tn
from tinynet import backend, linalg
from tinynet.testing import check_grads

RNG = np.random.default_rng(3)
X = RNG.permutation(np.linspace(-2.0, 2.0, 24)).reshape(2, 3, 4)
MATRIX = RNG.standard_normal((3, 3))
T = tn.tensor(X)


def close(a: Any, b: Any) -> None:
    a, b = (v.detach().numpy() if isinstance(v, tn.Tensor) else np.asarray(v) for v in (a, b))
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


def second_derivative(f: Any, x: np.ndarray) -> list[float]:
    """The gradient of <gradient, ones>."""
    t = tn.tensor(x, requires_grad=True)
    (g,) = tn.grad(f(t), t, create_graph=True)
    (h,) = tn.grad(g.sum(), t)
    return h.numpy().ravel().tolist()


# --- what a dimension is -------------------------------------------------------------------------

ONE = [
    "softmax", "log_softmax", "cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "argmax",
    "argmin", "prod", "sort", "argsort", "median", "nanmedian", "mode", "diff", "msort",
]  # fmt: skip
MANY = ["sum", "mean", "var", "std", "amax", "amin", "nansum", "nanmean", "logsumexp", "norm",
        "count_nonzero", "var_mean", "std_mean"]  # fmt: skip


@pytest.mark.parametrize("name", [n for n in ONE if n != "msort"])
def test_one_dimension_is_an_integer(name: str) -> None:
    """Or an integer tensor of shape (), as in PyTorch."""
    f = getattr(tn, name)
    one, same = f(T, dim=1), f(T, dim=tn.tensor(1))
    for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (one, same)), strict=True):
        close(a, b)
    for dim in ((0, 1), tn.tensor([1]), tn.tensor(1.0), 1.0, True, "1", [0]):
        with pytest.raises(TypeError, match=rf"^{name}: dim is .*; it must be one axis"):
            f(T, dim=dim)
    for dim in (3, -4):
        with pytest.raises(IndexError, match=rf"^{name}: dim {dim} is out of range for 3 axes"):
            f(T, dim=dim)
    if name not in ("argmax", "argmin", "prod", "median", "nanmedian"):
        with pytest.raises(TypeError, match=rf"^{name}: dim is None"):
            f(T, dim=None)


@pytest.mark.parametrize("name", MANY)
def test_several_dimensions(name: str) -> None:
    f = getattr(tn, name)
    options = {"p": 2} if name == "norm" else {}
    for dim in (tn.tensor([1]), tn.tensor(1.0), 1.0, "1", (0, 1.0)):
        with pytest.raises(TypeError, match=rf"^{name}: "):
            f(T, dim=dim, **options)
    with pytest.raises(IndexError, match=rf"^{name}: dim \(0, 0\) names an axis twice"):
        f(T, dim=(0, 0), **options)
    everything, none = f(T, dim=(0, 1, 2), **options), f(T, dim=(), **options)
    if isinstance(everything, tuple):
        everything, none = everything[0], none[0]
    close(everything, none)


def test_a_number_has_one_axis() -> None:
    x = tn.tensor(3.0)
    for name in ONE[:7]:
        y = getattr(x, name)(0)
        y = y[0] if isinstance(y, tuple) else y
        assert y.shape == ()
    assert x.sort()[0].item() == x.max(0)[0].item() == x.topk(1)[0].item() == 3.0
    assert x.argmax(-1).item() == x.sort()[1].item() == 0
    with pytest.raises(IndexError, match="out of range"):
        x.softmax(1)


# --- laws ----------------------------------------------------------------------------------------


def test_a_tensor_in_the_place_of_dim_is_the_other() -> None:
    a, b = tn.tensor([[1, 5], [7, 2]]), tn.tensor(3)
    assert a.max(b).tolist() == [[3, 5], [7, 3]]
    assert a.min(b).tolist() == [[1, 3], [3, 2]]


def test_products() -> None:
    x = X[0].copy()
    x[1, 2] = x[2, 0] = x[2, 3] = 0.0
    (g,) = gradients(lambda t: t.prod(1), x)
    want = [[math.prod(np.delete(row, i)) for i in range(4)] for row in x]
    close(g, want)
    close(T.prod(), np.prod(X))
    close(T.cumprod(2)[..., -1], T.prod(2))
    assert tn.ones(0, 3).prod(0).tolist() == [1, 1, 1]


def test_einsum_of_lists() -> None:
    a, b = T[0], T[1]
    close(tn.einsum(a, [0, 1], b, [2, 1], [0, 2]), a @ b.mT)
    close(tn.einsum(a, [..., 1], b, [..., 1]), (a * b).sum(1))
    close(tn.einsum("ij,ij->", [a, b]), (a * b).sum())
    with pytest.raises(TypeError, match=r"einsum: found a tensor of .* where the list"):
        tn.einsum(a, b)
    with pytest.raises(ValueError, match="einsum: an axis is 99; it must be from 0 to 51"):
        tn.einsum(a, [0, 99])


def test_running_functions_end_in_the_reduction() -> None:
    close(T.logcumsumexp(1)[:, -1], T.logsumexp(1))
    close(T.cummax(0)[0][-1], T.amax(0))
    close(T.cummin(2)[0][..., -1], T.amin(2))
    close(T.cumsum(1).diff(dim=1, prepend=tn.zeros(2, 1, 4, dtype="float64")), X)
    close(tn.cumulative_trapezoid(T, dim=1)[:, -1], tn.trapezoid(T, dim=1))


def test_log_sums_neither_overflow_nor_lose_the_small() -> None:
    x = tn.tensor([-math.inf, -800.0, 0.0, 800.0, 800.0], "float64", requires_grad=True)
    y = x.logcumsumexp(0)
    np.testing.assert_allclose(
        y.detach().numpy(), [-math.inf, -800, 0, 800, 800 + math.log(2)], rtol=1e-6
    )
    y[3:].sum().backward()
    close(x.grad, [0, 0, 0, 1.5, 0.5])


def test_order() -> None:
    values, positions = T.sort(1, descending=True)
    close(values, -np.sort(-X, 1))
    close(T.gather(1, positions), values)
    close(T.argsort(1, descending=True), positions)
    close(T.topk(2, 1)[0], values[:, :2])
    close(T.topk(2, 1, largest=False, sorted=True)[0], T.sort(1)[0][:, :2])
    close(T.msort(), np.sort(X, 0))
    close(T.kthvalue(2, 1)[0], np.sort(X, 1)[:, 1])
    close(T.sort(dim=1).indices.sort(1).values[0, :, 0], [0, 1, 2])
    nan = tn.tensor([math.nan, 1.0, 2.0])
    assert nan.sort()[1].tolist() == [1, 2, 0]
    assert math.isnan(nan.median().item())
    assert nan.nanmedian().item() == 1.0
    assert (nan.nansum().item(), nan.nanmean().item()) == (3.0, 1.5)


def test_quantiles() -> None:
    close(T.quantile(0.5, 2), np.quantile(X, 0.5, 2))
    q = tn.tensor([0.1, 0.5, 1.0], dtype="float64")
    for between in ("linear", "lower", "higher", "midpoint", "nearest"):
        close(T.quantile(q, 1, True, interpolation=between),
              np.quantile(X, q.numpy(), 1, keepdims=True, method=between))  # fmt: skip
    holes = X.copy()
    holes[0, 0, :3] = math.nan
    close(tn.tensor(holes).nanquantile(0.3, 2), np.nanquantile(holes, 0.3, 2))
    for bad in (1.5, -0.1):
        with pytest.raises(RuntimeError, match=f"quantile: q is {bad}; it must be from 0 to 1"):
            T.quantile(bad)


def test_covariances() -> None:
    x = X[0]
    close(tn.tensor(x).cov(), np.cov(x))
    weights = np.array([2, 1, 3, 1]), np.array([0.2, 0.5, 0.1, 0.7])
    for f, a in itertools.product((None, weights[0]), (None, weights[1])):
        close(tn.tensor(x).cov(correction=0, fweights=f, aweights=a),
              np.cov(x, ddof=0, fweights=f, aweights=a))  # fmt: skip
    close(tn.tensor(x).corrcoef(), np.corrcoef(x))


def test_variances() -> None:
    for unbiased, dim in itertools.product((True, False), (None, 1, (0, 2))):
        close(T.var(dim, unbiased), X.var(dim, ddof=int(unbiased)))
        close(T.std(dim, unbiased=unbiased), X.std(dim, ddof=int(unbiased)))
    close(T.var(False), X.var())
    close(T.var(1, correction=None), X.var(1, ddof=1))
    close(T.std_mean(1)[1], X.mean(1))
    with pytest.raises(TypeError, match="var: unbiased and correction are both given"):
        T.var(1, True, correction=0)


def test_counts() -> None:
    i = tn.tensor([[3, 1, 3], [1, 3, 0]])
    values, inverse, counts = i.unique(return_inverse=True, return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([0, 1, 3], [1, 2, 3])
    assert values[inverse].tolist() == i.tolist()
    assert tn.tensor([[1, 1], [0, 2], [1, 1]]).unique(dim=0).tolist() == [[0, 2], [1, 1]]
    assert tn.tensor([1, 1, 0, 1]).unique_consecutive(return_counts=True)[1].tolist() == [2, 1, 1]
    assert tn.tensor([3, 0, 3]).bincount(minlength=5).tolist() == [1, 0, 0, 2, 0]
    assert tn.tensor([1.0, 2.0, 2.0, 9.0]).histc(2, 1, 3).tolist() == [1, 2]
    hist, edges = tn.tensor([1.0, 2.0, 2.0]).histogram(2, density=True)
    assert ((edges[1:] - edges[:-1]) * hist).sum().item() == 1.0
    assert i.count_nonzero(1).tolist() == [3, 2]
    assert i.mode(1)[0].tolist() == [3, 0]
    edges = tn.tensor([1.0, 2.0, 3.0])
    assert tn.bucketize(tn.tensor([0.0, 2.0, 9.0]), edges).tolist() == [0, 1, 3]
    assert tn.searchsorted(edges, 2.0, right=True).item() == 2
    with pytest.raises(RuntimeError, match="bincount: input has -1; entries must be at least 0"):
        tn.tensor([0, -1]).bincount()


def test_dtypes() -> None:
    i, b = tn.tensor([1, 2, 3]), tn.tensor([True, False])
    for name in ("sum", "prod", "nansum"):
        assert getattr(i, name)().dtype == getattr(b, name)().dtype == np.int64
        assert getattr(i, name)(dtype="float32").dtype == np.float32
    assert i.sum(dtype="int32").dtype == np.int32
    assert i.softmax(0, dtype="float64").dtype == np.float64
    assert i.logsumexp(0).dtype == i.logcumsumexp(0).dtype == np.float32
    assert i.mean(dtype="float64").item() == 2.0
    for name in ("mean", "var", "std", "norm"):
        with pytest.raises(TypeError, match=f"^{name}: input is int64; convert it with"):
            getattr(i, name)()


# name: a function of X[0] whose result has no gradient
COUNTED = {
    "argsort": lambda x: x.argsort(0),
    "bincount": lambda x: (x * x).long().reshape(-1).bincount(),
    "bucketize": lambda x: tn.bucketize(x, x.reshape(-1).sort()[0]),
    "count_nonzero": lambda x: x.count_nonzero(0),
    "histc": lambda x: x.histc(4),
    "histogram": lambda x: x.histogram(4)[0],
    "matrix_rank": linalg.matrix_rank,
    "unique": lambda x: x.unique(return_inverse=True)[1],
    "unique_consecutive": lambda x: x.unique_consecutive(dim=0),
}
ON_DEVICE = {
    **public_reducing.METHODS,
    **public_reducing.TOP_LEVEL,
    **{f"linalg.{name}": case for name, case in public_reducing.LINALG.items()},
    **{name: (f, [X[0]]) for name, f in COUNTED.items()},
}


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
@pytest.mark.parametrize("name", ON_DEVICE)
def test_the_same_on_the_device(device: str, name: str) -> None:
    f, arrays = ON_DEVICE[name]
    found = []
    for place in (device, "cpu"):
        tensors = [tn.tensor(x, requires_grad=True, device=place) for x in arrays]
        y = f(*tensors)
        assert y.device == place
        if y.requires_grad:
            (y * y).sum().backward()
        grads = [backend.to_numpy(t.grad.data) for t in tensors if t.grad is not None]
        found.append([backend.to_numpy(y.data), *grads])
    for a, b in zip(*found, strict=True):
        close(a, b)


# --- matrices ------------------------------------------------------------------------------------


def test_factorisations_multiply_to_the_matrix() -> None:
    for shape in ((3, 3), (4, 3), (2, 3, 4), (0, 3), (3, 0)):
        a = tn.tensor(RNG.standard_normal(shape))
        q, r = tn.qr(a)
        close(q @ r, a)
        u, s, vt = linalg.svd(a, full_matrices=False)
        close((u * s.unsqueeze(-2)) @ vt, a)
        u, _, v = tn.svd(a, some=False)
        assert (u.shape[-1], v.shape[-1]) == a.shape[-2:]
        close(u.mT @ u, np.broadcast_to(np.eye(a.shape[-2]), u.shape))
        close(a @ linalg.pinv(a) @ a, a)
    close(tn.tensor(MATRIX) @ linalg.inv(tn.tensor(MATRIX)), np.eye(3))
    w, v = linalg.eigh(tn.tensor(MATRIX + MATRIX.T))
    close((v * w) @ v.mT, MATRIX + MATRIX.T)
    definite = tn.tensor(MATRIX @ MATRIX.T + np.eye(3))
    close(tn.cholesky(definite) @ tn.cholesky(definite).mT, definite)
    close(linalg.cholesky(definite, upper=True), tn.cholesky(definite).mT)


def test_solutions() -> None:
    a, b = tn.tensor(MATRIX), tn.tensor(X[0])
    close(a @ linalg.solve(a, b), b)
    close(linalg.solve(a, b.mT, left=False) @ a, b.mT)
    close(a @ linalg.solve(a, b[:, 0]), b[:, 0])
    upper = np.triu(MATRIX)
    close(upper @ linalg.solve_triangular(a, b, upper=True).numpy(), b)
    close(linalg.matrix_power(a, -2) @ a @ a, np.eye(3))
    close(linalg.multi_dot([b.mT, a, b]), b.mT @ a @ b)
    assert linalg.matrix_rank(tn.tensor(np.outer(X[0, 0], X[0, 1]))).item() == 1


def test_norms_agree_with_numpy() -> None:
    a = tn.tensor(MATRIX)
    for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        close(linalg.matrix_norm(a, p), np.linalg.norm(MATRIX, p))
    for p in (0, 1, 2, 3, 0.5, -1, math.inf, -math.inf):
        close(linalg.vector_norm(T, p, 1), np.linalg.norm(X, p, 1))
        close(T.norm(p, 1), np.linalg.norm(X, p, 1))
    close(tn.cdist(T[0], T[1]), np.linalg.norm(X[0][:, None] - X[1][None], axis=2))
    close(T[0].pdist(1), [np.abs(X[0, i] - X[0, j]).sum() for i, j in ((0, 1), (0, 2), (1, 2))])
    close(T.renorm(2, 1, 1.0).norm(2, (0, 2)), [1, 1, 1] / (1 + 1e-7 / T.norm(2, (0, 2)).numpy()))


@pytest.mark.parametrize("name", ["inverse", "cholesky"])
def test_matrices_without_a_result_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{name}: "):
        getattr(tn.zeros(2, 2), name)()
    with pytest.raises(RuntimeError, match=rf"^{name}: shape \(2, 3\) must end in two equal sizes"):
        getattr(tn.zeros(2, 3), name)()
    with pytest.raises(TypeError, match=f"^{name}: input is int64"):
        getattr(tn.zeros(2, 2).long(), name)()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: a.mm(b), r"mm: shapes \(2, 3\) and \(2, 3\) do not fit"),
        (lambda a, b: a.bmm(b), r"bmm: shapes \(2, 3\) and \(2, 3\) must have 3 and 3 axes"),
        (lambda a, b: a.mv(b), r"mv: shapes .* must have 2 and 1 axes"),
        (lambda a, b: a.mm(b.double().T), "mm: dtypes float32, float64 differ"),
        (lambda a, b: a.dot([1.0]), "dot: other is \\[1.0\\]; it must be a Tensor"),
        (lambda a, b: a.addmm(a, b), r"addmm: shapes .* do not fit"),
        (lambda a, b: a.cross(b, dim=0), r"cross: shapes .* must have size 3 at dim 0"),
        (lambda a, b: tn.tensordot(a, b, 3), "tensordot: dims is 3 for shapes"),
        (lambda a, b: a.topk(4), "topk: k is 4; it must be from 0 to 3"),
        (lambda a, b: a.kthvalue(0), "kthvalue: k is 0; it must be from 1 to 3"),
        (lambda a, b: a.norm("nuc", 1), "norm: 'nuc' needs two axes"),
        (lambda a, b: tn.cdist(a, b.T), r"cdist: x1 \(2, 3\) and x2 \(3, 2\)"),
        (lambda a, b: linalg.solve(a, b), r"solve: shape \(2, 3\) must end in two equal sizes"),
        (lambda a, b: linalg.multi_dot([a, b]), r"multi_dot: shapes .* do not fit"),
        (lambda a, b: tn.searchsorted(a, b, side="up"), "searchsorted: side is 'up'"),
        (lambda a, b: tn.trapezoid(a, dx="1"), "trapezoid: dx is '1'; it must be a number"),
    ],
)
def test_what_is_refused(call: Any, message: str) -> None:
    with pytest.raises((RuntimeError, TypeError), match=f"^{message}"):
        call(tn.ones(2, 3), tn.ones(2, 3))


# --- conventions ---------------------------------------------------------------------------------


def test_second_derivative_of_a_length_at_zero() -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.isnan(second_derivative(lambda x: x.norm(), np.zeros(3))).all()
    assert gradients(lambda x: x.norm(), np.zeros(3)) == [[0, 0, 0]]


def test_std_of_a_constant() -> None:
    assert gradients(lambda x: x.std(), np.ones(3)) == [[0, 0, 0]]
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.isnan(second_derivative(lambda x: x.std(), np.ones(3))).all()


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, math.inf])
def test_norms_of_every_order_at_zero(p: float) -> None:
    assert gradients(lambda x: linalg.vector_norm(x, p), np.zeros(3)) == [[0, 0, 0]]


def test_ties_of_functions_of_rank() -> None:
    x = np.array([2.0, 1.0, 2.0, 1.0, 2.0])
    weights = tn.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype="float64")
    assert tn.tensor(x).sort()[1].tolist() == [1, 3, 0, 2, 4]
    assert tn.tensor(x).sort(descending=True)[1].tolist() == [0, 2, 4, 1, 3]
    assert gradients(lambda t: t.sort()[0] * weights, x) == [[3, 1, 4, 2, 5]]
    assert gradients(lambda t: t.median(), x) == [[1, 0, 0, 0, 0]]
    assert gradients(lambda t: t.kthvalue(2)[0], x) == [[0, 0, 0, 1, 0]]
    assert gradients(lambda t: t.mode()[0], x) == [[0, 0, 0, 0, 1]]


def test_ties_of_running_extremes() -> None:
    x = np.array([1.0, 1.0, 0.0, 1.0])
    assert tn.tensor(x).cummax(0)[1].tolist() == [0, 1, 1, 3]
    assert gradients(lambda t: t.cummax(0)[0], x) == [[1, 2, 0, 1]]
    assert gradients(lambda t: t.cummin(0)[0], x) == [[1, 1, 2, 0]]


def test_determinant_of_a_singular_matrix() -> None:
    rank_two = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
    (g,) = gradients(lambda a: a.det(), rank_two)
    close(g, [[4, 4, -4], [-2, -2, 2], [0, 0, 0]])
    close(gradients(lambda a: a.det(), np.zeros((2, 2)))[0], np.zeros((2, 2)))
    x = tn.tensor(np.zeros((2, 2)), requires_grad=True)
    assert x.slogdet()[1].item() == x.logdet().item() == -math.inf
    with pytest.raises((RuntimeError, ValueError), match="Singular"):
        x.logdet().backward()
    assert math.isnan(tn.tensor(np.diag([1.0, -1.0])).logdet().item())


def test_equal_eigenvalues() -> None:
    """tr f(a) = sum f(w_i) has the gradient f'(a), equal eigenvalues or not."""
    a = np.diag([2.0, 2.0, 3.0])
    close(gradients(lambda a: linalg.eigvalsh(a).square(), a)[0], 2.0 * a)
    close(gradients(lambda a: linalg.svdvals(a).square(), a)[0], 2.0 * a)

    def projection(a: tn.Tensor) -> tn.Tensor:  # onto the vectors of the largest eigenvalue
        v = linalg.eigh(a)[1][:, 2:]
        return v @ v.mT

    (g,) = gradients(lambda a: projection(a) * tn.tensor(MATRIX), a)
    m = (MATRIX + MATRIX.T) / 2.0
    symmetric = (np.array(g) + np.array(g).T) / 2.0  # all that a symmetric change meets
    close(symmetric, [[0, 0, m[0, 2]], [0, 0, m[1, 2]], [m[2, 0], m[2, 1], 0]])


def test_values_of_0() -> None:
    """Singular values of 0 give no infinite gradients."""
    a = np.outer([1.0, 2.0, 2.0], [3.0, 0.0])
    for f in (lambda a: linalg.svdvals(a), lambda a: linalg.svd(a, False)[0] ** 2):
        assert np.isfinite(gradients(f, a)).all()
    assert np.isfinite(gradients(lambda a: linalg.svd(a, False)[2] ** 2, np.zeros((2, 3)))).all()


def test_the_gradient_of_cholesky_is_symmetric() -> None:
    (g,) = gradients(lambda a: a.cholesky(), MATRIX @ MATRIX.T + np.eye(3))
    close(g, np.transpose(g))


def test_pseudoinverse_of_a_matrix_without_full_rank() -> None:
    x, y = (tn.tensor(v, requires_grad=True) for v in (X[0, :, :2], X[1, :, :2]))
    check_grads(lambda x, y: linalg.pinv(x @ y.mT), [x, y])  # rank 2, wherever it moves
    assert linalg.pinv(tn.zeros(2, 3)).tolist() == [[0, 0], [0, 0], [0, 0]]
