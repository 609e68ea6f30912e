"""The Tensor class: construction, operands, conversion, indexing, printing, and its errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from op_case import gradients

import tinynet as tn
from tinynet import backend

# --- making ---------------------------------------------------------------------------------


def test_dtypes_are_pytorch_s():
    assert tn.tensor(1.5).dtype == np.float32
    assert tn.tensor([1, 2]).dtype == np.int64
    assert tn.tensor([True]).dtype == bool
    assert tn.tensor(np.zeros(2)).dtype == np.float64
    assert tn.tensor([np.float64(1)]).dtype == np.float64
    assert tn.tensor([1.5], "float64").dtype == np.float64
    assert tn.tensor(tn.zeros(2, dtype="float64")).dtype == np.float64


def test_a_tensor_is_a_copy():
    array = np.zeros(3)
    t = tn.tensor(array)
    array[0] = 1
    assert t.tolist() == [0, 0, 0]
    u = tn.tensor(t)
    u[0] = 2
    assert t.tolist() == [0, 0, 0]


def test_random_tensors_follow_the_seed():
    tn.manual_seed(3)
    a, b = tn.randn(2, 3), tn.rand(4)
    tn.manual_seed(3)
    assert np.array_equal(tn.randn((2, 3)).data, a.data)
    assert np.array_equal(tn.rand(4).data, b.data)
    assert a.dtype == np.float32
    assert tn.arange(2, 5).tolist() == [2, 3, 4]


# --- operands -------------------------------------------------------------------------------


def test_numpy_on_either_side_is_tracked():
    t = tn.tensor([1.0, 2.0], requires_grad=True)
    array = np.array([3.0, 4.0], "float32")
    for y in (array * t, t * array, np.float64(2) * t, t + np.float32(1), array @ t, t @ array):
        assert type(y) is tn.Tensor
        assert y.requires_grad
        assert y.dtype == np.float32  # NumPy's scalar does not promote
    assert (array - t).tolist() == [2, 2]
    assert (1 / t).tolist() == [1, 0.5]
    assert (2**t).tolist() == [2, 4]


def test_shapes_that_do_not_broadcast_are_both_named():
    a, b = tn.zeros(2, 3), tn.zeros(4)
    for name, call in {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "div": lambda: a / b,
        "pow": lambda: a**b, "maximum": lambda: tn.maximum(a, b),
        "where": lambda: tn.where(a > 0, a, b),
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=rf"^{name}: .*\(2, 3\) and \(4,\)"):
            call()


def test_devices_do_not_mix(device):
    if device == "cpu":
        return
    here, there = tn.zeros(2, 3), tn.ones(3, device="cuda")
    for call in (
        lambda: here + there,
        lambda: there * here,
        lambda: tn.where(here > 0, there, there),
        lambda: tn.cat([here[0], there]),
        lambda: here @ there,
        lambda: tn.functional.linear(here, there.reshape(1, 3)),
    ):
        with pytest.raises(tn.DeviceError, match=r"on (cpu|cuda).*on (cpu|cuda)"):
            call()
    assert (here.to("cuda") + there).device == "cuda"


def test_moving_keeps_the_gradient(device):
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = (x.to(device) * 3).to("cpu")
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert x.grad.device == "cpu"
    assert tn.zeros(2, device=device).device == device
    assert repr(tn.zeros(1, device=device)).startswith("tensor([0.]")


def test_the_default_device(device, monkeypatch):
    monkeypatch.setitem(backend.devices._settings, "device", None)
    monkeypatch.setenv("TINYNET_DEVICE", device)
    assert tn.default_device() == device
    assert tn.tensor([1.0]).device == device
    assert tn.zeros(2).device == device
    assert tn.tensor(np.zeros(2)).device == "cpu"  # an array is where it is
    tn.set_default_device("cpu")
    assert tn.zeros(2).device == "cpu"
    monkeypatch.setitem(backend.devices._settings, "device", None)
    monkeypatch.setenv("TINYNET_DEVICE", "gpu")
    with pytest.raises(ValueError, match="TINYNET_DEVICE"):
        tn.default_device()


# --- shapes and indices ---------------------------------------------------------------------

arrays = hnp.arrays(
    np.float64, hnp.array_shapes(max_dims=4, max_side=4), elements=st.just(0.0)
).map(lambda a: np.arange(a.size, dtype=float).reshape(a.shape))


@given(arrays, st.data())
def test_axes_count_from_either_end(a, data):
    t, n = tn.tensor(a), a.ndim
    order = data.draw(st.permutations(range(n)))
    signed = [d - n if data.draw(st.booleans()) else d for d in order]
    assert np.array_equal(t.permute(*signed).data, a.transpose(order))
    dims = tuple(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    for keep in (False, True):
        expected = a.sum(dims, keepdims=keep)
        assert np.array_equal(t.sum([d - n for d in dims], keep).data, expected)
        assert t.amax(dims, keep).shape == expected.shape
    d = data.draw(st.integers(-n - 1, n))
    assert np.array_equal(t.unsqueeze(d).data, np.expand_dims(a, d))
    assert np.array_equal(t.unsqueeze(d).squeeze(d).data, a)
    start = data.draw(st.integers(0, n - 1))
    assert np.array_equal(t.flatten(start).data, a.reshape(*a.shape[:start], -1))


@given(arrays, st.data())
def test_indexing_is_numpy_s(a, data):
    index = data.draw(hnp.basic_indices(a.shape, allow_newaxis=True, allow_ellipsis=True))
    assert np.array_equal(tn.tensor(a)[index].data, a[index])
    index = data.draw(hnp.integer_array_indices(a.shape[:1]))
    assert np.array_equal(tn.tensor(a)[index].data, a[index])
    assert np.array_equal(tn.tensor(a)[tn.tensor(index[0])].data, a[index])
    mask = a > data.draw(st.integers(0, a.size))
    assert np.array_equal(tn.tensor(a)[mask].data, a[mask])


def test_split_pieces_make_the_whole():
    t = tn.arange(10).reshape(2, 5)
    assert [p.shape for p in t.split(2, 1)] == [(2, 2), (2, 2), (2, 1)]
    assert tn.cat(t.split([1, 4], 1), 1).tolist() == t.tolist()


def test_repeated_indices_in_any_form_add_up():
    for index in ([0, 0], ((0, 0),), np.array([0, 0]), tn.tensor([0, 0]), (range(0, 1),)):
        x = tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
        x[index].sum().backward()
        assert x.grad.tolist() == [x[index].numel(), 0, 0]


def test_an_index_may_change_after_it_was_used():
    x, i = tn.tensor([1.0, 2.0, 3.0], requires_grad=True), tn.tensor([0, 1])
    y = x[i]
    i[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


def test_gather_and_scatter_are_pytorch_s():
    t = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert t.gather(1, np.array([[0, 0], [1, 0]])).tolist() == [[1, 1], [4, 3]]
    index = np.array([[0, 0, 0], [1, 1, 0]])
    assert tn.zeros(2, 3).scatter_add(0, index, tn.ones(2, 3)).tolist() == [[1, 1, 2], [1, 1, 0]]


def test_max_gives_the_first_of_ties():
    values, indices = tn.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 2.0]]).max(1)
    assert values.tolist() == [3, 2]
    assert indices.tolist() == [1, 0]
    assert gradients(lambda x: x.max(0)[0], [1.0, 1.0]) == [[1, 0]]


def test_einsum_without_an_arrow_and_with_ellipsis():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for equation, operands in {
        "ij,jk": (a, b), "ba": (a,), "ii->i": (np.eye(3) * 2,), "ij->": (a,),
        "i,j->ij": (a[0], b[0]),
        "...j,jk": (np.ones((2, 1, 3)), b), "...ij,...jk->...ik": (np.ones((5, 1, 2, 3)), b[None]),
        "...i->i...": (np.ones((1, 2, 3)),), "i...,i->...": (np.ones((3, 1)), np.ones(3)),
    }.items():  # fmt: skip
        got = tn.einsum(equation, *(tn.tensor(x) for x in operands))
        np.testing.assert_allclose(got.data, np.einsum(equation, *operands), atol=1e-12)


# --- out of it ------------------------------------------------------------------------------


def test_numbers_out_of_tensors():
    assert float(tn.tensor([2.5])) == 2.5
    assert int(tn.tensor(3)) == 3
    assert [10, 20, 30][tn.tensor(1)] == 20
    assert bool(tn.tensor(0.0)) is False
    assert f"{tn.tensor(1.23456):.2f}" == "1.23"
    assert 2 in tn.tensor([1, 2])
    assert len({tn.zeros(1), tn.zeros(1)}) == 2  # by identity


def test_printing():
    assert repr(tn.tensor([1.0, 2.5])) == "tensor([1. , 2.5])"
    assert repr(tn.tensor([1.0], "float64", requires_grad=True)) == (
        "tensor([1.], dtype=float64, requires_grad=True)"
    )
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert repr(x * 2) == "tensor([[2., 4.],\n        [6., 8.]], grad_fn=mul)"
    assert len(repr(tn.zeros(1000, 1000))) < 1000


def test_changes_in_place():
    t = tn.tensor([1.0, 2.0])
    t.add_(1.0).mul_(tn.tensor([2.0, 3.0])).sub_(1.0, alpha=2).div_(2)
    assert t.tolist() == [1, 3.5]
    t[t > 2] = 0.0
    assert t.tolist() == [1, 0]
    t.fill_(7).zero_()
    assert t.tolist() == [0, 0]


def test_augmented_assignment():
    t = u = tn.tensor([1.0, 2.0])
    t += 1
    t *= 2.0
    t -= tn.tensor([1.0, 1.0])
    t /= 3
    assert t is u
    assert u.tolist() == [1, pytest.approx(5 / 3)]
    p = tn.tensor([1.0], requires_grad=True)
    with tn.no_grad():
        p -= 0.5
    assert p.requires_grad
    assert p.item() == 0.5
    with pytest.raises(RuntimeError, match="add_: a tensor that requires a gradient"):
        p += 1
    h = p * 3  # what is recorded is not changed, but made anew
    h += p
    h.sum().backward()
    assert p.grad.item() == 4
    total = tn.zeros(1)
    total += p
    assert total.requires_grad


def test_results_are_of_the_precision_of_the_tensors():
    x, i = tn.tensor([1.0, 2.0], requires_grad=True), tn.tensor([1, 2])
    for y in (x * i, i * x, x + i, x / i, i / i, i.exp(), tn.where(i > 1, 1.0, 0.0), x @ i):
        assert isinstance(y, tn.Tensor)
        assert y.dtype == np.float32
    assert isinstance((i / 2).relu(), tn.Tensor)  # goes on as a tensor
    assert tn.tensor(np.ones(3, "uint8")).sum().dtype == np.int64
    assert (x.double() * i).dtype == np.float64
    assert (i * i).dtype == np.int64
    (x * np.float64(2) * i).sum().backward()
    assert x.grad.dtype == np.float32
    y = (x * np.float64(2)).grad_fn.saved["b"]
    assert y == 2.0
    assert type(y) is float  # kept as what it was used as
    assert i.cumsum(0).dtype == tn.tensor([True]).cumsum(0).dtype == np.int64


# --- conventions at kinks -------------------------------------------------------------------


def test_the_element_of_the_subdifferential_is_the_documented_one():
    assert gradients(lambda x: x.abs(), 0.0) == [0]
    assert gradients(lambda x: x.clamp(0, 1), [0.0, 1.0, -1.0, 2.0]) == [[1, 1, 0, 0]]
    with np.errstate(divide="ignore"):
        assert gradients(lambda x: x.sqrt(), 0.0) == [math.inf]


# --- sharing memory with NumPy ------------------------------------------------------------------


def test_as_tensor_and_from_numpy_share_memory():
    a = np.zeros((2, 3), "float32")
    for t in (tn.as_tensor(a), tn.from_numpy(a)):
        assert t.data is a
        assert not t.requires_grad
    assert tn.as_tensor(a, "float64").dtype == tn.float64
    assert not np.may_share_memory(tn.as_tensor(a, "float64").data, a)
    assert tn.as_tensor([1.0, 2.0]).tolist() == [1, 2]
    x = tn.ones(2, requires_grad=True)
    assert tn.as_tensor(x) is x
    assert tn.as_tensor(x, "float64").requires_grad
    assert tn.tensor(a).data is not a
    for other in ([1.0], tn.ones(2), 3.0):
        with pytest.raises(TypeError, match=r"from_numpy: array is .*; it must be a NumPy array"):
            tn.from_numpy(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda t, v: t.__setitem__(0, v[0]), lambda t, v: t.add_(v), lambda t, v: t.mul_(v),
        lambda t, v: t.copy_(v),
    ],
)  # fmt: skip
def test_a_change_in_place_by_what_requires_a_gradient_is_refused(change):
    v, t = tn.ones(3, requires_grad=True) * 2.0, tn.zeros(3)
    with pytest.raises(RuntimeError, match=r"requires a gradient.*stack or cat.*detach"):
        change(t, v)
    assert t.tolist() == [0, 0, 0]
    with tn.no_grad():
        change(t, v)


@pytest.mark.parametrize(
    ("g", "error", "text"),
    [
        ([1.0, 2.0], TypeError, r"grad: it is set to \[1.0, 2.0\]; it must be a Tensor of float32"),
        (np.ones(2, "float32"), TypeError, "grad: it is set to an array of float32"),
        (tn.ones(2, dtype="float64"), TypeError, "grad: it is set to a tensor of float64"),
        (tn.ones(1), ValueError, r"grad: it is set to a Tensor of shape \(1,\)"),
    ],
)
def test_what_a_gradient_may_not_be(g, error, text):
    x = tn.ones(2, requires_grad=True)
    with pytest.raises(error, match=text):
        x.grad = g
    assert x.grad is None
    x.grad = tn.ones(2)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_tensor_is_not_equal_to_none_or_a_name():
    x = tn.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "cpu") is False
    assert None not in [x]
    assert (x == 1).tolist() == [True, True]
