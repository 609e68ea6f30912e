"""Cases of scans along an axis and of factorisations of matrices."""

from __future__ import annotations

from typing import Any

import definitions_of_algebra as loops
import definitions_of_ops
import numpy as np
from op_case import Case, n


def _with_zeros(*shape: int) -> np.ndarray:
    """Products with one and with two factors 0."""
    x = n(*shape, kind="separated")
    x.reshape(-1)[[1, 4, 5]] = 0.0
    return x


def scans() -> dict[str, list[Case]]:
    places: list[tuple[tuple[int, ...], int]] = [
        ((2, 4), 1),
        ((3, 2), 0),
        ((2, 3, 2), 1),
        ((1,), 0),
    ]
    none: list[tuple[tuple[int, ...], int]] = [((0, 2), 1), ((2, 0), 1)]

    def product(x: np.ndarray, dim: int, keepdim: bool = False) -> np.ndarray:
        return definitions_of_ops.reduced(np.prod, x, dim, keepdim)

    def each(want: Any) -> list[Case]:
        return [Case([n(*s)], loops.along(want), {"dim": d}) for s, d in places + none]

    return {
        "linear_recurrence": [
            Case([n(*s), n(*s, seed=1)], loops.along(loops.recurrence), {"dim": d})
            for s, d in places + none
        ],
        "cumprod": [
            *each(loops.running_products),
            Case([_with_zeros(2, 4)], loops.along(loops.running_products), {"dim": 1}),
        ],
        "logcumsumexp": each(loops.running_log_sums),
        "prod": [
            *(Case([n(*s)], product, {"dim": d}, view=True) for s, d in places + none),
            Case([_with_zeros(2, 4)], product, {"dim": 1, "keepdim": True}),
        ],
    }


def factorisations() -> dict[str, list[Case]]:
    """Matrices of moderate condition, singular ones where they are allowed."""
    one, two = n(3, 3) + 2.0 * np.eye(3), n(2, 2, 2, seed=3) + 2.0 * np.eye(2)
    tall, wide = n(4, 3, seed=1), n(2, 3, seed=2)
    definite, indefinite = (one @ one.T + np.eye(3), two @ two.mT + np.eye(2)), one + one.T
    singular = np.outer([1.0, -2.0, 0.5], [0.5, 1.0, 2.0])
    singular[2] = [1.0, 0.5, -1.0]

    def cases(want: Any, *of: Any, symmetric: bool = False, **options: Any) -> list[Case]:
        return [Case([a], loops.each_matrix(want), options, symmetric=symmetric) for a in of]

    return {
        "inv": cases(loops.inverse, one, two),
        "solve": [
            Case([one, n(3, 2)], loops.each_matrix(loops.solution)),
            Case([two, n(2, 2, 1)], loops.each_matrix(loops.solution)),
        ],
        "det": cases(loops.determinant, one, two, singular),
        "cofactors": cases(loops.cofactors, one, two),
        "cofactors_change": [
            Case([one, n(3, 3, seed=4)], loops.each_matrix(loops.cofactors_change)),
            Case([n(2, 3, 3), n(2, 3, 3, seed=4)], loops.each_matrix(loops.cofactors_change)),
            Case([n(4, 4), n(4, 4, seed=4)], loops.each_matrix(loops.cofactors_change)),
        ],
        "slogdet": cases(loops.sign_and_logarithm, one, two, -one),
        "cholesky": cases(loops.cholesky, *definite, symmetric=True),
        "qr": cases(loops.qr, tall, one, two),
        "eigh": [
            *cases(loops.eigh, *definite, symmetric=True),
            *cases(loops.eigh, indefinite, symmetric=True, upper=True),
        ],
        "svd": cases(loops.svd, tall, wide, two),
        "pinv": cases(loops.pseudoinverse, tall, wide, n(2, 4, 2), rtol=1e-12),
    }
