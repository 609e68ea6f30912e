"""float16 is computed in float32 and rounded once: results are float32's, rounded to float16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynet as tn
from tinynet import functional as F
from tinynet import nn, optim

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((3000, 6)).astype("float16")
LARGE = (RNG.random((3000, 6)) * 500).astype("float16")  # sums overflow float16
IMAGES = (RNG.standard_normal((2, 4, 40, 40)) * 20).astype("float16")
W = RNG.standard_normal((5, 6)).astype("float16")
LABELS = tn.tensor(RNG.integers(0, 6, 3000))
KERNEL = RNG.standard_normal((3, 4, 5, 5)).astype("float16")

# each is called with tensors of float16, and with the same numbers in float32
CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "sum": (lambda x: x.sum(0), (ROWS,)),
    "mean": (lambda x: x.mean(0), (LARGE,)),
    "mean of all": (lambda x: x.mean(), (LARGE,)),
    "var": (lambda x: x.var(0), (LARGE,)),
    "std": (lambda x: x.std(0), (LARGE,)),
    "norm": (lambda x: x.norm(dim=0), (LARGE,)),
    "cumsum": (lambda x: x.cumsum(0), (ROWS,)),
    "logsumexp": (lambda x: x.logsumexp(0), (ROWS,)),
    "softmax": (lambda x: x.softmax(0), (ROWS,)),
    "log_softmax": (lambda x: x.log_softmax(0), (ROWS,)),
    "cross_entropy": (lambda x: F.cross_entropy(x, LABELS), (ROWS,)),
    "cross_entropy, smoothed": (
        lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.1, ignore_index=2), (ROWS,)),
    "binary_cross_entropy_with_logits": (
        lambda x, z: F.binary_cross_entropy_with_logits(x, z.sigmoid().detach()), (ROWS, ROWS)),
    "mse_loss": (lambda x, t: F.mse_loss(x, t), (ROWS, ROWS[::-1])),
    "l1_loss": (lambda x, t: F.l1_loss(x, t), (LARGE, ROWS)),
    "huber_loss": (lambda x, t: F.huber_loss(x, t), (LARGE, ROWS)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (6,), w, b), (LARGE, W[0], W[1])),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (LARGE, W[0], W[1])),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 8, 4), (IMAGES,)),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 3), (IMAGES,)),
    "linear": (F.linear, (ROWS, W, W[:, 0].copy())),
    "matmul": (lambda a, b: a @ b, (ROWS.T.copy(), ROWS)),
    "einsum": (lambda a, b: tn.einsum("ni,nj->ij", a, b), (ROWS, ROWS)),
    "conv2d": (F.conv2d, (IMAGES, KERNEL, W[:3, 0].copy())),
    "getitem": (lambda x: x[np.arange(3000) % 7], (ROWS,)),
    "broadcast": (lambda b: b + tn.zeros(3000, 6, dtype=b.dtype), (W[0],)),
    "unfold": (lambda x: F.unfold(x, 5), (IMAGES,)),
}  # fmt: skip


def assert_rounded(found: Any, want: Any) -> None:
    """`found` is the float16 nearest to `want`, or, where two are about as near, the other."""
    assert found.dtype == np.float16
    want = want.astype("float32")
    assert np.isfinite(want).all()
    near = want.astype("float16")
    slack = np.abs(want) * 2e-6 + 1e-9  # float32's own error, in another order of adding
    other = (want + np.sign(found.astype("float32") - near) * slack).astype("float16")
    assert ((found == near) | (found == other)).all()


@pytest.mark.parametrize("name", CASES)
def test_results_and_gradients_are_rounded_once(name: str) -> None:
    function, arrays = CASES[name]
    half = [tn.tensor(a, requires_grad=True) for a in arrays]
    full = [tn.tensor(a.astype("float32"), requires_grad=True) for a in arrays]
    y, want = function(*half), function(*full)
    assert_rounded(y.data, want.data)
    gy = tn.tensor((RNG.random(y.shape) * 0.01 + 0.01).astype("float16"))
    found = tn.grad(y, half, gy, allow_unused=True)
    expected = tn.grad(want, full, gy.float(), allow_unused=True)
    for g, e in zip(found, expected, strict=True):
        if g is not None:
            assert_rounded(g.data, e.data)


def test_what_was_nan() -> None:
    x = tn.tensor(RNG.standard_normal((70_000, 3)).astype("float16"), requires_grad=True)
    loss = F.cross_entropy(x, tn.zeros(70_000, dtype="int64"))
    loss.backward()
    assert np.isfinite(loss.item())
    assert tn.ones(400, 400, dtype="float16").mean().item() == 1
    assert tn.ones(5000, 3, dtype="float16").mean(0).tolist() == [1, 1, 1]


def test_second_derivatives_stay_in_float16() -> None:
    x = tn.tensor(ROWS[:20], requires_grad=True)
    (g,) = tn.grad((x.softmax(0) * x).mean(), x, create_graph=True)
    (h,) = tn.grad((g * g).sum(), x)
    assert g.dtype == h.dtype == np.float16


def test_batch_norm_keeps_running_statistics() -> None:
    half, full = nn.BatchNorm1d(6), nn.BatchNorm1d(6)
    half.to("float16")
    for layer, x in ((half, LARGE), (full, LARGE.astype("float32"))):
        layer(tn.tensor(x))
    for name in ("running_mean", "running_var"):
        assert_rounded(getattr(half, name).data, getattr(full, name).data)
    half.eval()
    full.load_state_dict(half.state_dict())
    full.eval()
    y = half(tn.tensor(LARGE))
    assert_rounded(y.data, full(tn.tensor(LARGE.astype("float32"))).data)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p),
    "Adam with decay": lambda p: optim.Adam(p, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, weight_decay=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, momentum=0.9, centered=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_that_of_float32_rounded_once(name: str) -> None:
    """From the same numbers; the state is float32's, to the bit."""
    half = [tn.tensor(a, requires_grad=True) for a in (W, ROWS[:4], W[0])]
    full = [p.detach().float().requires_grad_() for p in half]
    ours, theirs = OPTIMIZERS[name](half), OPTIMIZERS[name](full)
    for step in range(3):
        for p, q in zip(half, full, strict=True):
            g = (RNG.standard_normal(p.shape) * 1e-4).astype("float16")
            g[..., 0] = 0
            p.grad, q.grad = tn.tensor(g), tn.tensor(g.astype("float32"))
            q.data = p.data.astype("float32")
        if step == 2:  # and after saving and loading
            state = ours.state_dict()
            ours = OPTIMIZERS[name](half)
            ours.load_state_dict(state)
        ours.step()
        theirs.step()
        for p, q in zip(half, full, strict=True):
            np.testing.assert_array_equal(p.data, q.data.astype("float16"), strict=True)


def test_an_entry_without_a_gradient_does_not_become_nan() -> None:
    for name, make in OPTIMIZERS.items():
        p = tn.ones(3, dtype="float16").requires_grad_()
        p.grad = tn.zeros(3, dtype="float16")
        make([p]).step()
        assert np.isfinite(p.data).all(), name
