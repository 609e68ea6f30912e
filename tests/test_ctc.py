"""ctc_loss: all paths enumerated, PyTorch's numbers, gradients, what cannot be read."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import nn
from tinynet.testing import check_grads

RNG = np.random.default_rng(3)


def log_probs(*shape):
    return tn.tensor(RNG.normal(size=shape)).log_softmax(-1)


def read(path, blank):
    """What a path reads as: repeated labels become one, then blanks go."""
    return [label for label, _ in itertools.groupby(path) if label != blank]


def by_enumeration(x, target, blank):
    """-ln of the sum of the probabilities of all paths of x (T, C) that read as the target."""
    total = 0.0
    for path in itertools.product(range(x.shape[1]), repeat=len(x)):
        if read(path, blank) == list(target):
            total += math.exp(sum(x[t, c] for t, c in enumerate(path)))
    return -math.log(total) if total else math.inf


TARGETS = [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 1)]


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("frames", [1, 3, 5])
def test_all_paths(frames, blank):
    targets = [tuple(c - (c == blank) * blank for c in row) for row in TARGETS]
    x = log_probs(frames + 1, len(targets), 3)
    padded = tn.tensor([[*row, *[0] * (4 - len(row))] for row in targets])
    lengths = [len(row) for row in targets]
    frames_of = [frames + n % 2 for n in range(len(targets))]
    losses = F.ctc_loss(x, padded, frames_of, lengths, blank, "none")
    for n, row in enumerate(targets):
        expected = by_enumeration(x.numpy()[: frames_of[n], n], row, blank)
        assert losses[n].item() == pytest.approx(expected, rel=1e-12)
    flat = tn.tensor([c for row in targets for c in row])
    joined = F.ctc_loss(x, flat, tn.tensor(frames_of), tn.tensor(lengths), blank, "none")
    np.testing.assert_array_equal(joined.numpy(), losses.numpy())


def test_reductions_and_one_example():
    x = log_probs(6, 2, 4)
    targets, lengths = tn.tensor([[1, 2, 3], [2, 2, 0]]), (3, 2)
    losses = F.ctc_loss(x, targets, (6, 5), lengths, reduction="none")
    assert F.ctc_loss(x, targets, (6, 5), lengths, reduction="sum").item() == losses.sum().item()
    mean = F.ctc_loss(x, targets, (6, 5), lengths)
    assert mean.item() == pytest.approx((losses[0].item() / 3 + losses[1].item() / 2) / 2)
    assert nn.CTCLoss()(x, targets, (6, 5), lengths).item() == mean.item()
    one = F.ctc_loss(x[:, 0], targets[0], 6, 3, reduction="none")
    assert one.shape == ()
    assert one.item() == pytest.approx(losses[0].item())


def test_what_cannot_be_read():
    x = log_probs(3, 3, 3).requires_grad_()
    targets = tn.tensor([[1, 1, 1], [1, 2, 0], [1, 0, 0]])  # three equal labels need five frames
    losses = F.ctc_loss(x, targets, (3, 3, 0), (3, 2, 1), reduction="none")
    assert losses[0].item() == losses[2].item() == math.inf
    assert math.isfinite(losses[1].item())
    zeros = F.ctc_loss(x, targets, (3, 3, 0), (3, 2, 1), 0, "none", True)
    assert zeros.tolist() == [0.0, losses[1].item(), 0.0]
    zeros.sum().backward()
    assert x.grad[:, [0, 2]].abs().sum().item() == 0.0
    assert F.ctc_loss(x[:1], tn.tensor([[1], [1], [1]]), [0] * 3, [0] * 3).item() == 0.0


def test_a_class_without_probability():
    x = tn.tensor([[0.0, -math.inf, 0.0], [0.0, 0.0, -math.inf]], requires_grad=True).log_softmax(1)
    loss = F.ctc_loss(x, tn.tensor([1]), 2, 1)
    assert loss.item() == pytest.approx(math.log(4.0))  # blank and then 1; frame 1 may not be 1
    (g,) = tn.grad(loss, x)
    assert not g.isnan().any()


def test_gradients_to_second_order():
    targets = tn.tensor([[1, 2], [1, 1], [0, 0]])
    x = tn.tensor(RNG.normal(size=(4, 3, 3)), requires_grad=True)
    check_grads(
        lambda x: F.ctc_loss(x.log_softmax(2), targets, (4, 3, 2), (2, 2, 0), reduction="none"), x
    )
    check_grads(lambda x: F.ctc_loss(x, targets, (4, 3, 2), (2, 2, 0)), x)


def test_many_frames_in_float32_and_float16():
    x = log_probs(300, 2, 5)
    targets = tn.tensor(RNG.integers(1, 5, (2, 40)))
    exact = F.ctc_loss(x, targets, (300, 250), (40, 35), reduction="none")
    single = F.ctc_loss(x.float(), targets, (300, 250), (40, 35), reduction="none")
    np.testing.assert_allclose(single.numpy(), exact.numpy(), rtol=1e-5)
    half = F.ctc_loss(x.half(), targets, (300, 250), (40, 35), reduction="none")
    assert half.dtype == "float16"
    np.testing.assert_allclose(half.numpy(), exact.numpy(), rtol=2e-3)


def test_the_numbers_are_pytorchs():
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(9, 3, 5))
    targets = RNG.integers(1, 5, (3, 4))
    ours = tn.tensor(x).log_softmax(2).detach().requires_grad_()
    theirs = torch.tensor(x).log_softmax(2).requires_grad_()
    for reduction in ("none", "sum", "mean"):
        a = F.ctc_loss(ours, tn.tensor(targets), (9, 8, 7), (4, 2, 0), reduction=reduction)
        b = torch.nn.functional.ctc_loss(
            theirs, torch.tensor(targets), (9, 8, 7), (4, 2, 0), reduction=reduction
        )
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)
        (ga,) = tn.grad(a.sum(), ours)
        (gb,) = torch.autograd.grad(b.sum(), theirs)
        np.testing.assert_allclose(ga.numpy(), gb.numpy(), atol=1e-10)


X = log_probs(4, 2, 3)
T = tn.tensor([[1, 2], [1, 1]])
WRONG = [
    (lambda: F.ctc_loss(X.long(), T, (4, 4), (2, 2)), TypeError, "log_probs is int64"),
    (lambda: F.ctc_loss(X[0, 0], T, (4, 4), (2, 2)), ValueError, r"log_probs has shape \(3,\)"),
    (lambda: F.ctc_loss(X, T, (4, 5), (2, 2)), ValueError, r"input_lengths\[1\] is 5, .* 4 frames"),
    (lambda: F.ctc_loss(X, T, (4,), (2, 2)), ValueError, r"input_lengths is \[4\]; it must be 2"),
    (lambda: F.ctc_loss(X, T, (4, 4), (2, 3)), ValueError, r"targets has shape \(2, 2\)"),
    (lambda: F.ctc_loss(X, T, (4, 4), (2, -1)), ValueError, r"target_lengths is \[2, -1\]"),
    (lambda: F.ctc_loss(X, T[0], (4, 4), (2, 2)), ValueError, "targets has 2 labels, .* to 4"),
    (lambda: F.ctc_loss(X, T + 2, (4, 4), (2, 2)), ValueError, "a label is 3; .* 3 classes"),
    (lambda: F.ctc_loss(X, T.double(), (4, 4), (2, 2)), TypeError, "targets is a tensor of float"),
    (lambda: F.ctc_loss(X, [[1]], (4, 4), (2, 2)), TypeError, r"targets is \[\[1\]\]"),
    (lambda: F.ctc_loss(X, T, (4, 4), (2, 2), 3), ValueError, "blank is 3"),
    (lambda: F.ctc_loss(X, T, (4, 4), (2, 2), 0, "max"), ValueError, "reduction is 'max'"),
    (lambda: F.ctc_loss(X, T, (4.0, 4), (2, 2)), TypeError, "input_lengths is 4.0"),
    (lambda: F.ctc_loss([1], T, (4, 4), (2, 2)), TypeError, "log_probs is a list"),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=f"^ctc_loss: {text}"):
        call()
