"""Metrics of a classifier: accuracy, top-k, confusion matrix, precision, recall, F1.

All take predictions first and labels second, as the losses do. Predictions are either classes, in
the shape of the labels, or logits (or probabilities) with the classes along axis 1: (N, C), or
(N, C, ...) for labels (N, ...). The predicted class is then the first of the largest logits; NaN
counts as larger than any number. Arrays and Tensors on any device are accepted; results are Python
numbers and NumPy arrays. Each label counts once: weight averages over batches by the batch sizes,
or concatenate the batches first (as `evaluate` does).

Classes are 0 to C - 1. C comes from the logits or `num_classes`; otherwise it is one more than the
largest class that occurs. With M the confusion matrix, M_ab examples of class a predicted as b::

    TP_c = M_cc     FP_c = sum_a M_ac - M_cc     FN_c = sum_b M_cb - M_cc

A ratio 0/0 is 0: the precision of a class that is never predicted, the recall of a class without
examples. scikit-learn gives the same with ``zero_division=0, labels=range(C)``.

Source: C. Manning, P. Raghavan and H. Schuetze, Introduction to Information Retrieval (2008),
    sections 8.3 and 13.6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynet.nn.state import host_array

AVERAGES = ("macro", "micro", "weighted", None)


def accuracy(predictions: Any, labels: Any) -> float:
    """(1/N) sum_i [prediction_i = label_i]: the share of right predictions.

    Raises:
        TypeError: if labels are not integers.
        ValueError: if shapes do not match, a label is out of range, or there is no example.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    predicted, true, _ = _classes("accuracy", predictions, labels)
    return float((predicted == true).mean())


def top_k_accuracy(predictions: Any, labels: Any, k: int = 5) -> float:
    """(1/N) sum_i [rank_i < k]: the share whose label is among the k largest logits.

    rank_i is the number of classes ranked before the label; see `ranks`. k = 1 gives `accuracy`.

    Args:
        predictions: logits (N, C) or (N, C, ...).
        labels: integers (N, ...).
        k: from 1 to C.

    Raises:
        ValueError: for another k, or as for `accuracy`.
    """
    before = ranks(predictions, labels)
    classes = np.shape(predictions)[1]
    if not 1 <= k <= classes:
        raise ValueError(f"top_k_accuracy: k is {k}; it must be from 1 to {classes}, the classes")
    if before.size == 0:
        raise ValueError("top_k_accuracy: there are no examples, so the result would be 0/0")
    return float((before < k).mean())


def ranks(predictions: Any, labels: Any) -> np.ndarray:
    """rank_i = the number of classes before label i when the logits are sorted, largest first.

    Of equal logits the smaller class comes first, and NaN comes before all numbers, so rank 0 is
    the class that `argmax` returns.

    Returns:
        Integers in the shape of the labels, from 0 to C - 1.
    """
    x = host_array("ranks: predictions", predictions)
    true = _labels("ranks", labels)
    if x.ndim != true.ndim + 1:
        raise ValueError(
            f"ranks: predictions {x.shape} must be logits (N, C, ...) for labels {true.shape}"
        )
    _classes("ranks", x, true, empty=True)
    x, true = np.moveaxis(x, 1, -1), true[..., None]
    own, numbers = np.take_along_axis(x, true, -1), np.arange(x.shape[-1])
    nan, own_nan = np.isnan(x), np.isnan(own)
    larger = (x > own) | (nan & ~own_nan)
    equal = (x == own) | (nan & own_nan)
    return (larger | (equal & (numbers < true))).sum(axis=-1)


def confusion_matrix(predictions: Any, labels: Any, num_classes: int | None = None) -> np.ndarray:
    """M_ab = the number of examples of class a (row) predicted as class b (column).

    Args:
        predictions, labels: as in the module's docstring.
        num_classes: C, if predictions are classes; logits determine it.

    Returns:
        int64, (C, C).

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    return _confusion("confusion_matrix", predictions, labels, num_classes)


def precision(
    predictions: Any, labels: Any, average: str | None = "macro", num_classes: int | None = None
) -> Any:
    """TP / (TP + FP): the share of the predictions of a class that are right.

    Args:
        predictions, labels: as in the module's docstring.
        average: None for a value per class; "macro" for their mean; "weighted" for their mean
            weighted by the examples of each class; "micro" for sum TP / sum (TP + FP), which is
            the accuracy.
        num_classes: C, if predictions are classes.

    Returns:
        A float; float64 (C,) if `average` is None.

    >>> precision([0, 1, 2, 2], [0, 1, 1, 2], average=None)
    array([1. , 1. , 0.5])
    """
    m = _confusion("precision", predictions, labels, num_classes)
    return _averaged("precision", np.diag(m), m.sum(axis=0), m.sum(axis=1), average)


def recall(
    predictions: Any, labels: Any, average: str | None = "macro", num_classes: int | None = None
) -> Any:
    """TP / (TP + FN): the share of the examples of a class that are found.

    Arguments and result are as in `precision`; "micro" and "weighted" give the accuracy.

    >>> recall([0, 1, 2, 2], [0, 1, 1, 2], average=None)
    array([1. , 0.5, 1. ])
    """
    m = _confusion("recall", predictions, labels, num_classes)
    return _averaged("recall", np.diag(m), m.sum(axis=1), m.sum(axis=1), average)


def f1(
    predictions: Any, labels: Any, average: str | None = "macro", num_classes: int | None = None
) -> Any:
    """2 TP / (2 TP + FP + FN) = 2 P R / (P + R): the harmonic mean of precision and recall.

    Arguments and result are as in `precision`. "macro" is the mean of the classes' F1, not the
    F1 of the mean precision and recall.

    >>> f1([0, 1, 2, 2], [0, 1, 1, 2], average=None).round(4)
    array([1.    , 0.6667, 0.6667])
    """
    m = _confusion("f1", predictions, labels, num_classes)
    return _averaged("f1", 2 * np.diag(m), m.sum(axis=0) + m.sum(axis=1), m.sum(axis=1), average)


def _averaged(
    name: str, above: np.ndarray, below: np.ndarray, examples: np.ndarray, average: str | None
) -> Any:
    """above / below for each class, or averaged; 0/0 is 0."""
    if average not in AVERAGES:
        raise ValueError(
            f"{name}: average is {average!r}; it must be 'macro', 'micro', 'weighted' or None"
        )
    if average == "micro":
        above, below = above.sum(keepdims=True), below.sum(keepdims=True)
    shares = np.divide(above, below, out=np.zeros(above.shape), where=below != 0)
    if average is None:
        return shares
    if average == "weighted":
        return float(np.average(shares, weights=examples))
    return float(shares.mean())


def _confusion(name: str, predictions: Any, labels: Any, num_classes: int | None) -> np.ndarray:
    predicted, true, count = _classes(name, predictions, labels, num_classes)
    if count > 1 << 14:
        raise ValueError(
            f"{name}: {count} classes would make a confusion matrix of {8 * count**2:.1e} bytes; "
            "labels must be class numbers, counted from 0"
        )
    pairs = count * true.ravel() + predicted.ravel()
    return np.bincount(pairs, minlength=count * count).reshape(count, count).astype(np.int64)


def _labels(name: str, labels: Any) -> np.ndarray:
    true = host_array(f"{name}: labels", labels)
    if true.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels are {true.dtype}; they must be integers")
    if true.ndim == 0:
        raise ValueError(f"{name}: labels have shape (); they must be (N,) or (N, ...)")
    return true.astype(np.int64)


def _classes(
    name: str, predictions: Any, labels: Any, num_classes: int | None = None, empty: bool = False
) -> tuple[np.ndarray, np.ndarray, int]:
    """Predicted classes and labels, both int64 and of one shape, and the number of classes."""
    true, predicted = _labels(name, labels), host_array(f"{name}: predictions", predictions)
    logits = predicted.ndim == true.ndim + 1 and predicted.shape[1] > 0
    shape = (predicted.shape[0], *predicted.shape[2:]) if logits else predicted.shape
    if shape != true.shape:
        raise ValueError(
            f"{name}: predictions {predicted.shape} do not fit labels {true.shape}; they must be "
            "classes of the same shape or logits (N, C, ...)"
        )
    if true.size == 0 and not empty:
        raise ValueError(f"{name}: there are no examples, so the result would be 0/0")
    if logits:
        if num_classes not in (None, predicted.shape[1]):
            raise ValueError(
                f"{name}: num_classes is {num_classes} and the logits {predicted.shape} have "
                f"{predicted.shape[1]} classes; leave num_classes out"
            )
        num_classes, predicted = predicted.shape[1], predicted.argmax(axis=1)
    elif predicted.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: predictions {predicted.shape} in the shape of the labels are "
            f"{predicted.dtype}; they must be classes, integers, or else logits (N, C, ...)"
        )
    predicted = predicted.astype(np.int64)
    if num_classes is None:
        num_classes = 1 + max(int(predicted.max(initial=0)), int(true.max(initial=0)))
    for what, a in (("prediction", predicted), ("label", true)):
        wrong = a[(a < 0) | (a >= num_classes)]
        if wrong.size:
            raise ValueError(
                f"{name}: a {what} is {wrong[0]}; it must be from 0 to {num_classes - 1}"
            )
    return predicted, true, num_classes
