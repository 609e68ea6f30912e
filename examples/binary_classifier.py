"""Train a 2-10-1 sigmoid network, a binary classifier of points in the plane.

    python examples/binary_classifier.py                 100 points, inside or outside a ring
    python examples/binary_classifier.py --data document the document's four points

Ten hidden units with σ and one output, a logit: P(y = 1 | x) = σ(W₂ σ(W₁ x + b₁) + b₂). The loss
-(y ln p + (1 - y) ln(1 - p)) is computed from the logit, so nothing overflows.
"""

from __future__ import annotations

import argparse

import numpy as np

import tinynet as tn
from tinynet import nn, optim
from tinynet.functional import binary_cross_entropy_with_logits


def points(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) and labels (N, 1), 0 or 1."""
    if name == "document":
        x = np.array([[1, 0], [0, 1], [1, 1], [1, 0]])
        return x.astype("float32"), np.array([[0], [1], [1], [0]], "float32")
    x = rng.uniform(-1, 1, (100, 2)).astype("float32")
    radius = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x, (radius < 0.8).astype("float32")


def scores(predicted: np.ndarray, actual: np.ndarray) -> str:
    """Accuracy, precision, recall and F1 of class 1."""
    hits = (predicted & actual).sum()
    precision, recall = hits / max(predicted.sum(), 1), hits / max(actual.sum(), 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    right = (predicted == actual).mean()
    return f"accuracy {right:.3f}  precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["ring", "document"], default="ring")
    parser.add_argument("--steps", type=int, default=1000, help="default: 1000")
    parser.add_argument("--lr", type=float, default=0.05, help="Adam's rate (default: 0.05)")
    parser.add_argument("--seed", type=int, default=0, help="for weights and points (default: 0)")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    tn.manual_seed(options.seed)
    x, y = points(options.data, rng)
    model = nn.Sequential(nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 1))
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    inputs, targets = tn.tensor(x), tn.tensor(y)
    for step in range(options.steps + 1):
        loss = binary_cross_entropy_with_logits(model(inputs), targets)
        if step % max(1, options.steps // 10) == 0:
            print(f"step {step:5d}  loss {loss.item():.4f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def probability(x: np.ndarray) -> np.ndarray:
        with tn.no_grad():
            return model(tn.tensor(x)).sigmoid().numpy()

    print("training:  ", scores(probability(x) > 0.5, y > 0.5))
    if options.data == "document":
        for point, p in zip(x, probability(x), strict=True):
            print(f"P(y = 1 | {point}) = {p[0]:.4f}")
    else:
        x_new, y_new = points(options.data, rng)
        print("new points:", scores(probability(x_new) > 0.5, y_new > 0.5))


if __name__ == "__main__":
    main()
