"""Creation and conversion of tensors: dtypes, keywords, doors for arrays, random numbers."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest

import tinynet as tn
from tinynet import nn

with warnings.catch_warnings():  # NumPy advises against it; SciPy still returns it
    warnings.simplefilter("ignore")
    MATRIX = np.matrix([[1.0, 2.0], [3.0, 4.0]])


def test_sequences():
    assert tn.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert tn.arange(5, 1, -2).tolist() == [5, 3]
    assert tn.arange(end=3).dtype == tn.int64
    assert tn.arange(3.0).dtype == tn.float32
    assert tn.arange(0.1, -7.9, -4.0, dtype=tn.int64).tolist() == [0, -4]
    assert tn.arange(1, 4, dtype=tn.float64).tolist() == [1, 2, 3]
    assert tn.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert tn.linspace(-1, 1, 1001)[-1].item() == 1
    assert tn.linspace(3, 3, 1).tolist() == [3]
    assert tn.logspace(0, 3, 4).tolist() == [1, 10, 100, 1000]
    assert tn.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert tn.tril_indices(2, 2).tolist() == [[0, 1, 1], [0, 0, 1]]
    assert tn.triu_indices(2, 3, 1).tolist() == [[0, 0, 1], [1, 2, 2]]


def test_dtypes_of_new_tensors():
    assert tn.full((2,), 7).dtype == tn.int64
    assert tn.full((2,), 7.0).dtype == tn.float32
    assert tn.full((2,), True).dtype == tn.bool
    x = tn.ones(2, 3, dtype=tn.half)
    likes = [tn.zeros_like(x), tn.ones_like(x), tn.full_like(x, 2), tn.rand_like(x),
             tn.randn_like(x), tn.randint_like(x, 5), tn.empty_like(x), x.new_zeros(2, 3),
             x.new_full((2, 3), 1), x.new_ones((2, 3))]  # fmt: skip
    assert all(y.dtype == tn.float16 and y.shape == (2, 3) for y in likes)
    assert tn.zeros_like(x, dtype=tn.int32).dtype == tn.int32
    assert x.new_tensor([1]).dtype == tn.float16
    assert tn.tensor([tn.tensor(1.5), tn.tensor(2)]).tolist() == [1.5, 2]
    assert tn.zeros((2, 3)).shape == tn.zeros([2, 3]).shape == tn.zeros(2, 3).shape
    assert tn.zeros(size=(2, 3)).shape == (2, 3)


def test_conversions():
    x = tn.tensor([0.0, 1.9, -1.9], requires_grad=True)
    kinds = {"half": "float16", "float": "float32", "double": "float64", "byte": "uint8",
             "char": "int8", "short": "int16", "int": "int32", "long": "int64",
             "bool": "bool"}  # fmt: skip
    for name, dtype in kinds.items():
        assert getattr(x.detach(), name)().dtype == dtype
    assert x.int().tolist() == [0, 1, -1]
    assert x.bool().tolist() == [False, True, True]
    assert not x.int().requires_grad
    assert x.to(tn.float32) is x
    assert x.to("cpu", tn.float32, False, True) is not x
    assert x.to("cpu", non_blocking=True) is x
    assert x.type_as(tn.zeros(1, dtype="float64")).dtype == tn.float64
    assert x.to(tn.zeros(1, dtype="float64"), copy=True).dtype == tn.float64
    assert (x.dim(), x.ndimension(), x.nelement(), x.element_size(), x.nbytes) == (1, 1, 3, 4, 12)
    y = tn.zeros(2, 3)
    assert (y.stride(), y.T.stride(), y.stride(-1)) == ((3, 1), (1, 3), 1)
    assert y.is_contiguous()
    assert not y.T.is_contiguous()
    assert y.contiguous() is y
    assert y.T.contiguous().is_contiguous()
    assert x.numpy(force=True).tolist() == x.tolist()


def test_limits_of_dtypes():
    assert tn.finfo(tn.float32).max == float(np.finfo("float32").max)
    assert type(tn.finfo(tn.half).eps) is float
    assert (tn.iinfo(tn.int8).min, tn.iinfo("uint8").max, tn.iinfo(tn.long).bits) == (-128, 255, 64)
    with pytest.raises(TypeError, match="finfo: int64 is not a floating-point dtype"):
        tn.finfo(tn.int64)


def test_only_floats_can_require_a_gradient():
    x = tn.tensor([1, 2])
    with pytest.raises(TypeError, match="requires_grad: a tensor of int64 has no gradient"):
        x.requires_grad = True
    y = tn.ones(2)
    y.requires_grad = True
    assert (y * 2).requires_grad
    with pytest.raises(RuntimeError, match="only leaves"):
        (y * 2).requires_grad = False


@pytest.mark.parametrize(
    "door",
    [tn.tensor, tn.as_tensor, tn.from_numpy, tn.Tensor, nn.Parameter, tn.asarray,
     lambda a: tn.ones(2, 2, dtype="float64") * a],
)  # fmt: skip
def test_arrays_with_other_rules_come_in_as_plain_ones(door):
    x = door(MATRIX)
    assert type(x.data) is np.ndarray
    assert (x * x).tolist() == [[1, 4], [9, 16]]
    x = door(np.ones((2, 2)).view(np.recarray))
    assert type(x.data) is np.ndarray
    with pytest.raises(TypeError, match="masked array would lose its mask"):
        door(np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], [[True, False]] * 2))


def test_data_takes_plain_arrays():
    x = tn.zeros(2, 2)
    x.data = MATRIX
    assert type(x.data) is np.ndarray
    with pytest.raises(TypeError, match="masked array"):
        x.data = np.ma.masked_array([1.0])


def test_an_array_that_is_kept_may_be_overwritten():
    for f in (
        lambda x, a: x * a,
        lambda x, a: a / (x + 3),
        lambda x, a: x @ a,
        lambda x, a: tn.where(a > 0, x, 0.0) * 2,
        tn.functional.linear,
        tn.functional.mse_loss,
    ):
        gradients = []
        for overwrite in (False, True):
            a = np.array([[1.0, -2.0], [0.5, 3.0]])
            x = tn.tensor([[0.5, 1.0], [2.0, -1.0]], "float64", requires_grad=True)
            y = f(x, a).sum()
            if overwrite:
                a[...] = 100.0
            y.backward()
            gradients.append(x.grad.tolist())
        assert gradients[0] == gradients[1]


def test_a_shallow_copy_shares_the_version_and_the_gradient():
    x = tn.tensor([2.0], requires_grad=True)
    (x * x).sum().backward()
    twin = copy.copy(x)
    assert twin.grad is x.grad
    assert twin.requires_grad
    y = x * x
    with tn.no_grad():
        twin.mul_(2)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()
    z = copy.copy(x * 3)
    assert z.grad_fn is not None


def test_random_numbers_repeat_and_have_their_distribution():
    def draw():
        tn.manual_seed(5)
        w = tn.tensor([[0.0, 1.0, 3.0]])
        return [
            tn.rand(1000), tn.randn(1000), tn.randint(2, 5, (1000,)), tn.randperm(1000),
            tn.normal(3.0, 0.1, (1000,)), tn.full((1000,), 0.25).bernoulli(),
            w.multinomial(1000, replacement=True).flatten(), tn.full((1000,), 4.0).poisson(),
            tn.empty(1000).exponential_(2.0), tn.empty(1000).uniform_(-1, 1),
            tn.empty(1000).normal_(1, 2), tn.empty(1000).bernoulli_(0.5),
        ]  # fmt: skip

    first, second = draw(), draw()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    means = [0.5, 0, 3, 499.5, 3, 0.25, 1.75, 4, 0.5, 0, 1, 0.5]
    deviations = [0.29, 1, 0.82, 289, 0.1, 0.43, 0.43, 2, 0.5, 0.58, 2, 0.5]
    for x, mean, deviation in zip(first, means, deviations, strict=True):
        assert abs(x.double().mean().item() - mean) < 0.15 * deviation
        assert abs(x.double().std().item() - deviation) < 0.15 * deviation
    assert sorted(first[3].tolist()) == list(range(1000))
    assert sorted(tn.ones(5).multinomial(5).tolist()) == [0, 1, 2, 3, 4]
    assert tn.rand(3, dtype="float16").amax().item() < 1


def test_printing_can_be_set():
    try:
        tn.set_printoptions(precision=2)
        assert repr(tn.tensor([1 / 3])) == "tensor([0.33])"
    finally:
        tn.set_printoptions(precision=4)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [(2**40, "int32"), ([300], "uint8"), ([-129, 2], "int8"), ([2**63], None), (math.nan, "int64")],
)
def test_a_number_that_its_dtype_cannot_hold_is_an_error(data, dtype):
    with pytest.raises(ValueError, match="tensor: a number in data is not one of"):
        tn.tensor(data, dtype=dtype)


def test_an_operand_out_of_range_names_the_operation():
    with pytest.raises(ValueError, match="add: Python integer 300 out of bounds for uint8"):
        tn.tensor([1], dtype="uint8") + 300
