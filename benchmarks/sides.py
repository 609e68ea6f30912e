"""The sides of the comparison: tinynet, and PyTorch in two memory orders.

Names and signatures are the same in both libraries, so one class, `Run`, runs the same step on
each side, line by line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import networks
from benchmarks.workloads import OPERATIONS, Workload

OURS = "tinynet"
PEERS = ("torch", "torch-channels-last")


@dataclass(frozen=True)
class Side:
    """The parts of a library that a step uses.

    Attributes:
        name: name on the command line and in reports.
        library, version: the library and its version.
        nn, functional: its layers and functions.
        adam: its Adam.
        no_grad: its context manager.
        seed: seeds its random numbers.
        tensor: makes a tensor from an array.
        lenet: makes LeNet.
        place: converts a model or a batch of images to this side's memory order.
    """

    name: str
    library: str
    version: str
    nn: ModuleType
    functional: ModuleType
    adam: Callable[..., Any]
    no_grad: Callable[[], Any]
    seed: Callable[[int], Any]
    tensor: Callable[[Any], Any]
    lenet: Callable[[], Any]
    place: Callable[[Any], Any] = lambda x: x

    def model(self, workload: Workload, state: Mapping[str, np.ndarray] | None = None) -> Any:
        """The network of a workload, with the weights of `state`, or by default those of seed 0.

        The seed is fixed: for 3 of 150 seeds of `mlp-784-32` a gradient was so near 0 that its last
        bit decided the direction of Adam's step, and the losses of two libraries diverged.
        """
        self.seed(0)
        if workload.model == "LeNet":
            model = self.lenet()
        else:
            model = networks.build(self.nn, workload.layers)
        if state is not None:
            model.load_state_dict({k: self.tensor(v) for k, v in state.items()})
        return self.place(model) if workload.images else model

    def tensors(self, workload: Workload, batches: Any) -> list[tuple[Any, Any]]:
        """The batches as this side's tensors."""
        pairs = [(self.tensor(x), self.tensor(y)) for x, y in batches]
        return [(self.place(x), y) for x, y in pairs] if workload.images else pairs


def load(name: str, threads: int) -> Side:
    """Load a side by name.

    Raises:
        ImportError: if the library is not installed.
        ValueError: if the name is unknown.
    """
    if name == OURS:
        return _tinynet()
    check_peers([name])
    return _torch(name, threads)


def check_peers(names: Sequence[str]) -> None:
    """Raise ValueError for an unknown name."""
    for name in names:
        if name not in PEERS:
            raise ValueError(f"unknown peer {name!r}; choose from {', '.join(PEERS)}")


def _tinynet() -> Side:
    import tinynet as tn
    from tinynet import functional, models, nn, optim

    return Side(
        OURS, OURS, tn.__version__, nn, functional, optim.Adam, tn.no_grad, tn.manual_seed,
        tn.tensor, models.LeNet,
    )  # fmt: skip


def _torch(name: str, threads: int) -> Side:
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)

    class LeNet(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(1, 6, 5)
            self.conv2 = torch.nn.Conv2d(6, 16, 5)
            self.fc1 = torch.nn.Linear(256, 120)
            self.fc2 = torch.nn.Linear(120, 10)

        def forward(self, x: Any) -> Any:
            x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
            x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
            x = functional.relu(self.fc1(x.flatten(1)))
            return self.fc2(x)

    def channels_last(x: Any) -> Any:
        return x.to(memory_format=torch.channels_last)

    place = channels_last if name == "torch-channels-last" else lambda x: x
    return Side(
        name, "torch", torch.__version__, torch.nn, functional, torch.optim.Adam, torch.no_grad,
        torch.manual_seed, torch.tensor, LeNet, place,
    )  # fmt: skip


class Run:
    """A workload on one side: call `restart`, then `step` any number of times.

    Args:
        side, workload: the side and the workload.
        batches: this side's tensors, from `Side.tensors`, with the same numbers on all sides.
        state: initial weights by name, the same on all sides; by default those of seed 0.
    """

    def __init__(
        self, side: Side, workload: Workload, batches: Sequence[tuple[Any, Any]],
        state: Mapping[str, np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        self.side, self.workload, self.state = side, workload, state
        self.batches = batches
        self.step = {"train": self._train, "infer": self._infer, "chain": self._chain}[
            workload.kind
        ]
        self.restart()

    def restart(self) -> None:
        """Return to the initial weights and the first batch, with a new optimizer.

        Otherwise thousands of steps on a few batches would end in gradients so small that
        arithmetic on them is slow, unlike in real training.
        """
        self.supply = itertools.cycle(self.batches)
        if self.workload.kind == "chain":
            x, _ = next(self.supply)
            self.x = x.requires_grad_()
            self.scale, self.shift = [self.side.tensor(np.full((1, 8), v, "float32"))
                                      for v in (0.7, 0.2)]  # fmt: skip
            return
        self.model = self.side.model(self.workload, self.state)
        if self.workload.kind == "train":
            self.loss = getattr(self.side.functional, self.workload.loss)
            self.optimizer = self.side.adam(self.model.parameters(), lr=1e-3)
        else:
            self.model.eval()

    def _train(self) -> Any:
        x, y = next(self.supply)
        loss = self.loss(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def _infer(self) -> Any:
        x, _ = next(self.supply)
        with self.side.no_grad():
            return self.model(x)

    def _chain(self) -> Any:
        return self.chain_backward(self.chain_forward())

    def chain_forward(self) -> Any:
        """Repeats h = tanh(0.7 h + x) - 0.2, four operations each time, and sums h."""
        x, scale, shift = self.x, self.scale, self.shift
        h = x
        for _ in range(OPERATIONS // 4):
            h = h * scale
            h = h + x
            h = h.tanh()
            h = h - shift
        return h.sum()

    def chain_backward(self, loss: Any) -> Any:
        """Compute the gradient of the input; returns the loss."""
        self.x.grad = None
        loss.backward()
        return loss

    def observe(self, result: Any) -> np.ndarray:
        """The numbers that a step computed: the loss, the logits, or loss and gradient."""
        numbers = np.ravel(result.detach().numpy()).copy()
        if self.workload.kind == "chain":
            numbers = np.concatenate([numbers, np.ravel(self.x.grad.numpy())])
        return numbers
