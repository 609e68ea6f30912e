"""Evaluation of a classifier on each example once, without changing the model or the loader."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.creation import as_tensor
from tinynet.data import DataLoader
from tinynet.functional import cross_entropy
from tinynet.nn import Module
from tinynet.nn.evaluating import evaluating
from tinynet.report.mistakes import worst_mistakes
from tinynet.tensor import Tensor
from tinynet.training import metrics


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's results on N examples of C classes: NumPy arrays in the order of the loader.

    Attributes:
        labels: true classes, int64 (N,).
        predictions: classes of the largest logits, int64 (N,).
        losses: loss of each example, (N,).
        confidences: probability of the predicted class, (N,).
        true_probabilities: probability of the true class, (N,).
        ranks: number of classes ranked before the true one, int64 (N,); see `metrics.ranks`.
        num_classes: C.
    """

    labels: np.ndarray
    predictions: np.ndarray
    losses: np.ndarray
    confidences: np.ndarray
    true_probabilities: np.ndarray
    ranks: np.ndarray
    num_classes: int

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        metrics_text = f"loss={self.loss:.4g}, accuracy={self.accuracy:.4g}"
        return f"Evaluation({len(self)} examples of {self.num_classes} classes, {metrics_text})"

    @property
    def loss(self) -> float:
        """The mean of the losses over the examples."""
        return float(self.losses.mean(dtype=np.float64))

    @property
    def accuracy(self) -> float:
        """`metrics.accuracy`: the share of right predictions."""
        return metrics.accuracy(self.predictions, self.labels)

    def top_k_accuracy(self, k: int = 5) -> float:
        """`metrics.top_k_accuracy`: the share whose label is among the k largest logits."""
        if not 1 <= k <= self.num_classes:
            raise ValueError(f"top_k_accuracy: k is {k}; it must be from 1 to {self.num_classes}")
        return float((self.ranks < k).mean())

    def confusion_matrix(self) -> np.ndarray:
        """`metrics.confusion_matrix`, (C, C), with a row for each true class."""
        return metrics.confusion_matrix(self.predictions, self.labels, self.num_classes)

    def precision(self, average: str | None = "macro") -> Any:
        """`metrics.precision`."""
        return metrics.precision(self.predictions, self.labels, average, self.num_classes)

    def recall(self, average: str | None = "macro") -> Any:
        """`metrics.recall`."""
        return metrics.recall(self.predictions, self.labels, average, self.num_classes)

    def f1(self, average: str | None = "macro") -> Any:
        """`metrics.f1`."""
        return metrics.f1(self.predictions, self.labels, average, self.num_classes)

    def worst(self, count: int = 20) -> np.ndarray:
        """Indices of at most `count` misclassified examples, largest loss first, NaN before all.

        They index the arrays above, and the data if the loader does not shuffle.
        """
        return worst_mistakes(self.labels, self.predictions, self.losses, count)


def evaluate(
    model: Module,
    loader: Iterable[tuple[Any, Any]],
    *,
    loss: Callable[..., Any] = cross_entropy,
) -> Evaluation:
    """Run a classifier on all batches of (x, labels) and return its result for each example.

    The model runs in evaluation mode without recording. The modes of its modules, the random
    numbers and the loader's position are restored, so an evaluation does not change a run.

    Args:
        model: returns logits (N, C) for x.
        loader: yields pairs of arrays on the model's device: x, and integer labels (N,). Without
            shuffling, indices in the result are indices in the data. The last batch may be smaller.
        loss: called as ``loss(logits, labels, reduction="none")``; returns a loss for each
            example, (N,).

    Raises:
        ValueError: if there is no batch, or logits, labels or losses have other shapes.

    >>> import tinynet as tn
    >>> from tinynet.data import DataLoader
    >>> x, labels = np.eye(3, dtype="float32"), np.array([0, 1, 1])
    >>> found = evaluate(tn.nn.Identity(), DataLoader(x, labels, batch_size=2))
    >>> round(found.loss, 4), round(found.accuracy, 4), found.worst().tolist()
    (0.8848, 0.6667, [2])
    """
    if isinstance(loader, DataLoader):
        whole = copy.copy(loader)  # the original keeps its epoch and its position
        whole.set_epoch(whole.epoch)  # from the first batch, also in the middle of an epoch
        loader = whole
    batches: list[dict[str, np.ndarray]] = []
    width = 0
    with evaluating(model):
        for x, labels in loader:
            logits = model(as_tensor(x))
            batches.append(_batch_arrays(logits, labels, loss))
            width = logits.shape[1]
    if not batches:
        raise ValueError("evaluate: the loader gave no batch; an exhausted iterator gives none")
    arrays = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    return Evaluation(**arrays, num_classes=width)


def _batch_arrays(logits: Tensor, labels: Any, loss: Callable[..., Any]) -> dict[str, np.ndarray]:
    """The arrays of an `Evaluation` for one batch, on the host."""
    target = as_tensor(labels)
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ValueError(
            f"evaluate: logits {logits.shape} must be (N, C) and labels {target.shape} (N,)"
        )
    losses = loss(logits, target, reduction="none")
    if losses.shape != target.shape:
        raise ValueError(
            f"evaluate: the loss gave {losses.shape} for {target.shape[0]} examples; it must take "
            'reduction="none" and return a loss for each, (N,)'
        )
    probabilities = backend.to_numpy(logits.softmax(1)._data)
    scores, true = backend.to_numpy(logits._data), backend.to_numpy(target._data)
    ranks = metrics.ranks(scores, true)  # raises for labels out of range
    predicted = scores.argmax(axis=1)
    rows = np.arange(len(true))
    return {
        "labels": true.astype(np.int64),
        "predictions": predicted,
        "losses": backend.to_numpy(losses._data),
        "confidences": probabilities[rows, predicted],
        "true_probabilities": probabilities[rows, true],
        "ranks": ranks,
    }
