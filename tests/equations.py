"""What the tests of examples/EQUATIONS.md share: slopes by differences, small networks composed of
tinynet's operations, and `only_right`: the printed form fails, the right one holds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynet as tn
from tinynet import nn


def draw(rng: np.random.Generator, *shape: int) -> tn.Tensor:
    """Standard normal numbers in float64 that require a gradient."""
    return tn.tensor(rng.standard_normal(shape), requires_grad=True)


def array(value: Any) -> np.ndarray:
    """A copy in float64."""
    return np.array(value.detach().numpy() if isinstance(value, tn.Tensor) else value, "float64")


def slopes(f: Callable[[tn.Tensor], Any], x: Any, h: float = 1e-5) -> np.ndarray:
    """∂f/∂x for a function with one number as its value, by central differences."""
    point = array(x)
    g = np.zeros(point.shape)
    for i in np.ndindex(*point.shape):
        step = np.zeros(point.shape)
        step[i] = h
        above, below = (float(f(tn.tensor(p))) for p in (point + step, point - step))
        g[i] = (above - below) / (2 * h)
    return g


def agrees(a: Any, b: Any, rtol: float = 1e-6) -> bool:
    """Whether two arrays have one shape and differ by at most rtol times the largest entry."""
    a, b = array(a), array(b)
    if a.shape != b.shape:
        return False
    return bool(np.abs(a - b).max(initial=0) <= rtol * max(np.abs(a).max(), np.abs(b).max()))


def only_right(*, printed: Any, right: Any, measured: Any) -> None:
    """Hold that `right` is what was measured, by differences or by counting, and `printed` is not.

    `printed` may be a function of no arguments; it fails too if its shapes do not fit.
    """
    assert agrees(right, measured), f"the right one is {right}, measured was {measured}"
    if callable(printed) and not isinstance(printed, tn.Tensor):
        try:
            printed = printed()
        except ValueError as error:
            if re.search("shape|mismatch|channels", str(error)):
                return
            raise
    assert not agrees(printed, measured, rtol=1e-3), f"the printed {printed} is right"


# --- columns, as the documents write networks ----------------------------------------------------


class TwoLayers:
    """z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾, a⁽ˡ⁾ = σ(z⁽ˡ⁾), l = 1, 2, for one example, a column; three inputs,
    four hidden units, two outputs; J = ½ |a⁽²⁾ - y|²."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.values = {
            "W1": draw(rng, 4, 3), "b1": draw(rng, 4, 1),
            "W2": draw(rng, 2, 4), "b2": draw(rng, 2, 1), "x": draw(rng, 3, 1),
        }  # fmt: skip
        self.y = tn.tensor(rng.random((2, 1)))

    def run(self, **other: tn.Tensor) -> dict[str, tn.Tensor]:
        """Everything, z1 to J, with some of the values replaced by others."""
        v = {**self.values, **other}
        v["z1"] = other.get("z1", v["W1"] @ v["x"] + v["b1"])
        v["a1"] = v["z1"].sigmoid()
        v["z2"] = other.get("z2", v["W2"] @ v["a1"] + v["b2"])
        v["a2"] = v["z2"].sigmoid()
        v["J"] = 0.5 * (v["a2"] - self.y).square().sum()
        return v

    def measured(self, name: str) -> np.ndarray:
        """∂J/∂(the value of that name), by differences."""
        return slopes(lambda t: self.run(**{name: t})["J"], self.run()[name])

    def by_hand(self) -> dict[str, np.ndarray]:
        """All values as arrays, with σ' at both layers and the right error terms."""
        v = {name: array(t) for name, t in self.run().items()}
        v["y"] = array(self.y)
        for layer in "12":
            v["slope" + layer] = v["a" + layer] * (1 - v["a" + layer])
        v["delta2"] = (v["a2"] - v["y"]) * v["slope2"]
        v["delta1"] = (v["W2"].T @ v["delta2"]) * v["slope1"]
        return v


# --- sequences, one row a position ---------------------------------------------------------------


def recurrent(x: tn.Tensor, w: tn.Tensor, u: tn.Tensor) -> tn.Tensor:
    """h_t = tanh(w x_t + u h_{t-1}), h_0 = 0, for all t: (T, D) -> (T, H)."""
    states = [tn.zeros(u.shape[0], dtype="float64")]
    for t in range(len(x)):
        states.append((w @ x[t] + u @ states[-1]).tanh())
    return tn.stack(states[1:])


def attention_weights(q: tn.Tensor, k: tn.Tensor) -> tn.Tensor:
    """softmax(q kᵀ / √d), along the keys: (M, d), (N, d) -> (M, N)."""
    return (q @ k.T / math.sqrt(k.shape[1])).softmax(1)


def attention(q: tn.Tensor, k: tn.Tensor, v: tn.Tensor) -> tn.Tensor:
    """Source: A. Vaswani et al., Attention is all you need, arXiv:1706.03762, eq. 1."""
    return attention_weights(q, k) @ v


def positions(count: int, width: int) -> tn.Tensor:
    """sin(p / 10000^(i / width)) for even i, cos of i - 1 for odd i; ibid., section 3.5."""
    p, i = np.mgrid[:count, :width]
    angles = p / 10000 ** (i // 2 * 2 / width)
    return tn.tensor(np.where(i % 2 == 0, np.sin(angles), np.cos(angles)))


# --- layers, to be counted -----------------------------------------------------------------------


def parameters(*layers: nn.Module) -> int:
    return sum(p.numel() for layer in layers for p in layer.parameters())


def shapes(model: nn.Sequential, *image: int) -> list[tuple[int, ...]]:
    """What each layer makes of one image, without the axis of examples."""
    x, found = tn.zeros(1, *image), []
    for layer in model:
        x = layer(x)
        found.append(x.shape[1:])
    return found
