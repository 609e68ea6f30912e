"""One training step in full: every value, every gradient, and finite differences.

The step runs twice: in float32 for the numbers on the page, and in float64 for the finite
differences, which float32 would give to three digits only.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynet.autograd import Op
from tinynet.creation import tensor
from tinynet.graph import trace
from tinynet.graph.steps import Graph
from tinynet.nn import Module
from tinynet.optim import SGD
from tinynet.study.digit import Digit
from tinynet.study.networks import Network
from tinynet.study.replay import Check, Replay, checks, host
from tinynet.tensor import Tensor

RATE = 0.05  # learning rate of the update, plain gradient descent


@dataclass(eq=False)
class Quantity:
    """A tensor of the step."""

    key: str  # its unique name on the page
    kind: str  # "parameter", "input", "constant" or "operation"
    is_number: bool  # whether it is a constant number in the formula, such as the ½ of ½x
    value: np.ndarray
    gradient: np.ndarray | None  # None for a constant
    checks: list[Check] = field(default_factory=list)  # finite differences for some entries


@dataclass(eq=False)
class Operation:
    """One operation of the step."""

    number: int  # its position in the forward, from 1
    op: Op
    options: dict[str, Any]
    part: str  # its part of the network
    inputs: dict[str, Quantity]  # by argument name
    output: Quantity

    @property
    def name(self) -> str:
        return self.op.name


@dataclass
class Study:
    """Everything that the page shows."""

    network: Network
    digit: Digit
    quantities: dict[str, Quantity]  # by key, in the order of the graph's steps
    operations: list[Operation]  # in forward order
    output: Quantity  # of the network, without the loss
    loss: np.float32
    loss_after: np.float32  # after a step of gradient descent with rate `RATE`
    replay: Replay  # recomputes the step in float64 with one number changed


def study(network: Network, model: Module, digit: Digit, seed: int = 0) -> Study:
    """Run one training step of a network's model on the digit, and record it.

    The model's weights are not changed. `seed` chooses the entries for finite differences.
    """
    model = copy.deepcopy(model)
    graph, output = _run(network, model, digit, "float32")
    double, _ = _run(network, copy.deepcopy(model).to("float64"), digit, "float64")
    tensors, operations = _named(network, graph, output)
    rng = np.random.default_rng(seed)
    replay = Replay(double)
    for place, tensor_ in enumerate(tensors[:-1]):
        if tensor_.gradient is not None:
            tensor_.checks = checks(replay, place, tensor_.gradient, rng)
    quantities = {one.key: one for one in tensors}
    # another copy: the graph refers to the weights of the first
    stepped = copy.deepcopy(model)
    for name, parameter in stepped.named_parameters():
        parameter.grad = Tensor(quantities[name].gradient)
    SGD(stepped.parameters(), lr=RATE).step()
    after, _ = _run(network, stepped, digit, "float32")
    loss, loss_after = (np.float32(run.steps[-1].value) for run in (graph, after))
    return Study(network, digit, quantities, operations, tensors[output], loss, loss_after, replay)


def _run(network: Network, model: Module, digit: Digit, dtype: str) -> tuple[Graph, int]:
    """The graph of the loss, and the id of the step that is the network's output."""
    x = tensor(digit.image.reshape(network.shape).astype(dtype), requires_grad=True, device="cpu")
    outputs = []

    def forward() -> Tensor:
        outputs.append(model(x))
        return network.loss(outputs[0], digit.label)

    graph = trace(forward, model, {"x": x})
    (output,) = (s.id for s in graph.steps if s.value is outputs[0].data)
    return graph, output


def _named(network: Network, graph: Graph, output: int) -> tuple[list[Quantity], list[Operation]]:
    """The tensor of each step, with a unique key, and the operations.

    An operation belongs to the part whose parameters it takes, or by default to the part of the
    operation before. Operations after the network's output belong to the loss.
    """
    tensors: list[Quantity] = []
    operations: list[Operation] = []
    part = "input"
    for step in graph.steps:
        inputs = {i.name: tensors[i.id] for i in step.inputs if i.id is not None}
        for leaf in inputs.values():
            if leaf.kind == "parameter":
                part = network.part(leaf.key)
        part = part if step.id <= output else "loss"
        key = f"{part}.{step.op.name}" if step.op is not None else step.name
        number = 2
        while any(key == earlier.key for earlier in tensors):
            key, number = f"{key.split(' ')[0]} {number}", number + 1
        gradient = None if step.gradient is None else host(step.gradient)
        made = Quantity(key, step.kind, step.is_number, host(step.value), gradient)
        tensors.append(made)
        if step.op is not None:
            number = len(operations) + 1
            operations.append(Operation(number, step.op, step.options, part, inputs, made))
    return tensors, operations


def by_one_rule(operation: Operation, name: str) -> np.ndarray:
    """One rule's gradient for an input; a tensor used twice has the sum of two such gradients."""
    values = {given: tensor.value for given, tensor in operation.inputs.items()}
    known = {"y": operation.output.value, **values, **operation.options}
    known |= {f"{given}_shape": value.shape for given, value in values.items()}
    rule = operation.op.rules[name]
    args = [operation.output.gradient, *[known[need] for need in rule.needs]]
    g = rule.function(*[[a] for a in args] if rule.joint else args)
    shape = values[name].shape
    return host(g if g.shape == shape else operation.op.unbroadcast(g, shape))
