"""Steps from nodes, one after the other, from what the nodes keep or what a watch saw of them."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import autograd, backend
from tinynet.autograd import Node, Op, Value, raw
from tinynet.graph.steps import Call, Input, Step
from tinynet.graph.watch import Record
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor


class Builder:
    """Makes the steps, one node after the other."""

    def __init__(
        self, model: Module | None, names: Mapping[str, Tensor], records: dict[int, Record]
    ) -> None:
        self.steps: list[Step] = []
        self.links: list[Any] = []  # of each step: its node, its leaf, or its constant
        self.place: dict[int, int] = {}  # from the id of a link to the step's
        self.records = records
        self.counts = {"t": 0, "p": 0, "x": 0, "c": 0}
        self.names = {id(t): name for name, t in names.items()}
        self.paths: dict[int, str] = {}
        if model is not None:
            self.names.update({id(p): name for name, p in model.named_parameters()})
            self.names.update({id(b): name for name, b in model.named_buffers()})
            self.paths = {id(m): path for path, m in model.named_modules()}

    def _append(self, link: Any, step: Step) -> int:
        self.steps.append(step)
        self.links.append(link)
        self.place[id(link)] = step.id
        return step.id

    def _name(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"

    def _leaf(self, a: Any) -> int:
        """The step of a leaf or constant, made at its first use; a number's at every use."""
        array = raw(a)
        if backend.is_array(array) and id(a) in self.place:
            return self.place[id(a)]
        if not backend.is_array(array):
            number = Step(len(self.steps), f"{array:g}", "constant", (), value=np.asarray(array))
            return self._append(a, number)
        kind, prefix = "constant", "c"
        if isinstance(a, Value) and a.requires_grad:
            kind, prefix = ("parameter", "p") if isinstance(a, Parameter) else ("input", "x")
        name = self.names.get(id(a)) or self._name(prefix)
        shape = tuple(array.shape)
        return self._append(a, Step(len(self.steps), name, kind, shape, None, (), {}, array.dtype,
                                    array))  # fmt: skip

    def _input(self, name: str, a: Any) -> Input:
        """An operand whose value is there."""
        if isinstance(a, Value) and a.requires_grad and a.grad_fn is not None:
            place = self.place[id(a.grad_fn)]
        else:
            place = self._leaf(a)
        return Input(name, place, tuple(getattr(raw(a), "shape", ())))

    def add(self, node: Node) -> None:
        op, record = node.op, self.records.get(id(node))
        step = Step(-1, self._name("t"), "operation", (), op, where=getattr(node, "where", ""))
        if record is None:
            self._add_kept(node, step)
        else:
            args = [a if isinstance(a, Value) else backend.operand(op.name, a) for a in record.args]
            step.inputs = tuple(
                self._input(_parameter(op, i), a) for i, a in enumerate(args) if a is not None
            )
            step.options = {**op.options, **record.options}
            step.value, step.where = raw(record.out), record.where
            step.calls = tuple(
                Call(number, self.paths.get(id(m)) or type(m).__name__, type(m).__name__)
                for number, m in record.modules if self.paths.get(id(m)) != ""
            )  # fmt: skip
        step.id = len(self.steps)
        self._append(node, step)

    def _add_kept(self, node: Node, step: Step) -> None:
        """Inputs, options and values, as far as the rules keep them."""
        op = node.op
        inputs: dict[int, Input] = {}
        for i, link, shape, rule, kept in node.edges or ():
            place = self.place[id(link)] if isinstance(link, Node) else self._leaf(link)
            inputs[i] = Input(_parameter(op, i), place, tuple(shape))
            for name, a in zip(rule.needs, kept, strict=True):
                if name == "y" and not _changed(a, node):
                    step.value = raw(a)
                elif name in op.options:
                    step.options[name] = a
                elif name in op.inputs:
                    first = op.inputs.index(name)
                    for k, operand in enumerate(a if op.variadic else (a,), first):
                        self._note_value(operand, node)
                        if k not in inputs and operand is not None and not _has_edge(node, k):
                            inputs[k] = self._input(_parameter(op, k), operand)
        if not op.variadic:
            parameters = inspect.signature(op.forward).parameters
            for i, name in enumerate(op.inputs):
                if i not in inputs and parameters[name].default is inspect.Parameter.empty:
                    inputs[i] = Input(name, None, None)
        step.inputs = tuple(inputs[i] for i in sorted(inputs))

    def _note_value(self, a: Any, user: Node) -> None:
        """What a later rule keeps of an earlier operation's output is that output's value."""
        node = a.grad_fn if isinstance(a, Value) and a.requires_grad else None
        if node is not None and id(node) in self.place and not _changed(a, user):
            self.steps[self.place[id(node)]].value = raw(a)

    def finish(self, output: Tensor) -> None:
        """Shapes and dtypes: of the value, else of what the consumers and the inputs say."""
        self.steps[-1].value = output.data
        for step in self.steps:
            for given in step.inputs:
                if given.id is not None and self.steps[given.id].op is not None:
                    self.steps[given.id].shape = given.shape or ()
        for step in self.steps:
            if step.value is not None:
                step.shape, step.dtype = tuple(step.value.shape), step.value.dtype
                if step.kind == "constant" and step.shape == ():
                    step.dtype = None  # a number takes the dtype of what it meets
            elif "dtype" in step.options:
                step.dtype = step.options["dtype"]
            else:
                dtypes = [self.steps[i.id].dtype for i in step.inputs if i.id is not None]
                step.dtype = np.result_type(*[d for d in dtypes if d is not None])

    def differentiate(self, output: Tensor) -> None:
        """Set `gradient` of every step that has one, by `tinynet.grad`."""
        wanted = [step for step in self.steps if step.kind != "constant"]
        targets: list[Value] = []
        for step in wanted:
            link = self.links[step.id]
            if isinstance(link, Node):  # the tensor itself may be gone: one like it will do
                like = np.broadcast_to(np.zeros((), step.dtype), step.shape)
                link = Tensor(like, requires_grad=True, grad_fn=link)
            targets.append(link)
        found = autograd.grad(output, targets, retain_graph=True, allow_unused=True)
        for step, g in zip(wanted, found, strict=True):
            step.gradient = raw(g)


def _parameter(op: Op, i: int) -> str:
    return f"{op.inputs[0]}_{i}" if op.variadic else op.inputs[i]


def _has_edge(node: Node, i: int) -> bool:
    return any(edge[0] == i for edge in node.edges or ())


def _changed(a: Any, node: Node) -> bool:
    """Whether what the node kept was changed in place since."""
    return isinstance(a, Value) and a._version is not None and a._version[0] > node.stamp


def calls_by_parameters(steps: list[Step], model: Module) -> None:
    """Without a watch: an operation that takes a module's parameters belongs to it, and with it
    what is computed from those parameters, or from its own results and them, alone."""
    kinds = {path: type(m).__name__ for path, m in model.named_modules()}
    given = [[i.id for i in step.inputs if i.id is not None] for step in steps]
    users = Counter(k for ids in given for k in ids)
    owner: dict[int, str] = {}  # of what one module's parameters alone lead to
    pure: set[int] = set()  # parameters, numbers, and what is computed from these alone
    for step, ids in zip(steps, given, strict=True):
        if step.kind == "parameter" and "." in step.name:
            owner[step.id] = step.name.rpartition(".")[0]
        number = step.kind == "constant" and step.dtype is None
        if step.kind == "parameter" or number or (ids and pure.issuperset(ids)):
            pure.add(step.id)
        owners = {owner[k] for k in ids if k in pure and k in owner}
        if len(owners) != 1:
            continue
        (path,) = owners
        owner[step.id] = path
        before = {steps[k].calls for k in ids if k not in pure}
        joins = len(before) == 1 and all(calls and calls[-1].name == path for calls in before)
        mine = before.pop() if joins else (Call(step.id, path, kinds.get(path, "")),)
        inside = [step.id]
        while inside:
            k = inside.pop()
            steps[k].calls = mine
            inside += [j for j in given[k] if j in pure and steps[j].op and users[j] == 1]
