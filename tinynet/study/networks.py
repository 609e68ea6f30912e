"""The networks that the study page can show, and the names of their tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynet import models
from tinynet.functional import cross_entropy
from tinynet.nn import Module, Parameter
from tinynet.nn.init import normal_
from tinynet.ops.softmax import softmax
from tinynet.tensor import Tensor

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Network:
    """A network for the page: builds it, runs it on one digit, and names its tensors.

    Attributes:
        name: the value of `--model`.
        title: one line for the page.
        size: height and width of the digit.
    """

    name: str
    title: str
    size: int

    def build(self) -> Module:
        """A network with random weights from `tinynet.manual_seed`'s generator."""
        raise NotImplementedError

    def input(self, image: np.ndarray) -> np.ndarray:
        """The network's input for an image of shape (1, size, size)."""
        raise NotImplementedError

    def loss(self, output: Tensor, label: int) -> Tensor:
        """The loss, one number."""
        raise NotImplementedError

    def guess(self, output: np.ndarray) -> str:
        """A sentence about the digit that the network predicts."""
        raise NotImplementedError

    def part(self, parameter: str) -> str:
        """The part of the network to which a parameter and the operations after it belong."""
        return parameter.rpartition(".")[0] or parameter

    def symbols(self, tensor: str) -> tuple[str, str]:
        """Symbols of a tensor and its gradient in formulas, or ""; the loss's target is "c1"."""
        return "", ""

    def equations(self, output: str) -> tuple[str, str]:
        """The documents' forward and backward equations for the operation that made `output`."""
        return "", ""


class LeNet(Network):
    """`tinynet.models.LeNet` with cross-entropy."""

    name = "lenet"
    title = "LeNet: two convolutions with max-pooling, two linear layers, cross-entropy"
    size = 28

    def build(self) -> Module:
        return models.LeNet()

    def input(self, image: np.ndarray) -> np.ndarray:
        return image[None]

    def loss(self, output: Tensor, label: int) -> Tensor:
        return cross_entropy(output, np.array([label]))

    def guess(self, output: np.ndarray) -> str:
        p = softmax(output, dim=1)[0]
        return f"The network predicts {p.argmax()}, with probability {p.max():.3g}."

    def symbols(self, tensor: str) -> tuple[str, str]:
        return ("q", "") if tensor == "c1" else ("", "")


class ByHandModule(Module):
    """z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾ and a⁽ˡ⁾ = σ(z⁽ˡ⁾), examples in columns.

    Args:
        sizes: units of each layer, input first.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        for layer in range(1, len(sizes)):
            W = Parameter(np.empty((sizes[layer], sizes[layer - 1]), "float32"))
            setattr(self, f"W{layer}", normal_(W, std=sizes[layer - 1] ** -0.5))
            setattr(self, f"b{layer}", Parameter(np.zeros((sizes[layer], 1), "float32")))

    def forward(self, a: Any) -> Any:
        for layer in range(1, len(self.sizes)):
            z = getattr(self, f"W{layer}") @ a + getattr(self, f"b{layer}")
            a = z.sigmoid()
        return a


class ByHand(Network):
    """The network of `examples/mlp_by_hand.py` on a digit of 8x8, in the documents' symbols."""

    name = "mlp_by_hand"
    title = "The multilayer perceptron of the documents: 64, 12 and 10 units, σ, squared error"
    size = 8
    sizes = (64, 12, 10)

    def build(self) -> Module:
        return ByHandModule(self.sizes)

    def input(self, image: np.ndarray) -> np.ndarray:
        return image.reshape(-1, 1)

    def loss(self, output: Tensor, label: int) -> Tensor:
        target = np.eye(10, dtype=output.dtype)[:, [label]]
        return 0.5 * (output - target).square().sum() / output.shape[1]

    def guess(self, output: np.ndarray) -> str:
        a = output[:, 0]
        return (
            f"The network predicts {a.argmax()}: its largest output is {a.max():.3g}, a "
            "probability of this digit alone (the ten do not add up to 1)."
        )

    def part(self, parameter: str) -> str:
        return f"layer {parameter[1:]}"

    def symbols(self, tensor: str) -> tuple[str, str]:
        last = _layer(len(self.sizes) - 1)
        found = {
            "x": ("a⁽⁰⁾", "∂J/∂a⁽⁰⁾"),
            "c1": ("y", ""),
            "loss.sub": (f"a{last} - y", f"∂J/∂a{last}"),
            "loss.div": ("J", ""),
        }
        for layer in range(1, len(self.sizes)):
            n, before = _layer(layer), _layer(layer - 1)
            found |= {
                f"W{layer}": (f"W{n}", f"∂J/∂W{n}"),
                f"b{layer}": (f"b{n}", f"∂J/∂b{n}"),
                f"layer {layer}.matmul": (f"W{n} a{before}", f"δ{n}"),
                f"layer {layer}.add": (f"z{n}", f"δ{n}"),
                f"layer {layer}.sigmoid": (f"a{n}", f"∂J/∂a{n}"),
            }
        return found.get(tensor, ("", ""))

    def equations(self, output: str) -> tuple[str, str]:
        last = len(self.sizes) - 1
        part, _, op = output.partition(".")
        if part == "loss":
            a = f"a{_layer(last)}"
            return {
                "div": (f"J = ½ Σ ({a} - y)² / m, with m = 1 example", ""),
                "sub": ("", f"∂J/∂{a} = ({a} - y) / m"),
            }.get(op, ("", ""))
        layer = int(part.removeprefix("layer "))
        n, before, after = _layer(layer), _layer(layer - 1), _layer(layer + 1)
        error = f"(a{n} - y) / m" if layer == last else f"(W{after}ᵀ δ{after})"
        return {
            "matmul": (
                f"z{n} = W{n} a{before} + b{n}: the product in it",
                f"∂J/∂W{n} = δ{n} a{before}ᵀ and ∂J/∂a{before} = W{n}ᵀ δ{n}",
            ),
            "add": (f"z{n} = W{n} a{before} + b{n}", f"∂J/∂b{n} = δ{n} summed over the batch"),
            "sigmoid": (f"a{n} = σ(z{n})", f"δ{n} = {error} ⊙ σ'(z{n})"),
        }.get(op, ("", ""))


def _layer(number: int) -> str:
    return f"⁽{number}⁾".translate(_SUPERSCRIPTS)


NETWORKS: dict[str, Network] = {network.name: network for network in (LeNet(), ByHand())}
