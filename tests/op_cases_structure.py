"""Cases of the operations that move, repeat, join and multiply arrays."""

from __future__ import annotations

from typing import Any

import definitions_of_ops as loops
import numpy as np
from op_case import Case, n

from tinynet.dtypes import float64

_INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((4, 3), np.array([0, 0, 3, -4, 0])),
    ((4, 3), (slice(None), np.array([[2, 0], [2, 2]]))),
    ((4, 3), (np.array([1, 1, 2]), np.array([2, 2, 0]))),
    ((2, 5), (slice(None), slice(None, None, -2))),
    ((2, 5), (Ellipsis, None, 3)),
    ((3,), 1),
    ((3,), -1),
    ((2, 3), np.array([[True, False, True], [False, False, True]])),
    ((2, 3), (1, np.array([True, False, True]))),
    ((3, 2), np.array([], dtype="int64")),
    ((3, 2), slice(2, 2)),
    ((2, 3, 4), (np.array([1, 1]), slice(None), np.array([0, 0]))),
    ((2,), ()),
]


_TAKEN: tuple[Any, ...] = (slice(None), (1, 2), (0, np.array([1, 1])), (slice(None), slice(1, 3)))


def rearrangements() -> dict[str, list[Case]]:
    def padded(x: np.ndarray, widths: Any, value: float = 0.0) -> np.ndarray:
        return np.pad(x, widths, constant_values=value) if widths else x

    def cropped(x: np.ndarray, widths: Any) -> np.ndarray:
        for axis, (before, after) in enumerate(widths):
            x = np.take(x, range(before, x.shape[axis] - after), axis)
        return x

    def joined(*xs: np.ndarray, dim: int = 0) -> np.ndarray:
        return np.concatenate(xs, dim)

    def split(x: np.ndarray, sizes: Any, dim: int) -> tuple[np.ndarray, ...]:
        return tuple(np.split(x, np.cumsum(sizes)[:-1], dim))

    def unbound(x: np.ndarray, dim: int) -> tuple[np.ndarray, ...]:
        return tuple(np.moveaxis(x, dim, 0))

    def case(want: Any, of: tuple[int, ...], **options: Any) -> Case:
        """`want` takes the options by position."""
        return Case([n(*of)], lambda x, **given: want(x, *given.values()), options, view=True)

    def added(shapes: list[Any], shape: tuple[int, ...], indices: tuple[Any, ...]) -> Case:
        inputs = [n(*given, seed=k) for k, given in enumerate(shapes)]
        return Case(inputs, loops.index_add, {"shape": shape, "indices": indices})

    return {
        "reshape": [
            case(np.reshape, (2, 6), shape=(3, 4)),
            case(np.reshape, (2, 3, 4), shape=(4, -1)),
            case(np.reshape, (), shape=(1, 1)),
            case(np.reshape, (0, 3), shape=(3, 0)),
        ],
        "permute": [
            case(np.transpose, (2, 3, 4), dims=(2, 0, 1)),
            case(np.transpose, (2, 3, 4), dims=(-1, 0, -2)),
            case(np.transpose, (2, 3), dims=(1, 0)),
            case(np.transpose, (), dims=()),
            case(np.transpose, (0, 3, 1), dims=(1, 2, 0)),
        ],
        "flip": [
            case(np.flip, (2, 3, 4), dims=(1,)),
            case(np.flip, (2, 3, 4), dims=(-1, 0)),
            case(np.flip, (2, 3), dims=()),
            case(np.flip, (0, 3), dims=(0, 1)),
        ],
        "cat": [
            Case([n(2, 3), n(4, 3, seed=1), n(1, 3, seed=2)], joined),
            Case([n(2, 3, 1), n(2, 0, 1), n(2, 4, 1)], joined, {"dim": -2}),
            Case([n(2, 3), n(2, 1)], joined, {"dim": 1}),
            Case([n(2, 3)], joined, {"dim": 0}),
            Case([n(0, 3), n(0, 3)], joined, {"dim": 0}),
        ],
        "pad": [
            case(padded, (2, 3), widths=((1, 2), (0, 3))),
            case(padded, (2, 0), widths=((0, 1), (2, 0)), value=1.5),
            case(padded, (), widths=()),
        ],
        "crop": [
            case(cropped, (4, 6), widths=((1, 2), (0, 3))),
            case(cropped, (3, 4), widths=((1, 2), (0, 0))),
            case(cropped, (), widths=()),
        ],
        "getitem": [Case([n(*s)], loops.getitem, {"index": i}, view=True) for s, i in _INDICES],
        "index_add": [
            *(added([np.shape(loops.taken_from(s, i))], s, (i,)) for s, i in _INDICES),
            added([np.shape(loops.taken_from((2, 5), i)) for i in _TAKEN], (2, 5), _TAKEN),
        ],
        "split": [
            case(split, (2, 6), sizes=(1, 3, 2), dim=1),
            case(split, (3, 2), sizes=(3,), dim=0),
            case(split, (4, 2), sizes=(0, 4), dim=0),
        ],
        "unbind": [
            case(unbound, (3, 2), dim=0),
            case(unbound, (2, 3, 2), dim=1),
            case(unbound, (2,), dim=0),
        ],
    }


def products() -> dict[str, list[Case]]:
    pairs = [
        ((2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((2, 1, 2, 3), (4, 3, 2)),
        ((2, 3), (5, 3, 1)),
        ((1, 1), (1, 1)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ]
    equations: list[tuple[str, list[tuple[int, ...]]]] = [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ii->", [(3, 3)]),
        ("iij,j->i", [(2, 2, 3), (3,)]),
        ("ij,kl->il", [(2, 3), (4, 2)]),
        ("bhqd,bhkd->bhqk", [(2, 1, 3, 2), (2, 1, 4, 2)]),
        ("i,ij,j->", [(2,), (2, 3), (3,)]),
        ("ij,ij->ij", [(2, 3), (2, 3)]),
        ("ab,bc,ca->b", [(2, 3), (3, 4), (4, 2)]),
        ("ij,jk->ik", [(0, 3), (3, 2)]),
        (",i->i", [(), (3,)]),
    ]

    def einsum(*xs: np.ndarray, subscripts: str) -> np.ndarray:
        return np.einsum(subscripts, *xs)

    def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.einsum("...ij,...jk->...ik", a, b)

    def linear(x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        return np.einsum("ni,ji->nj", x, w) + (0.0 if b is None else b)

    layers = [((2, 3), (4, 3), True), ((2, 3), (4, 3), False), ((0, 3), (2, 3), True)]
    return {
        "matmul": [Case([n(*a), n(*b, seed=1)], matmul) for a, b in pairs],
        "linear": [
            Case([n(*x), n(*w, seed=1), n(w[0], seed=2) if bias else None], linear)
            for x, w, bias in layers
        ],
        "einsum": [
            Case(
                [n(*s, seed=k) for k, s in enumerate(shapes)],
                einsum,
                {"subscripts": e},
                view=len(shapes) == 1,
            )
            for e, shapes in equations
        ],
    }


def copies() -> dict[str, list[Case]]:
    def same(x: np.ndarray, **_: Any) -> np.ndarray:
        return x

    shapes: list[tuple[int, ...]] = [(2, 3), (), (0, 2)]
    return {
        "cast": [Case([n(*s)], same, {"dtype": float64, "back": float64}) for s in shapes],
        "move": [Case([n(*s)], same, {"device": "cpu", "back": "cpu"}, view=True) for s in shapes],
        "clone": [Case([n(*s)], same) for s in shapes],
    }


def broadcasts() -> dict[str, list[Case]]:
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((3, 1), (2, 3, 4)),
        ((1,), (2, 3)),
        ((), (2, 3)),
        ((2, 3), (2, 3)),
        ((1, 3), (0, 3)),
        ((), ()),
    ]
    return {
        "expand": [Case([n(*a)], np.broadcast_to, {"shape": b}, view=True) for a, b in pairs],
        "sum_to": [Case([n(*b)], loops.sum_to, {"shape": a}, view=True) for a, b in pairs],
    }
