"""The networks that the study page can show, and the names of their tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tinynet import models
from tinynet.functional import cross_entropy
from tinynet.nn import Module, Parameter
from tinynet.nn.init import normal_
from tinynet.ops.softmax import softmax
from tinynet.tensor import Tensor

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Network:
    """A network for the page: how to build it, run it on one digit, and name its tensors."""

    name: str  # the value of `--model`
    title: str  # one line for the page
    size: int  # height and width of the digit
    shape: tuple[int, ...]  # of the network's input
    build: Callable[[], Module]  # with random weights from `tinynet.manual_seed`'s generator
    loss: Callable[[Tensor, int], Tensor]  # of the output and the label, one number
    guess: Callable[[np.ndarray], str]  # a sentence about the digit that the network predicts
    # the part of the network to which a parameter and the operations after it belong
    part: Callable[[str], str]
    # symbols of a tensor and its gradient in formulas, or ""; the loss's target is "c1"
    symbols: Callable[[str], tuple[str, str]]
    # the documents' forward and backward equations for the operation that made an output, or ""
    equations: Callable[[str], tuple[str, str]]


def _guess_of_lenet(output: np.ndarray) -> str:
    p = softmax(output, dim=1)[0]
    return f"The network predicts {p.argmax()}, with probability {p.max():.3g}."


_LENET = Network(
    "lenet",
    "LeNet: two convolutions with max-pooling, two linear layers, cross-entropy",
    size=28,
    shape=(1, 1, 28, 28),
    build=models.LeNet,
    loss=lambda output, label: cross_entropy(output, np.array([label])),
    guess=_guess_of_lenet,
    part=lambda parameter: parameter.rpartition(".")[0],
    symbols=lambda tensor: ("q", "") if tensor == "c1" else ("", ""),
    equations=lambda output: ("", ""),
)


# --- the network of `examples/mlp_by_hand.py` on a digit of 8x8, in the documents' symbols ---

SIZES = (64, 12, 10)  # units of each layer, input first
_LAST = len(SIZES) - 1


class ByHand(Module):
    """z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾ and a⁽ˡ⁾ = σ(z⁽ˡ⁾), examples in columns."""

    def __init__(self) -> None:
        super().__init__()
        for layer, (before, units) in enumerate(pairwise(SIZES), 1):
            W = Parameter(np.empty((units, before), "float32"))
            setattr(self, f"W{layer}", normal_(W, std=before**-0.5))
            setattr(self, f"b{layer}", Parameter(np.zeros((units, 1), "float32")))

    def forward(self, a: Any) -> Any:
        for layer in range(1, len(SIZES)):
            z = getattr(self, f"W{layer}") @ a + getattr(self, f"b{layer}")
            a = z.sigmoid()
        return a


def _squared_error(output: Tensor, label: int) -> Tensor:
    target = np.eye(10, dtype=output.dtype)[:, [label]]
    return 0.5 * (output - target).square().sum() / output.shape[1]


def _guess_by_hand(output: np.ndarray) -> str:
    a = output[:, 0]
    return (
        f"The network predicts {a.argmax()}: its largest output is {a.max():.3g}, a "
        "probability of this digit alone (the ten do not add up to 1)."
    )


def _symbols(tensor: str) -> tuple[str, str]:
    last = _layer(_LAST)
    found = {
        "x": ("a⁽⁰⁾", "∂J/∂a⁽⁰⁾"),
        "c1": ("y", ""),
        "loss.sub": (f"a{last} - y", f"∂J/∂a{last}"),
        "loss.div": ("J", ""),
    }
    for layer in range(1, len(SIZES)):
        n, before = _layer(layer), _layer(layer - 1)
        found |= {
            f"W{layer}": (f"W{n}", f"∂J/∂W{n}"),
            f"b{layer}": (f"b{n}", f"∂J/∂b{n}"),
            f"layer {layer}.matmul": (f"W{n} a{before}", f"δ{n}"),
            f"layer {layer}.add": (f"z{n}", f"δ{n}"),
            f"layer {layer}.sigmoid": (f"a{n}", f"∂J/∂a{n}"),
        }
    return found.get(tensor, ("", ""))


def _equations(output: str) -> tuple[str, str]:
    last = _layer(_LAST)
    found = {
        "loss.div": (f"J = ½ Σ (a{last} - y)² / m, with m = 1 example", ""),
        "loss.sub": ("", f"∂J/∂a{last} = (a{last} - y) / m"),
    }
    for layer in range(1, len(SIZES)):
        n, before, after = _layer(layer), _layer(layer - 1), _layer(layer + 1)
        error = f"(a{n} - y) / m" if layer == _LAST else f"(W{after}ᵀ δ{after})"
        found |= {
            f"layer {layer}.matmul": (
                f"z{n} = W{n} a{before} + b{n}: the product in it",
                f"∂J/∂W{n} = δ{n} a{before}ᵀ and ∂J/∂a{before} = W{n}ᵀ δ{n}",
            ),
            f"layer {layer}.add": (
                f"z{n} = W{n} a{before} + b{n}",
                f"∂J/∂b{n} = δ{n} summed over the batch",
            ),
            f"layer {layer}.sigmoid": (f"a{n} = σ(z{n})", f"δ{n} = {error} ⊙ σ'(z{n})"),
        }
    return found.get(output, ("", ""))


def _layer(number: int) -> str:
    return f"⁽{number}⁾".translate(_SUPERSCRIPTS)


_BY_HAND = Network(
    "mlp_by_hand",
    "The multilayer perceptron of the documents: 64, 12 and 10 units, σ, squared error",
    size=8,
    shape=(64, 1),
    build=ByHand,
    loss=_squared_error,
    guess=_guess_by_hand,
    part=lambda parameter: f"layer {parameter[1:]}",
    symbols=_symbols,
    equations=_equations,
)

NETWORKS = {network.name: network for network in (_LENET, _BY_HAND)}
