"""The workloads: network, batch and data of each, independent of any library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import networks
from benchmarks.networks import Layers

BATCHES = 4  # used in turn, so that a step does not find its input in the cache
OPERATIONS = 1000  # in the chain


@dataclass(frozen=True)
class Workload:
    """A network, its data and the kind of step to measure.

    Attributes:
        name: name on the command line, with the batch.
        kind: "train" (forward, backward, Adam), "infer" (forward under no_grad) or "chain".
        batch: examples per step.
        layers: the network; empty for the chain.
        shape: shape of one example.
        model: "LeNet" for tinynet's own model, else the layers in a Sequential.
        loss: "cross_entropy" or "binary_cross_entropy_with_logits".
    """

    name: str
    kind: str
    batch: int
    layers: Layers
    shape: tuple[int, ...]
    model: str = "Sequential"
    loss: str = "cross_entropy"

    @property
    def images(self) -> bool:
        """Whether the memory order of images makes a difference."""
        return len(self.shape) == 3

    def batches(self, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
        """The batches, (inputs, targets) each: random numbers in [0, 1) and random labels."""
        rng = np.random.default_rng(seed)
        return [(rng.random((self.batch, *self.shape), "float32"), self._targets(rng))
                for _ in range(BATCHES)]  # fmt: skip

    def _targets(self, rng: Any) -> np.ndarray:
        if self.loss == "cross_entropy":
            return rng.integers(0, 10, self.batch)
        return rng.integers(0, 2, (self.batch, 1)).astype("float32")


def _chain(batch: int) -> Workload:
    return Workload("chain", "chain", batch, (), (8,))


def _small(batch: int) -> Workload:
    loss = "binary_cross_entropy_with_logits"
    return Workload("mlp-2-10-1", "train", batch, networks.MLP_2_10_1, (2,), loss=loss)


def _mlp(batch: int) -> Workload:
    return Workload(f"mlp-784-{batch}", "train", batch, networks.MLP_784, (784,))


def _lenet(batch: int) -> Workload:
    return Workload(f"lenet-{batch}", "train", batch, networks.LENET, (1, 28, 28), "LeNet")


def _cifar(batch: int) -> Workload:
    return Workload(f"cifar-{batch}", "train", batch, networks.CIFAR, (3, 32, 32))


def _inference(batch: int) -> Workload:
    name = f"lenet-inference-{batch}"
    return Workload(name, "infer", batch, networks.LENET, (1, 28, 28), "LeNet")


def with_side(side: int) -> Workload:
    """Two convolutions with pooling, on 16 images."""
    return Workload(f"side-{side}", "train", 16, networks.image_stack(side), (3, side, side))


def with_depth(depth: int) -> Workload:
    """`depth` linear layers of 128, at batch 64."""
    return Workload(f"depth-{depth}", "train", 64, networks.deep_mlp(depth), (128,))


# name: (function from batch to workload, batches to measure)
FAMILIES: dict[str, tuple[Callable[[int], Workload], tuple[int, ...]]] = {
    "chain": (_chain, (1,)),
    "mlp-2-10-1": (_small, (4,)),
    "mlp-784": (_mlp, (32, 128)),
    "lenet": (_lenet, (32, 64, 128, 256)),
    "cifar": (_cifar, (32, 128)),
    "lenet-inference": (_inference, (1, 256)),
}
WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for make, batches in FAMILIES.values()
    for workload in (make(batch) for batch in batches)
}
# kind: (unit, function from size to workload, sizes)
GROWTH: dict[str, tuple[str, Callable[[int], Workload], tuple[int, ...]]] = {
    "batch": ("images per batch, LeNet", _lenet, (16, 32, 64, 128, 256, 512, 1024)),
    "side": ("pixels per side, conv and pool stack", with_side, (28, 56, 112, 224)),
    "depth": ("linear layers of 128", with_depth, (2, 4, 8, 16, 32, 64)),
}


def chosen(names: list[str] | None) -> list[Workload]:
    """The named workloads in the order of `WORKLOADS`; a family's name selects all its batches.

    Raises:
        ValueError: if a name is unknown.
    """
    if names is None:
        return list(WORKLOADS.values())
    members = {name: [make(b).name for b in batches] for name, (make, batches) in FAMILIES.items()}
    members |= {name: [name] for name in WORKLOADS}
    for name in names:
        if name not in members:
            raise ValueError(f"unknown workload {name!r}; choose from {', '.join(members)}")
    wanted = {member for name in names for member in members[name]}
    return [w for name, w in WORKLOADS.items() if name in wanted]


def named(name: str, batch: int | None = None) -> Workload:
    """One workload by name; a family's name selects the one with `batch`, or its first.

    Raises:
        ValueError: if the name is unknown, or `batch` does not fit it.
    """
    if name in FAMILIES:
        make, batches = FAMILIES[name]
        if batch is not None and batch < 1:
            raise ValueError(f"batch is {batch}; it must be at least 1")
        return make(batches[0] if batch is None else batch)
    kind, _, size = name.rpartition("-")
    if kind in GROWTH and size.isdecimal():
        return GROWTH[kind][1](int(size))
    (workload,) = chosen([name])
    if batch not in (None, workload.batch):
        raise ValueError(f"{name} has batch {workload.batch}; name the family to choose another")
    return workload
