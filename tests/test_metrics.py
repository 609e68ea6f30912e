"""Metrics against their definitions in loops, and against scikit-learn if installed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet.training import metrics
from tinynet.training.metrics import (
    accuracy,
    confusion_matrix,
    f1,
    precision,
    ranks,
    recall,
    top_k_accuracy,
)


@st.composite
def classified(draw):
    """(predicted classes, labels, number of classes); not all classes need occur."""
    classes = draw(st.integers(1, 5))
    pairs = st.tuples(*[st.integers(0, classes - 1)] * 2)
    predicted, labels = zip(*draw(st.lists(pairs, min_size=1, max_size=30)), strict=True)
    return np.array(predicted), np.array(labels), classes


@st.composite
def scored(draw):
    """Logits with ties, NaN and infinities, and labels."""
    classes, n = draw(st.integers(1, 5)), draw(st.integers(1, 8))
    number = st.sampled_from([-1.0, 0.0, 0.0, 2.0, 2.0, np.nan, np.inf, -np.inf])
    row = st.lists(number, min_size=classes, max_size=classes)
    logits = draw(st.lists(row, min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n))
    return np.array(logits), np.array(labels)


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@given(classified())
def test_by_counting(case):
    predicted, labels, classes = case
    pairs = list(zip(predicted.tolist(), labels.tolist(), strict=True))
    matrix = confusion_matrix(predicted, labels, classes)
    assert matrix.dtype == np.int64
    each: dict = {precision: [], recall: [], f1: []}
    for c in range(classes):
        for d in range(classes):
            assert matrix[c, d] == sum(label == c and p == d for p, label in pairs)
        hits = sum(p == c and label == c for p, label in pairs)
        p_c = share(hits, sum(p == c for p, _ in pairs))
        r_c = share(hits, sum(label == c for _, label in pairs))
        each[precision].append(p_c)
        each[recall].append(r_c)
        each[f1].append(share(2 * p_c * r_c, p_c + r_c))
    right = sum(p == label for p, label in pairs) / len(pairs)
    assert accuracy(predicted, labels) == pytest.approx(right)
    examples = np.bincount(labels, minlength=classes)
    for metric, values in each.items():
        got = metric(predicted, labels, None, classes)
        assert got == pytest.approx(values)
        macro = metric(predicted, labels, num_classes=classes)
        assert isinstance(macro, float)
        assert macro == pytest.approx(sum(values) / classes)
        weighted = metric(predicted, labels, "weighted", classes)
        assert weighted == pytest.approx((examples * values).sum() / len(labels))
        assert metric(predicted, labels, "micro", classes) == pytest.approx(right)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=15)  # scikit-learn takes its time
@given(classified())
def test_as_scikit_learn(case):
    reason = "scikit-learn is not installed (extra 'peers')"
    sk = pytest.importorskip("sklearn.metrics", reason=reason)
    predicted, labels, classes = case
    numbers = list(range(classes))
    assert accuracy(predicted, labels) == pytest.approx(sk.accuracy_score(labels, predicted))
    theirs = sk.confusion_matrix(labels, predicted, labels=numbers)
    assert np.array_equal(confusion_matrix(predicted, labels, classes), theirs)
    pairs = {precision: sk.precision_score, recall: sk.recall_score, f1: sk.f1_score}
    for ours, score in pairs.items():
        for average in metrics.AVERAGES:
            theirs = score(labels, predicted, labels=numbers, average=average, zero_division=0)
            assert ours(predicted, labels, average, classes) == pytest.approx(theirs)


@given(scored())
def test_ranks_and_top_k_by_sorting(case):
    logits, labels = case
    expected = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        numbers = [c for c in range(len(row)) if row[c] == row[c]]
        order = [c for c in range(len(row)) if row[c] != row[c]]  # NaN first
        order += sorted(numbers, key=lambda c: (-row[c], c))
        expected.append(order.index(label))
    assert ranks(logits, labels).tolist() == expected
    assert top_k_accuracy(logits, labels, 1) == accuracy(logits, labels)
    for k in range(1, logits.shape[1] + 1):
        hits = sum(rank < k for rank in expected)
        assert top_k_accuracy(logits, labels, k) == pytest.approx(hits / len(labels))
    assert top_k_accuracy(logits, labels, logits.shape[1]) == 1.0


def test_logits_tensors_and_pixels(device):
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(7, 4, 3, 2)), rng.integers(0, 4, (7, 3, 2))
    x, y = tn.tensor(logits, device=device, requires_grad=True), tn.tensor(labels, device=device)
    predicted = logits.argmax(1)
    assert accuracy(x, y) == (predicted == labels).mean()
    assert np.array_equal(confusion_matrix(x, y), confusion_matrix(predicted, labels, 4))
    assert f1(x, y) == f1(predicted.ravel(), labels.ravel(), num_classes=4)
    flat = logits.transpose(0, 2, 3, 1).reshape(-1, 4), labels.ravel()
    assert top_k_accuracy(x, y, 2) == top_k_accuracy(*flat, 2)
    assert accuracy(tn.tensor(predicted, device=device), y) == accuracy(x, y)


ERRORS = {
    "shapes": (accuracy, ([0, 1], [0, 1, 1]), ValueError, r"predictions \(2,\) do not fit labels"),
    "swapped": (accuracy, ([0, 1], np.zeros((2, 3))), TypeError, "labels are float64"),
    "(N, 1)": (
        accuracy,
        ([0, 1, 0], [[0], [1], [0]]),
        ValueError,
        r"\(3,\) do not fit labels \(3, 1\)",
    ),
    "floats": (accuracy, ([0.1, 0.9], [0, 1]), TypeError, "must be classes, integers"),
    "empty": (accuracy, (np.zeros((0, 3)), np.zeros(0, int)), ValueError, "no example"),
    "no example": (top_k_accuracy, (np.zeros((0, 6)), np.zeros(0, int)), ValueError, "no example"),
    "scalar": (accuracy, (1, 1), ValueError, r"labels have shape \(\)"),
    "label": (accuracy, (np.zeros((2, 3)), [0, 3]), ValueError, "a label is 3; .* 0 to 2"),
    "negative": (recall, ([0, 1], [0, -100]), ValueError, "a label is -100"),
    "predicted": (f1, ([0, 4], [0, 1], None, 3), ValueError, "a prediction is 4; .* 0 to 2"),
    "twice": (f1, (np.zeros((1, 3)), [0], None, 4), ValueError, "num_classes is 4 .* have 3"),
    "average": (precision, ([0], [0], "mean"), ValueError, "average is 'mean'"),
    "k": (top_k_accuracy, (np.zeros((2, 3)), [0, 1], 4), ValueError, "k is 4; .* from 1 to 3"),
    "no logits": (top_k_accuracy, ([0, 1], [0, 1]), ValueError, "must be logits"),
    "ids": (confusion_matrix, ([10**9], [0]), ValueError, "1000000001 classes would make"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    metric, arguments, error, message = ERRORS[case]
    with pytest.raises(error, match=message) as caught:
        metric(*arguments)
    assert str(caught.value).startswith((f"{metric.__name__}:", "ranks:"))
