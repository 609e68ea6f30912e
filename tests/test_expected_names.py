"""What programs for PyTorch type besides mathematics: devices, constants, changes in place."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinynet as tn
from tinynet.changes import Changes

SMALL = [[0.25, 0.5, -0.75], [0.75, -0.25, 0.5], [0.5, 0.25, 0.75]]


def test_constants_and_types():
    assert (tn.pi, tn.e, tn.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(tn.nan)
    x = tn.ones(2, 3)
    assert x[:, tn.newaxis].shape == (2, 1, 3)
    assert isinstance(x.dtype, tn.dtype)
    assert isinstance(x.shape, tn.Size)
    assert x.contiguous(memory_format=tn.contiguous_format) is x
    with pytest.raises(ValueError, match="memory_format channels_last is not supported"):
        tn.ones(1, 2, 3, 3).contiguous(memory_format=tn.channels_last)


def test_the_default_dtype():
    assert tn.get_default_dtype() == tn.float32
    tn.set_default_dtype(tn.float32)
    with pytest.raises(ValueError, match="set_default_dtype: float64 is not supported"):
        tn.set_default_dtype(tn.float64)


def test_results_that_agree():
    close = tn.testing.assert_close
    x = tn.tensor([1.0, 2.0])
    close(x, x + 1e-6)
    close((x, {"a": [3]}), (x, {"a": [3]}))
    close(np.array([1.0]), [1.0 + 1e-8])
    close(tn.tensor([math.nan, math.inf]), tn.tensor([math.nan, math.inf]), equal_nan=True)
    close(x.double(), x, check_dtype=False)
    close(x, x + 0.5, rtol=0.0, atol=0.5)
    big = tn.tensor([2**62])
    wrong = [
        (lambda: close(x, x + 1e-4), r"2 of 2 entries differ .the worst is entry \(\d,\)"),
        (lambda: close(x, x[:1]), r"the shapes differ: \(2,\) and \(1,\)"),
        (lambda: close(x, x.double()), "the dtypes differ: float32 and float64"),
        (lambda: close([x, x], [x]), "the lengths differ: 2 and 1"),
        (lambda: close({"a": x}, {"b": x}), r"the keys differ: \['a'\] and \['b'\]"),
        (lambda: close({"a": [x]}, {"a": [x + 1]}), r"entries differ at \['a'\]\[0\]"),
        (lambda: close(x * math.nan, x * math.nan), "2 of 2 entries differ"),
        (lambda: close(big, big + 1), "1 of 1 entries differ"),
        (lambda: close(3, 4), "1 of 1 entries differ: 3 and 4, by 1; rtol 0 and atol 0 allow 0"),
    ]
    for call, text in wrong:
        with pytest.raises(AssertionError, match=f"^assert_close: .*{text}"):
            call()
    with pytest.raises(AssertionError, match=r"^mine$"):
        close(3, 4, msg="mine")
    with pytest.raises(AssertionError, match=r"^mine: assert_close"):
        close(3, 4, msg=lambda text: f"mine: {text}")
    with pytest.raises(ValueError, match="give both rtol and atol"):
        close(3, 4, rtol=1.0)


def test_which_device():
    available = tn.cuda.is_available()
    assert tn.cuda.device_count() == int(available)
    assert tn.accelerator.is_available() == available
    found = tn.accelerator.current_accelerator()
    assert (found.type if found else "cpu") == ("cuda" if available else "cpu")
    tn.cuda.synchronize()
    tn.cuda.empty_cache()
    tn.cuda.manual_seed_all(3)
    a = tn.rand(2)
    tn.manual_seed(3)
    assert a.tolist() == tn.rand(2).tolist()
    x = tn.ones(2)
    assert (x.is_cpu, x.is_cuda, x.get_device()) == (True, False, -1)
    assert x.data_ptr() == x[:1].data_ptr() == x[1:].data_ptr() - 4
    if not available:
        with pytest.raises(tn.DeviceError, match="cuda"):
            tn.cuda.current_device()


def test_the_state_of_the_generator():
    tn.seed()
    state = tn.get_rng_state()
    a = tn.rand(3).tolist()
    with tn.random.fork_rng():
        tn.rand(5)
    b = tn.rand(3).tolist()
    tn.set_rng_state(state)
    assert tn.rand(3).tolist() == a
    assert tn.rand(3).tolist() == b
    first = tn.seed()
    c = tn.rand(1).item()
    tn.manual_seed(first)
    assert tn.rand(1).item() == c


def test_what_a_tensor_is():
    x = tn.tensor([[1.0, 2.0]], requires_grad=True)
    y = x * 2.0
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    assert not x.retains_grad
    assert tn.is_nonzero(tn.tensor(3))
    with pytest.raises(RuntimeError, match=r"is_nonzero: shape \(1, 2\)"):
        x.is_nonzero()
    assert tn.is_same_size(x, y)
    assert not tn.is_same_size(x, y[0])
    assert [tn.is_signed(x.to(d)) for d in ("int8", "uint8", "bool", "float16")] == [1, 0, 0, 1]
    assert tn.adjoint(x).shape == x.H.shape == x.mH.shape == (2, 1)
    assert tn.clone(y).grad_fn is not None
    z = tn.detach(y)
    assert z.grad_fn is None
    assert y.detach_() is y
    assert y.grad_fn is None
    assert not y.requires_grad
    with pytest.raises(ValueError, match=r"adjoint: shape \(2,\)"):
        x[0].adjoint()


# name: (arguments, a base if SMALL is not in the domain)
ARGUMENTS = {
    "addbmm": ([tn.ones(2, 3, 2), tn.ones(2, 2, 3)], None),
    "baddbmm": ([tn.ones(3, 3, 2), tn.ones(3, 2, 3)], np.ones((3, 3, 3))),
    "addmm": ([tn.ones(3, 2), tn.ones(2, 3)], None),
    "addmv": ([tn.ones(3, 2), tn.ones(2)], np.ones(3)),
    "addr": ([tn.ones(3), tn.ones(3)], None),
    **dict.fromkeys(("acosh", "arccosh"), ([], np.array(SMALL) + 2.0)),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), ([2], [4, 6, 9])),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), ([3], [4, 6, 9])),
    **dict.fromkeys(("gcd", "lcm"), ([tn.tensor(6)], [4, 6, 9])),
    "bitwise_not": ([], [4, 6, 9]),
    **dict.fromkeys(("cumprod", "cumsum"), ([1], None)),
    **dict.fromkeys(
        ("digamma", "lgamma", "log", "log2", "log10", "logit", "rsqrt", "sqrt"), ([], np.abs(SMALL))
    ),
    "float_power": ([2.0], None),
    "index_reduce": ([0, tn.tensor([0, 2]), tn.ones(2, 3), "amax"], None),
    "put": ([tn.tensor([0, 4]), tn.tensor([1.0, 2.0])], None),
    "renorm": ([2, 0, 0.5], None),
    "lerp": ([tn.ones(3), 0.5], None),
    **dict.fromkeys(("addcdiv", "addcmul"), ([tn.ones(3), tn.full((3,), 2.0)], None)),
    **dict.fromkeys(("clamp", "clip"), ([-0.3, 0.3], None)),
    **dict.fromkeys(("clamp_max", "clamp_min"), ([0.3], None)),
    **dict.fromkeys(
        "add atan2 arctan2 copysign div divide eq floor_divide fmod ge greater greater_equal gt "
        "heaviside hypot le less less_equal logical_and logical_or logical_xor lt mul multiply ne "
        "not_equal pow remainder sub subtract true_divide xlogy".split(),
        ([tn.full((3,), 0.5)], np.abs(SMALL)),
    ),
}
SHAPES = {"squeeze_", "unsqueeze_", "transpose_", "swapaxes_", "swapdims_", "t_"}
METHODS = sorted(
    n for n in vars(Changes)
    if n.endswith("_") and not n.startswith("_")
    and n not in SHAPES | {"copy_", "fill_", "zero_", "detach_", "fill_diagonal_"}
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_what_a_change_in_place_writes(method):
    name = method[:-1]
    args, base = ARGUMENTS.get(name, ([], None))
    x = tn.tensor(SMALL if base is None else base)
    x = x if isinstance(base, list) else x.double()
    tracked = x.clone().requires_grad_() if x.dtype.kind == "f" else None
    args = [a.double() if isinstance(a, tn.Tensor) and a.dtype.kind == "f" else a for a in args]
    expected = getattr(x, name)(*args).to(x.dtype)
    view = x.view(-1)
    assert getattr(x, method)(*args) is x
    np.testing.assert_array_equal(x.numpy(), expected.numpy())
    np.testing.assert_array_equal(view.numpy(), expected.numpy().reshape(-1))
    if tracked is not None:
        with pytest.raises(RuntimeError, match=f"^{method}: .*in place"):
            getattr(tracked, method)(*args)


def test_changes_of_the_shape():
    x = tn.arange(6.0).reshape(1, 2, 3)
    y = x * 1.0
    assert y.squeeze_() is y
    assert y.shape == (2, 3)
    assert y.t_().shape == (3, 2)
    assert y.unsqueeze_(1).transpose_(0, 2).shape == (2, 1, 3)
    assert y.squeeze_(1).tolist() == x[0].tolist()
    assert y.swapaxes_(0, 1).swapdims_(0, 1).tolist() == x[0].tolist()
    w = tn.ones(3, requires_grad=True)
    product = (y * w).sum()
    y.t_()
    with pytest.raises(RuntimeError, match="changed in place"):
        product.backward()
    with pytest.raises(RuntimeError, match="t_: a tensor that requires"):
        tn.ones(2, 2, requires_grad=True).t_()


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (7, 3), (3, 3, 3), (0, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape, wrap):
    expected = np.zeros(shape)
    np.fill_diagonal(expected, 5.0, wrap=wrap) if expected.size else None
    assert tn.zeros(*shape).fill_diagonal_(5.0, wrap).tolist() == expected.tolist()


def test_what_has_no_diagonal_to_fill():
    for shape in [(3,), (2, 3, 3)]:
        with pytest.raises(ValueError, match="fill_diagonal_: shape"):
            tn.zeros(*shape).fill_diagonal_(1.0)


def test_random_numbers_in_place():
    tn.manual_seed(0)
    x = tn.empty(4000, dtype="int64")
    assert x.random_(3).bincount().min().item() > 1200
    assert sorted(set(x.random_(-2, 1).tolist())) == [-2, -1, 0]
    assert x.random_().max().item() > 2**60
    assert set(tn.empty(99, dtype="bool").random_().tolist()) == {False, True}
    assert 200 < tn.empty(999, dtype="uint8").random_().max().item() <= 255
    y = tn.empty(2000)
    assert 2**23 < y.random_().max().item() <= 2**24
    assert abs(x.geometric_(0.25).double().mean().item() - 4.0) < 0.25
    assert x.min().item() == 1
    assert abs(y.log_normal_(0.5, 0.25).log().mean().item() - 0.5) < 0.03
    assert abs(y.cauchy_(3.0, 0.5).median().item() - 3.0) < 0.1
    same = [tn.empty(5).random_(9, generator=tn.Generator().manual_seed(1)) for _ in range(2)]
    assert same[0].tolist() == same[1].tolist()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.random_(3, 3), ValueError, "random_: from 3 to 3 is empty"),
        (lambda x: x.random_(1.5), TypeError, "random_: a bound"),
        (lambda x: x.random_(1, 2, 3), TypeError, "random_: 3 bounds"),
        (lambda x: x.geometric_(1.5), ValueError, "geometric_: p is 1.5"),
        (lambda x: x.cauchy_(0, -1), ValueError, "cauchy_: sigma is -1"),
        (lambda x: x.long().log_normal_(), TypeError, "log_normal_: the tensor is int64"),
    ],
)
def test_wrong_bounds_and_parameters(call, error, text):
    with pytest.raises(error, match=f"^{text}"):
        call(tn.ones(3))


def test_settings_that_change_nothing():
    tn.backends.cudnn.benchmark, tn.backends.cudnn.deterministic = True, True
    tn.backends.cuda.matmul.allow_tf32 = True
    assert not tn.backends.mps.is_available()
    tn.use_deterministic_algorithms(True, warn_only=True)
    assert tn.are_deterministic_algorithms_enabled()
    tn.set_float32_matmul_precision("high")
    assert tn.get_float32_matmul_precision() == "highest"
    with pytest.raises(ValueError, match="precision is 'low'"):
        tn.set_float32_matmul_precision("low")


def test_anomalies_are_looked_for_from_now_on():
    x = tn.tensor([-1.0])

    def finds():
        try:
            with np.errstate(invalid="ignore"):
                x.sqrt()
        except tn.AnomalyError:
            return True
        return False

    switch = tn.autograd.set_detect_anomaly
    assert not finds()
    try:
        switch(True)
        switch(True)
        assert finds()
        with switch(False):
            assert not finds()
        assert finds()
        with tn.autograd.Watcher():  # one inside of it
            switch(False)
            assert not finds()
        assert not finds()
        with switch(True):
            assert finds()
        assert not finds()
    finally:
        switch(False)
    with pytest.raises(ValueError, match="check_nan is False"):
        switch(True, check_nan=False)
