"""Fifteen checks that an engine of this kind must pass, each under its number.

They are short statements of properties that the other tests hold at more length; a docstring says
where, and which part of checks 14 and 15 belongs to downloads and checkpoints, which come later.
"""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants import Mutant, mutants_of, run
from test_lenet import Dtypes, step
from untraced import untraced

import tinynet as tn
import tinynet.functional as F
from tinynet import models, nn, optim
from tinynet.autograd import Op
from tinynet.ops import registry
from tinynet.testing import GradientError, check_grads, definitions
from tinynet.testing.strategies import broadcastable_shapes, contents


def leaf(*numbers: float) -> tn.Tensor:
    return tn.tensor(np.array(numbers), requires_grad=True)


def grads(f, *xs: tn.Tensor) -> list[np.ndarray]:
    return [g.numpy() for g in tn.grad(f(*xs).sum(), list(xs))]


def test_check_01_reuse() -> None:
    """A value used twice, a cube, a + a; backward twice."""
    x = tn.tensor(2.0, requires_grad=True)
    y = x * 3
    (y * 2 + y * 5).backward()
    assert x.grad.item() == 21
    assert grads(lambda x: x * x * x, leaf(2.0))[0] == 12
    a = leaf(1.0, 2.0)
    z = (a + a).sum()
    z.backward(retain_graph=True)
    assert a.grad.tolist() == [2, 2]
    z.backward()
    assert a.grad.tolist() == [4, 4]
    with pytest.raises(RuntimeError, match="freed"):
        z.backward()


@untraced()
def test_check_02_depth_and_memory() -> None:
    """A deep chain at the default recursion limit; a loss dies at del; LeNet's memory is flat.

    Longer: test_a_chain_of_50000_operations_*, test_memory_is_flat_over_1000_steps_*.
    """
    x = leaf(1.0)
    y = x
    for _ in range(50_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1
    del y
    model = models.LeNet()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    images, labels = tn.rand(2, 1, 28, 28), tn.tensor(np.array([3, 1]))
    gc.collect()
    gc.disable()
    try:
        loss = F.cross_entropy(model(images), labels)
        dead = weakref.ref(loss)
        del loss
        assert dead() is None
        step(model, optimizer, images, labels)
        before = len(gc.get_objects())
        for _ in range(200):
            step(model, optimizer, images, labels)
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()


BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "maximum": tn.maximum,
    "where": lambda a, b: tn.where(np.True_, a, b) + tn.where(np.False_, a, b),
}


@given(broadcastable_shapes(), st.sampled_from(list(BINARY)), st.integers(0, 2**32 - 1))
def test_check_03_broadcast(shapes, name, seed) -> None:
    """Shapes of gradients, and their numbers, for whatever broadcasts."""
    rng = np.random.default_rng(seed)
    a, b = (tn.tensor(contents(s, "positive", rng), requires_grad=True) for s in shapes)
    b = (b.detach() + 0.3137).requires_grad_()  # none is equal to one of a
    y = BINARY[name](a, b)
    y.backward(tn.ones(*y.shape, dtype="float64"))
    assert a.grad.shape == a.shape
    assert b.grad.shape == b.shape
    assert not np.shares_memory(a.grad.data, b.grad.data)
    if y.numel() and a.numel() * b.numel() < 200:
        check_grads(BINARY[name], [a, b], 1)


def test_check_04_in_place_guard() -> None:
    x = leaf(3.0)
    y = x * x
    with tn.no_grad():
        x.add_(1.0)
    with pytest.raises(RuntimeError, match=r"mul.*changed in place"):
        y.backward()
    with pytest.raises(RuntimeError):
        (leaf(1.0) * 2)[0] = 1.0
    with pytest.raises(TypeError, match=r"int64|float"):
        tn.tensor([1, 2], requires_grad=True)


def test_check_05_coverage() -> None:
    """Every name is checked or marked: test_public_names. Arrays on the left stay tracked."""
    import test_public_names as names

    names.test_every_method_is_in_a_table()
    names.test_every_function_is_in_a_table()
    t = tn.tensor(np.ones((2, 2)), requires_grad=True)
    for y in (np.ones((2, 2)) * t, np.float64(2) * t, t @ np.ones((2, 2)), np.ones(2) - t):
        assert isinstance(y, tn.Tensor)
        assert y.requires_grad


def test_check_06_stability() -> None:
    """Logits of +-1e4 in float32 against float64; a mixed batch row by row."""
    rng = np.random.default_rng(0)
    rows, labels = rng.choice([1e4, -1e4, 0.0], (6, 5)), rng.integers(0, 5, 6)
    functions = {
        "log_softmax": lambda x: F.log_softmax(x, 1),
        "cross_entropy": lambda x: F.cross_entropy(x, labels, reduction="none"),
        "bce": lambda x: F.binary_cross_entropy_with_logits(x, (x.detach() > 0) * 1.0),
        "softplus": F.softplus,
        "logsigmoid": F.logsigmoid,
    }
    for f in functions.values():
        found = []
        for dtype in ("float32", "float64"):
            x = tn.tensor(rows, dtype, requires_grad=True)
            y = f(x)
            found.append([y.detach().numpy(), *grads(f, x)])
        for narrow, wide in zip(*found, strict=True):
            assert np.isfinite(narrow).all()
            np.testing.assert_allclose(narrow, wide, rtol=1e-5, atol=1e-6)
    x = tn.tensor(rows, requires_grad=True)
    (g,) = grads(lambda x: F.cross_entropy(x, labels), x)
    np.testing.assert_allclose(g, (F.softmax(x, 1).detach().numpy() - np.eye(5)[labels]) / 6)
    alone = [F.log_softmax(x[i : i + 1], 1).detach().numpy() for i in range(6)]
    np.testing.assert_array_equal(F.log_softmax(x, 1).detach().numpy(), np.concatenate(alone))


def test_check_07_ties_and_nan_traps() -> None:
    for image in (np.zeros((1, 2, 4, 4)), np.maximum(contents((1, 2, 4, 4), "normal", RNG), 0)):
        x = tn.tensor(image, requires_grad=True)
        for y in (F.max_pool2d(x, 3, 1, 1), x.amax((2, 3)), x.max(3)[0]):
            c = tn.tensor(contents(y.shape, "normal", RNG))
            (g,) = tn.grad(y, x, c)
            assert g.sum().item() == pytest.approx(c.sum().item(), abs=1e-12)
    assert grads(lambda x: x.norm(), leaf(0.0, 0.0))[0].tolist() == [0, 0]
    assert grads(lambda x: x**0, leaf(0.0))[0] == [0]
    masked = lambda x: tn.where(x > 0, tn.where(x > 0, x, 1.0).sqrt(), 0.0)  # noqa: E731
    assert grads(masked, leaf(0.0, 4.0))[0].tolist() == [0, 0.25]


RNG = np.random.default_rng(12)


def test_check_08_pooling_and_convolution() -> None:
    """A grid of geometries against nested loops; see test_adjoints for drawn ones."""
    negative = -1.0 - np.abs(contents((2, 2, 6, 5), "normal", RNG))
    cases = 0
    for k in (1, 2, 3):
        for stride in (1, 2, 3):
            for padding in range(k // 2 + 1):
                for image in (negative, negative[:0]):
                    x, w = tn.tensor(image), tn.tensor(contents((3, 2, k, k), "normal", RNG))
                    p, s = (padding, padding), (stride, stride)
                    got = F.max_pool2d(x, k, stride, padding).numpy()
                    np.testing.assert_array_equal(got, definitions.max_pool2d(image, (k, k), s, p))
                    got = F.avg_pool2d(x, k, stride, padding).numpy()
                    want = definitions.conv2d(
                        image, np.ones((2, 1, k, k)) / k**2, None, s, p, (1, 1), groups=2
                    )
                    np.testing.assert_allclose(got, want, atol=1e-14)
                    got = F.conv2d(x, w, None, stride, padding).numpy()
                    want = definitions.conv2d(image, w.numpy(), None, s, p)
                    np.testing.assert_allclose(got, want, atol=1e-13)
                    cases += 3
    assert cases >= 90
    got = F.adaptive_avg_pool2d(tn.tensor(negative), (4, 3)).numpy()
    want = [[negative[0, 0, a:b, c:d].mean() for c, d in ((0, 2), (1, 4), (3, 5))]
            for a, b in ((0, 2), (1, 3), (3, 5), (4, 6))]  # fmt: skip
    np.testing.assert_allclose(got[0, 0], want)
    w = tn.tensor(np.ones((3, 2, 2, 2)), requires_grad=True)
    F.conv2d(tn.tensor(negative[:0]), w).sum().backward()
    assert not w.grad.numpy().any()
    with pytest.raises(ValueError, match="half of the kernel"):
        F.max_pool2d(tn.tensor(negative), 2, 2, 2)


def test_check_09_dtype() -> None:
    """Every array of a float32 step stays float32, with a NumPy number for the rate."""
    model = models.LeNet()
    optimizer = optim.Adam(model.parameters(), lr=np.float64(1e-3), weight_decay=np.float64(0.1))
    with Dtypes() as watcher:
        loss = step(model, optimizer, tn.rand(4, 1, 28, 28), tn.tensor(np.array([3, 1, 4, 1])))
    assert len(watcher.seen) > 10
    assert {dtype for _, dtype in watcher.seen} == {"float32"}
    assert loss.dtype == np.float32
    for slots in optimizer.state_dict()["state"].values():
        assert {str(v.dtype) for v in slots.values() if isinstance(v, np.ndarray)} == {"float32"}


def test_check_10_gradcheck_has_teeth() -> None:
    """Four mutants of some rules here, 1,500 of all of them in test_mutants."""
    for name, op in list(registry().items())[2:6]:
        for mutant in [m for m in mutants_of(op, op.inputs[-1]) if m.order == 1][:4]:
            assert run(op, mutant).outcome == "order 1", (name, mutant)
    tiny = Op(lambda x: 1e-6 * np.exp(x))
    tiny.rule("x")(lambda gy, y: gy * y * 9.0)
    with pytest.raises(GradientError, match="wrong gradient"):
        check_grads(tiny, leaf(0.5, 1.0), 1)
    tiny.rule("x")(lambda gy, y: gy * y)
    check_grads(tiny, leaf(0.5, 1.0), rtol=1e-5)
    assert check_grads(F.relu, leaf(0.0, 1.0)).kinks
    with pytest.raises(GradientError, match="not deterministic"):
        check_grads(nn.Dropout(0.5), leaf(*np.arange(1.0, 9.0)))
    with pytest.raises(TypeError, match="float32"):
        check_grads(F.relu, tn.tensor([1.0], requires_grad=True))
    assert isinstance(mutant, Mutant)


def test_check_11_flake_free() -> None:
    """No deadline, and a blob to run a failure again; 20 runs with 20 seeds were made by hand:
    for seed in $(seq 20); do pytest --hypothesis-seed=$seed; done."""
    from hypothesis import settings

    assert settings().deadline is None
    assert settings().print_blob


def test_check_12_shape_and_label_errors(device) -> None:
    a, b = (tn.zeros(*s, device=device) for s in ((4, 1), (4,)))
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\)"):
        F.mse_loss(a, b)
    logits = tn.zeros(2, 10, device=device)
    with pytest.raises((ValueError, IndexError), match="10"):
        F.cross_entropy(logits, tn.tensor(np.array([3, 10]), device=device))
    import test_house

    test_house.test_one_file_knows_cupy_and_the_operations_name_no_array_module()
