"""einsum: letters whose axis has size 1 in some operands stand for all sizes, as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet.testing import check_grads

RNG = np.random.default_rng(5)
CASES = [  # an equation, the shapes, and the shapes that they stand for
    ("ij,ij->ij", [(2, 3), (1, 3)], [(2, 3), (2, 3)]),
    ("ij,jk->ik", [(2, 3), (1, 4)], [(2, 3), (3, 4)]),
    ("bij,bjk->bik", [(1, 2, 3), (5, 3, 4)], [(5, 2, 3), (5, 3, 4)]),
    ("ij,ij", [(2, 1), (1, 3)], [(2, 3), (2, 3)]),
    ("ij,i->j", [(1, 3), (2,)], [(2, 3), (2,)]),
    ("ii,ij->j", [(1, 1), (3, 2)], None),
    ("...i,i->...", [(2, 3, 1), (4,)], [(2, 3, 4), (4,)]),
    ("i...,i...->...", [(3, 2, 1), (1, 2, 4)], [(3, 2, 4), (3, 2, 4)]),
    ("i,i->i", [(0,), (1,)], [(0,), (0,)]),
    ("i,i->i", [(1,), (0,)], [(0,), (0,)]),
    ("i,i,i->i", [(1,), (1,), (2,)], [(2,), (2,), (2,)]),
]


@pytest.mark.parametrize(("equation", "shapes", "meant"), CASES)
def test_sizes_of_1_broadcast(equation, shapes, meant):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    tensors = [tn.tensor(a, requires_grad=True) for a in arrays]
    y = tn.einsum(equation, *tensors)
    if meant is None:  # a diagonal of one entry, for each i
        expected = arrays[0][0, 0] * arrays[1].sum(0)
    else:
        full = [np.broadcast_to(a, shape) for a, shape in zip(arrays, meant, strict=True)]
        expected = np.einsum(equation, *full)
    np.testing.assert_allclose(y.detach().numpy(), expected)
    if y.numel():
        check_grads(lambda *xs: tn.einsum(equation, *xs), tensors)


@pytest.mark.parametrize(
    ("equation", "shapes", "sizes"), [("ii", [(3, 1)], "3 and 1"), ("i,i", [(3,), (2,)], "3 and 2")]
)
def test_other_sizes_do_not(equation, shapes, sizes):
    with pytest.raises(ValueError, match=f"einsum: letter 'i' has sizes {sizes}"):
        tn.einsum(equation, *[tn.ones(*shape) for shape in shapes])
