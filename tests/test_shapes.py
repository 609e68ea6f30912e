"""What the functions of shapes, positions and masks promise: laws, PyTorch's corners, errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn

X = tn.tensor(np.arange(12.0).reshape(3, 4))
CUBE = tn.tensor(np.arange(24.0).reshape(2, 3, 4))
shapes = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())


def numbers(shape, dtype="float32"):
    return tn.tensor(np.arange(int(np.prod(shape))).reshape(shape), dtype)


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(shapes, st.data())
def test_what_is_cut_joins_again(shape, data):
    x, dim = numbers(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = data.draw(st.integers(1, 4))
    for pieces in (x.chunk(parts, dim), x.tensor_split(parts, dim), x.split(parts, dim)):
        assert same(tn.cat(pieces, dim), x)
    if x.shape[dim]:
        assert same(tn.stack(x.unbind(dim), dim), x)
        assert same(tn.stack([x.select(dim, k) for k in range(x.shape[dim])], dim), x)


@settings(max_examples=40, deadline=None)
@given(shapes, st.data())
def test_what_is_moved_moves_back(shape, data):
    x, axes = numbers(shape), range(len(shape))
    a, b = data.draw(st.sampled_from(axes)), data.draw(st.sampled_from(axes))
    assert same(x.movedim(a, b).movedim(b, a), x)
    assert same(x.transpose(a, b).transpose(b, a), x)
    shift = data.draw(st.integers(-5, 5))
    assert same(x.roll(shift, a).roll(-shift, a), x)
    assert same(x.flip(a).flip(a), x)
    if a != b:
        assert same(x.rot90(1, (a, b)).rot90(3, (a, b)), x)
        assert same(x.rot90(2, (a, b)), x.flip(a, b))


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(-3, 3), st.sampled_from(["float32", "int64", "bool"]))
def test_triangles_and_diagonals_are_numpys(shape, k, dtype):
    if len(shape) < 2:
        return
    x = numbers(shape, dtype)
    array = x.numpy()
    assert same(x.tril(k), tn.tensor(np.tril(array, k)))
    assert same(x.triu(k), tn.tensor(np.triu(array, k)))
    want = np.diagonal(array, k, -1, 0) if -shape[-1] <= k <= shape[0] else None
    if want is not None:
        assert same(x.diagonal(k, -1, 0), tn.tensor(want.copy()))
    diagonals = x.diagonal(k, 0, 1)
    assert same(x.diagonal_scatter(diagonals, k), x)
    assert same(diagonals.diag_embed(k).diagonal(k, -2, -1), diagonals)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_scatter_is_a_loop(data):
    n, m = 3, data.draw(st.integers(1, 6))
    index = data.draw(st.lists(st.integers(0, n - 1), min_size=m, max_size=m))
    x, src = np.array([2.0, -1.0, 0.5]), np.linspace(-1, 2, m)
    groups = [[src[j] for j in range(m) if index[j] == i] for i in range(n)]
    combine = {"sum": sum, "prod": np.prod, "amax": max, "amin": min, "mean": np.mean}
    for (name, f), own in itertools.product(combine.items(), (True, False)):
        want = [f([v] * own + g) if g else v for v, g in zip(x, groups, strict=True)]
        got = tn.tensor(x).scatter_reduce(0, index, tn.tensor(src), name, include_self=own)
        np.testing.assert_allclose(got.numpy(), want, atol=1e-12)
    last = [g[-1] if g else v for v, g in zip(x, groups, strict=True)]
    assert tn.tensor(x).scatter(0, index, tn.tensor(src)).tolist() == last
    assert tn.tensor(x).index_copy(0, index, tn.tensor(src)).tolist() == last


def test_the_last_of_repeated_positions_gets_the_gradient():
    x = tn.zeros(2, requires_grad=True)
    src = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x.scatter(0, [0, 0, 0], src) * tn.tensor([5.0, 7.0])).sum().backward()
    assert src.grad.tolist() == [0, 0, 5]
    assert x.grad.tolist() == [0, 7]


def test_ties_of_scatter_share_the_gradient():
    x = tn.tensor([1.0, 4.0], requires_grad=True)
    src = tn.tensor([1.0, 1.0, 0.0, 3.0], requires_grad=True)
    x.scatter_reduce(0, [0, 0, 0, 1], src, "amax").sum().backward()
    third = tn.tensor(1 / 3).item()
    assert x.grad.tolist() == [third, 1]
    assert src.grad.tolist() == [third, third, 0, 0]


# --- PyTorch's corners ----------------------------------------------------------------------------


def test_several_axes_and_numbers():
    assert tn.zeros(1, 2, 1, 3, 1).squeeze((0, -1, 3)).shape == (2, 1, 3)
    assert tn.zeros(2, 12).unflatten(1, (3, -1)).shape == (2, 3, 4)
    number = tn.tensor(3.0)
    assert number.flatten().shape == number.ravel().shape == (1,)
    assert number.t().shape == number.flip(0).shape == number.transpose(0, -1).shape == ()
    assert number.gather(0, tn.tensor(0)).shape == ()
    assert number.nonzero().shape == (1, 0)
    assert X.nonzero(as_tuple=True)[1].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert X.T.nonzero()[0].tolist() == [0, 1]


def test_types_of_joined_tensors():
    assert tn.cat([tn.zeros(0), X.float()]).shape == (3, 4)
    assert tn.cat([tn.tensor([1]), tn.tensor([1.5])]).dtype == tn.float32
    assert tn.stack([tn.tensor(1), tn.tensor(True)]).dtype == tn.int64
    assert tn.result_type(tn.zeros(2), tn.zeros((), dtype="float64")) == tn.float32
    assert tn.result_type(tn.tensor([1]), 2.5) == tn.float32
    assert tn.result_type(tn.tensor([1], dtype="int8"), 2) == tn.int8
    assert tn.promote_types("int64", "float16") == tn.float16
    assert tn.promote_types("uint8", "int8") == tn.int16
    assert tn.can_cast("int64", "float32")
    assert not tn.can_cast("float32", "int64")


def test_windows_repeats_and_grids():
    assert tn.arange(5).unfold(0, 3, 2).tolist() == [[0, 1, 2], [2, 3, 4]]
    assert tn.tensor([1, 2]).repeat(2, 2).tolist() == [[1, 2, 1, 2]] * 2
    assert tn.tensor([1, 2]).repeat_interleave(2).tolist() == [1, 1, 2, 2]
    assert tn.tensor([2, 0, 1]).repeat_interleave().tolist() == [0, 0, 2]
    rows, columns = tn.meshgrid(tn.arange(2), tn.arange(3), indexing="ij")
    assert (rows * 3 + columns).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tn.cartesian_prod(tn.arange(2), tn.arange(2)).tolist() == [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
    ]
    assert tn.arange(3).combinations().tolist() == [[0, 1], [0, 2], [1, 2]]
    assert tn.block_diag(tn.ones(1, 2), tn.tensor(3.0)).tolist() == [[1, 1, 0], [0, 0, 3]]
    assert [i.tolist() for i in tn.unravel_index(tn.tensor([5, 1]), (2, 3))] == [[1, 0], [2, 1]]


def test_changes_in_place():
    x = tn.zeros(3)
    assert x.masked_fill_(tn.tensor([True, False, False]), 2) is x
    x.scatter_(0, [1], 5.0).index_add_(0, [1, 2], tn.ones(2)).index_fill_(0, [0], -1)
    x.index_put_((tn.tensor([2, 2]),), tn.ones(2), accumulate=True)
    assert x.tolist() == [-1, 6, 3]
    y = tn.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="masked_fill_: a tensor that requires a gradient"):
        y.masked_fill_(tn.tensor([True, False]), 1)
    labels = tn.zeros(2, 3).scatter_(1, tn.tensor([[2], [0]]), 1.0)
    assert labels.tolist() == [[0, 0, 1], [1, 0, 0]]


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: X.gather(None, [[0]]), "gather: dim is None; it must be one axis"),
        (lambda: X.gather(0, [[True]]), "gather: index must be a tensor of integers"),
        (lambda: X.gather(0, [[3]]), "gather: index 3 is out of range for 3, the size of dim 0"),
        (lambda: X.flatten(None), "flatten: dim is None; it must be one axis"),
        (lambda: X.split(1, None), "split: dim is None; it must be one axis"),
        (lambda: X.split(None), "split: split_size is None; it must be an integer"),
        (lambda: X.reshape(-2), r"reshape: shape \(-2,\) must have sizes >= 0"),
        (lambda: X.reshape(2.0, 6), "reshape: size is 2.0; it must be an integer"),
        (lambda: X.flip(0, 0), r"flip: dim \(0, 0\) names an axis twice"),
        (lambda: X.squeeze((0, 0)), r"squeeze: dim \(0, 0\) names an axis twice"),
        (lambda: X.unsqueeze(True), "unsqueeze: dim is True; it must be one axis"),
        (lambda: tn.cat([X, None]), "cat: number 1 of the tensors is None; it must be a Tensor"),
        (lambda: tn.cat(5), "cat: tensors is 5; it must be a list of Tensors"),
        (lambda: tn.cat([]), "cat: the list of tensors is empty"),
        (lambda: tn.stack([X, X[0]]), r"stack: shapes \(3, 4\), \(4,\) must be equal"),
        (lambda: X.scatter(0, [[0]], tn.tensor([[1]])), "scatter: src is int64 and input float64"),
        (lambda: X.scatter_reduce(0, [[0]], X, "max"), "scatter_reduce: reduce is 'max'"),
        (lambda: X.masked_fill([[1]], 0), "masked_fill: mask is .*; it must be a tensor of bool"),
        (lambda: X.masked_fill(X > 0, None), "masked_fill: value is None; it must be a number"),
        (lambda: X.index_select(0, [3]), "index_select: index 3 is out of range for 3"),
        (lambda: X.narrow(0, 2, 2), "narrow: start 2 and length 2 do not fit in 3"),
        (lambda: X.unfold(0, 4, 1), "unfold: size is 4; it must be from 0 to 3"),
        (lambda: X.expand(3, 5), r"expand: shape \(3, 4\) does not broadcast to \(3, 5\)"),
        (lambda: X.repeat(2), r"repeat: 1 numbers \(2,\) for the 2 axes"),
        (lambda: X.diagonal(0, 1, -1), "diagonal: dim1 1 and dim2 -1 are the same axis"),
        (lambda: tn.zeros(-1), r"zeros: size \(-1,\) has a negative number"),
        (lambda: tn.arange(0, -3, 2), "arange: step 2 leads away from -3"),
        (lambda: tn.arange(0, 3, 0), "arange: step is 0"),
        (lambda: tn.full((2,), None), "full: fill_value is None; it must be a number"),
        (lambda: X.to("complex64"), "to: complex64 is not supported"),
        (lambda: X.to("bfloat16"), "to: 'bfloat16' is neither a device"),
        (lambda: X.contiguous("channels_last"), "contiguous: memory_format channels_last"),
        (lambda: tn.tensor(None), "tensor: data must be numbers"),
        (lambda: tn.tensor(np.ones(1) * 1j), "tensor: data has dtype complex128"),
        (lambda: tn.multinomial(tn.zeros(2), 1), "multinomial: a row has only zeros"),
        (lambda: tn.randint(3, 3, (1,)), "randint: low is 3 and high 3; low must be below high"),
        (lambda: tn.normal(0.0, -1.0, (2,)), "normal: std has a negative number"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError, IndexError, RuntimeError), match=message):
        call()
