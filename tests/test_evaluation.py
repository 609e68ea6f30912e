"""evaluate: each example once for any batches, without side effects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import data, nn, optim, random
from tinynet.functional import cross_entropy
from tinynet.training import Evaluation, evaluate, metrics

RNG = np.random.default_rng(3)
X = RNG.normal(size=(23, 6)).astype("float32")
LABELS = RNG.integers(0, 4, 23)


def network() -> nn.Module:
    tn.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 4)
    )


@given(batch=st.integers(1, 23))
def test_any_batches_give_the_whole(batch):
    model = network().eval()
    logits = model(tn.tensor(X)).detach().numpy()
    losses = cross_entropy(tn.tensor(logits), tn.tensor(LABELS), reduction="none").numpy()
    found = evaluate(model, data.DataLoader(X, LABELS, batch_size=batch))
    assert len(found) == 23
    assert found.num_classes == 4
    assert np.array_equal(found.labels, LABELS)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4, atol=1e-6)
    assert found.loss == pytest.approx(losses.mean(), rel=1e-5)
    predicted = logits.argmax(1)
    assert np.array_equal(found.predictions, predicted)
    assert found.accuracy == metrics.accuracy(logits, LABELS)
    for k in range(1, 5):
        assert found.top_k_accuracy(k) == metrics.top_k_accuracy(logits, LABELS, k)
    assert np.array_equal(found.confusion_matrix(), metrics.confusion_matrix(logits, LABELS))
    for name in ("precision", "recall", "f1"):
        for average in metrics.AVERAGES:
            expected = getattr(metrics, name)(logits, LABELS, average)
            assert getattr(found, name)(average) == pytest.approx(expected)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found.confidences, p.max(1), rtol=1e-4)
    np.testing.assert_allclose(found.true_probabilities, p[np.arange(23), LABELS], rtol=1e-4)
    np.testing.assert_allclose(-np.log(found.true_probabilities), losses, rtol=1e-3, atol=1e-5)


def test_the_worst_mistakes():
    losses = np.array([0.1, 3.0, 0.2, np.nan, 5.0, 3.0])
    labels, predicted = np.array([0, 1, 1, 0, 0, 1]), np.array([0, 0, 1, 1, 0, 2])
    found = Evaluation(labels, predicted, losses, losses, losses, labels, 3)
    assert found.worst().tolist() == [3, 1, 5]  # 4 has the largest loss but is right
    assert found.worst(2).tolist() == [3, 1]
    assert found.worst(0).tolist() == []
    infinite = np.where(losses == 3.0, np.inf, losses)
    found = Evaluation(labels, predicted, infinite, losses, losses, labels, 3)
    assert found.worst().tolist() == [3, 1, 5]  # NaN before infinity too
    assert "6 examples of 3 classes" in repr(found)


def trained(with_evaluation: bool) -> tuple[list[np.ndarray], list[bool]]:
    """The parameters after two epochs, with or without evaluations during them."""
    model = network()
    model[1].eval()  # a frozen normalisation must stay so
    optimizer = optim.Adam(model.parameters())
    loader = data.DataLoader(X, LABELS, batch_size=5, shuffle=True)
    for _ in range(2):
        for k, (x, y) in enumerate(loader):
            loss = cross_entropy(model(tn.tensor(x)), tn.tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if with_evaluation and k == 2:
                before = loader.state_dict()
                evaluate(model, loader)  # the very loader that runs
                assert loader.state_dict() == before
                assert tn.is_grad_enabled()
                assert all(p.grad is not None for p in model.parameters())
    return list(model.state_dict().values()), [m.training for m in model.modules()]


def test_a_run_with_evaluations_takes_the_same_steps():
    (ours, modes), (plain, plain_modes) = trained(True), trained(False)
    assert all(np.array_equal(a, b) for a, b in zip(ours, plain, strict=True))
    assert modes == plain_modes == [True, True, False, True, True, True]


class Noisy(nn.Module):
    """A layer that also draws random numbers in evaluation, and may fail."""

    fails = False

    def forward(self, x):
        if self.fails:
            raise RuntimeError("no")
        assert not self.training
        assert not tn.is_grad_enabled()
        return x + tn.randn(*x.shape)


def test_random_numbers_and_modes_also_after_an_error():
    model, loader = Noisy(), data.DataLoader(X, LABELS, batch_size=9)
    random.manual_seed(7)
    expected = random.generator().random()
    for fails in (False, True):
        model.fails = fails
        random.manual_seed(7)
        if fails:
            with pytest.raises(RuntimeError, match="no"):
                evaluate(model, loader)
        else:
            evaluate(model, loader)
        assert random.generator().random() == expected
        assert model.training
        assert tn.is_grad_enabled()


def test_other_losses_and_other_loaders(device):
    model = nn.Identity()
    batches = [(tn.tensor(X[:, :4], device=device), tn.tensor(LABELS, device=device))]

    def margin(logits, labels, reduction):
        assert reduction == "none"
        return -logits.gather(1, labels.unsqueeze(1)).squeeze(1)

    found = evaluate(model, iter(batches), loss=margin)
    assert type(found.losses) is np.ndarray
    assert np.array_equal(found.losses, -X[np.arange(23), LABELS])


ERRORS = {
    "no batch": ([], {}, "the loader gave no batch"),
    "exhausted": (iter([]), {}, "exhausted"),
    "rows": ([(X, LABELS[:3])], {}, r"logits \(23, 6\) must be .* labels \(3,\)"),
    "axes": ([(X[:, :, None], LABELS)], {}, r"logits \(23, 6, 1\) must be \(N, C\)"),
    "label": (
        [(X, LABELS + 5)],
        {"loss": lambda x, y, reduction: x.sum(1)},
        "a label is [678]; it must be from 0 to 5",
    ),
    "mean": (
        [(X, LABELS)],
        {"loss": lambda x, y, reduction: cross_entropy(x, y)},
        r"the loss gave \(\) for 23 examples.*none",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    loader, options, message = ERRORS[case]
    with pytest.raises(ValueError, match=message):
        evaluate(nn.Identity(), loader, **options)
    with pytest.raises(ValueError, match="k is 7; it must be from 1 to 6"):
        evaluate(nn.Identity(), [(X, LABELS)]).top_k_accuracy(7)


def test_all_examples_count_in_the_middle_of_a_resumed_epoch():
    x, labels = np.eye(10, dtype="float32"), np.arange(10)
    batches = data.DataLoader(x, labels, batch_size=2)
    next(iter(batches))
    resumed = data.DataLoader(x, labels, batch_size=2)
    resumed.load_state_dict(batches.state_dict())
    before = resumed.state_dict()
    assert len(evaluate(tn.nn.Identity(), resumed).labels) == 10
    assert resumed.state_dict() == before
