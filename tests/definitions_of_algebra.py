"""Independent definitions for `op_cases_algebra`: loops over the entries, from textbooks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def along(line: Callable[..., Any]) -> Callable[..., Array]:
    """A function of lists of numbers, applied to every line along `dim`; it gives lists."""

    def apply(*xs: Array, dim: int) -> Array:
        moved = [np.moveaxis(x, dim, -1) for x in xs]
        y = np.zeros(moved[0].shape)
        for at in np.ndindex(*y.shape[:-1]):
            y[at] = line(*([float(v) for v in x[at]] for x in moved))
        return np.moveaxis(y, -1, dim)

    return apply


def recurrence(a: list[float], b: list[float]) -> list[float]:
    y, last = [], 0.0
    for factor, term in zip(a, b, strict=True):
        last = factor * last + term
        y.append(last)
    return y


def running_products(x: list[float]) -> list[float]:
    return [math.prod(x[: i + 1]) for i in range(len(x))]


def running_log_sums(x: list[float]) -> list[float]:
    return [math.log(math.fsum(map(math.exp, x[: i + 1]))) for i in range(len(x))]


# --- matrices ------------------------------------------------------------------------------------


def each_matrix(one: Callable[..., Any]) -> Callable[..., Any]:
    """A function of matrices, applied to each of a batch; it may give several arrays."""

    def apply(*xs: Array, **options: Any) -> Any:
        lead = xs[0].shape[:-2]
        found = [one(*(x[at] for x in xs), **options) for at in np.ndindex(*lead)]
        if isinstance(found[0], tuple):
            return tuple(np.reshape(np.stack(p), (*lead, *p[0].shape)) for p in zip(*found))  # noqa: B905
        return np.reshape(np.stack(found), (*lead, *np.shape(found[0])))

    return apply


def determinant(a: Array) -> float:
    """Leibniz's sum over permutations."""
    n, total = len(a), 0.0
    for p in itertools.permutations(range(n)):
        inversions = sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n))
        total += (-1) ** inversions * math.prod(float(a[i, p[i]]) for i in range(n))
    return total


def minor(a: Array, i: int, j: int) -> Array:
    return np.delete(np.delete(a, i, 0), j, 1)


def cofactors(a: Array) -> Array:
    y = np.zeros(a.shape)
    for i, j in np.ndindex(*a.shape):
        y[i, j] = (-1) ** (i + j) * determinant(minor(a, i, j))
    return y


def cofactors_change(a: Array, x: Array) -> Array:
    """The derivative of each minor: one row after the other taken from x."""
    y = np.zeros(a.shape)
    for i, j in np.ndindex(*a.shape):
        rest, change = minor(a, i, j), minor(x, i, j)
        for row in range(len(rest)):
            mixed = rest.copy()
            mixed[row] = change[row]
            y[i, j] += (-1) ** (i + j) * determinant(mixed)
    return y


def solution(a: Array, b: Array) -> Array:
    """Gauss and Jordan, with the largest pivots."""
    rows = np.concatenate([a, b], 1)
    n = len(a)
    for k in range(n):
        best = max(range(k, n), key=lambda i: abs(rows[i, k]))
        rows[[k, best]] = rows[[best, k]]
        rows[k] /= rows[k, k]
        for i in range(n):
            if i != k:
                rows[i] -= rows[i, k] * rows[k]
    return rows[:, n:]


def inverse(a: Array) -> Array:
    return solution(a, np.eye(len(a)))


def sign_and_logarithm(a: Array) -> tuple[Array, Array]:
    d = determinant(a)
    return np.array(math.copysign(1.0, d)), np.array(math.log(abs(d)))


def cholesky(a: Array) -> Array:
    y = np.zeros(a.shape)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - sum(y[i, k] * y[j, k] for k in range(j))
            y[i, j] = math.sqrt(rest) if i == j else rest / y[j, j]
    return y


def qr(a: Array) -> tuple[Array, Array]:
    """Householder's reflections, each of which makes the diagonal of r the opposite in sign."""
    (m, n), r, q = a.shape, a.copy(), np.eye(len(a))
    for k in range(min(n, m - 1)):
        v = np.zeros(m)
        v[k:] = r[k:, k]
        v[k] += math.copysign(math.sqrt(sum(x * x for x in v[k:])), v[k])
        h = np.eye(m) - 2.0 * np.outer(v, v) / sum(x * x for x in v)
        r, q = h @ r, q @ h
    return q[:, :n], np.triu(r[:n])


def eigenpairs(a: Array, upper: bool = False) -> tuple[Array, Array]:
    """Jacobi's rotations; the signs of the vectors are open, and LAPACK's are taken."""
    a, v = a.copy(), np.eye(len(a))
    for _ in range(12):
        for p, q in itertools.combinations(range(len(a)), 2):
            angle = 0.5 * math.atan2(2.0 * a[p, q], a[q, q] - a[p, p])
            turn = np.eye(len(a))
            turn[p, p] = turn[q, q] = math.cos(angle)
            turn[p, q], turn[q, p] = math.sin(angle), -math.sin(angle)
            a, v = turn.T @ a @ turn, v @ turn
    order = np.argsort(np.diag(a))
    return np.diag(a)[order], v[:, order]


def eigh(a: Array, upper: bool = False) -> tuple[Array, Array]:
    w, v = eigenpairs(a)
    theirs = np.linalg.eigh(a)[1]
    return w, v * np.sign((v * theirs).sum(0))


def svd(a: Array) -> tuple[Array, Array, Array]:
    """Of the eigenvectors of a^T a, or of a a^T if that is smaller."""
    if a.shape[0] < a.shape[1]:
        v, s, ut = svd(a.T)
        u, vt = ut.T, v.T
    else:
        w, v = eigenpairs(a.T @ a)
        s, v = np.sqrt(w[::-1]), v[:, ::-1]
        u, vt = a @ v / s, v.T
    sign = np.sign((u * np.linalg.svd(a, full_matrices=False)[0]).sum(0))
    return u * sign, s, vt * sign[:, None]


def pseudoinverse(a: Array, rtol: float) -> Array:
    """By the normal equations, for full rank."""
    if a.shape[0] < a.shape[1]:
        return pseudoinverse(a.T, rtol).T
    return solution(a.T @ a, a.T)
