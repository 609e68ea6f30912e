"""Build the steps of a graph from its nodes, from what they kept or what a tape recorded."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import autograd, backend
from tinynet.autograd import Node, Value, raw
from tinynet.graph.steps import Call, Input, Step, input_name, inputs_of, shape_of
from tinynet.graph.watch import Record
from tinynet.nn.module import Module
from tinynet.nn.parameter import Parameter
from tinynet.tensor import Tensor


class Builder:
    """Builds the steps, one node after the other; the model and `names` give tensors their names.

    `records` are a tape's, by the node's id; there are none without a tape.
    """

    def __init__(
        self, model: Module | None, names: Mapping[str, Tensor], records: dict[int, Record]
    ) -> None:
        self.steps: list[Step] = []
        self.sources: list[Any] = []  # each step's node, leaf or constant
        self.place: dict[Any, int] = {}  # from the key of a source to the id of its step
        self.records = records
        self.counts = {"t": 0, "p": 0, "x": 0, "c": 0}
        self.names = {id(t): name for name, t in names.items()}
        self.paths: dict[int, str] = {}
        if model is not None:
            self.names.update({id(p): name for name, p in model.named_parameters()})
            self.names.update({id(b): name for name, b in model.named_buffers()})
            self.paths = {id(m): path for path, m in model.named_modules()}

    def _append(self, source: Any, step: Step) -> int:
        step.id = self.place[_key(source)] = len(self.steps)
        self.steps.append(step)
        self.sources.append(source)
        return step.id

    def _name(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"

    def _leaf(self, a: Any, user: Node | Record) -> int:
        """The step of a leaf or constant, created on first use; a number gets one for each use."""
        array = raw(a)
        if not backend.is_array(array):
            step = Step(-1, f"{array:g}", "constant", (), value=np.asarray(array))
            return self._append(a, step)
        if id(a) in self.place:
            return self.place[id(a)]
        kind, prefix = "constant", "c"
        if isinstance(a, Value) and a.requires_grad:
            kind, prefix = ("parameter", "p") if isinstance(a, Parameter) else ("input", "x")
        number = kind == "constant" and not array.shape  # it takes the dtype of the other operand
        dtype, value = None if number else array.dtype, None if changed(a, user) else array
        plain = number and value is not None
        name = self.names.get(id(a)) or (f"{array.item():g}" if plain else self._name(prefix))
        return self._append(a, Step(-1, name, kind, tuple(array.shape), dtype=dtype, value=value))

    def _computed(self, source: Any) -> int:
        """The step of a node; each output after the first has its own, created on first use."""
        if isinstance(source, tuple) and _key(source) not in self.place:
            node, k = source
            of = self.place[id(node)]
            shape, dtype = node.outputs[k]
            record = self.records.get(id(node))
            value = None if record is None or changed(record.out[k], record) else raw(record.out[k])
            step = Step(-1, f"{self.steps[of].name}[{k}]", "output", shape, None,
                        (Input("of", of, None),), {}, dtype, value)  # fmt: skip
            step.calls, step.where = self.steps[of].calls, self.steps[of].where
            return self._append(source, step)
        return self.place[_key(source)]

    def _operand(self, name: str, a: Any, user: Node | Record) -> Input:
        """An input that the user, a node or a record, has kept."""
        if isinstance(a, Tensor) and a.requires_grad and a.grad_fn is not None:
            place = self._computed(a._source or a)
        else:
            place = self._leaf(a, user)
        return Input(name, place, shape_of(a))

    def add(self, node: Node) -> None:
        """Add the step of a node; the steps of its inputs must exist."""
        shape = node.outputs[0][0] if node.outputs else ()
        step = Step(-1, self._name("t"), "operation", shape, node.op)
        record = self.records.get(id(node))
        if record is None:
            self._read_node(node, step)
        else:
            self._read_record(record, step)
        self._append(node, step)

    def _read_record(self, record: Record, step: Step) -> None:
        """Fill the step from a tape's record, which is complete."""
        operands = inputs_of(record.op, record.args)
        step.inputs = tuple(self._operand(name, a, record) for name, a in operands.items())
        step.options, step.where = record.options, record.where
        step.value = None if changed(record.first, record) else raw(record.first)
        for call in record.calls:
            kind = type(call.module).__name__
            path = self.paths.get(id(call.module), kind)
            if path:  # leaves out the model itself, which encloses everything
                step.calls += (Call(call.number, path, kind),)

    def _read_node(self, node: Node, step: Step) -> None:
        """Fill the step with the inputs, options and values that the rules keep."""
        op = node.op
        step.where = getattr(node, "where", "")  # only inside detect_anomaly
        inputs: dict[int, Input] = {}
        for i, source, shape, *_ in node.edges or ():
            computed = isinstance(source, Node | tuple)
            place = self._computed(source) if computed else self._leaf(source, node)
            inputs[i] = Input(input_name(op, i), place, tuple(shape))
        for name, a in node.saved.items():  # by parameter name of the rules
            if name == "y" and not changed(a, node):
                step.value = raw(a[0] if isinstance(a, tuple) else a)
            elif name in op.options:
                step.options[name] = a
            elif name in op.inputs:
                first = op.inputs.index(name)
                for i, operand in enumerate(a if op.variadic else (a,), first):
                    self._note_value(operand, node)
                    if i not in inputs and operand is not None:
                        inputs[i] = self._operand(input_name(op, i), operand, node)
        if not op.variadic:
            parameters = inspect.signature(op.forward).parameters
            for i, name in enumerate(op.inputs):
                if i not in inputs and parameters[name].default is inspect.Parameter.empty:
                    inputs[i] = Input(name, None, None)
        step.inputs = tuple(inputs[i] for i in sorted(inputs))

    def _note_value(self, a: Any, user: Node) -> None:
        """If a later rule keeps an operation's output, set it as the value of its step."""
        node = a.grad_fn if isinstance(a, Tensor) and a.requires_grad else None
        if node is not None and id(node) in self.place and not changed(a, user):
            self.steps[self._computed(a._source or a)].value = raw(a)

    def finish(self, output: Tensor) -> None:
        """Set shapes and dtypes, from the values or else from users and inputs of each step."""
        self.steps[self._computed(output._source)].value = output.data  # its step is the last
        for step in self.steps:
            for given in step.inputs if step.op is not None else ():
                if given.id is not None and self.steps[given.id].op is not None:
                    self.steps[given.id].shape = given.shape or ()
        for step in self.steps:
            if step.op is None:
                continue  # set when it was created
            if step.value is not None:
                step.shape, step.dtype = tuple(step.value.shape), step.value.dtype
            elif "dtype" in step.options:
                step.dtype = step.options["dtype"]
            else:
                dtypes = [self.steps[i.id].dtype for i in step.inputs if i.id is not None]
                step.dtype = np.result_type(*[d for d in dtypes if d is not None])

    def differentiate(self, output: Tensor) -> None:
        """Set `gradient` of every step except constants, with `tinynet.grad`."""
        wanted = [step for step in self.steps if step.kind != "constant"]
        targets: list[Value] = []
        for step in wanted:
            source = self.sources[step.id]
            if isinstance(source, Node | tuple):  # a stand-in for its tensor, which may be freed
                like = np.broadcast_to(np.zeros((), step.dtype), step.shape)
                source = Tensor(like, True, source)
            targets.append(source)
        found = autograd.grad(output, targets, retain_graph=True, allow_unused=True)
        for step, g in zip(wanted, found, strict=True):
            step.gradient = raw(g)


def changed(a: Any, by: Node | Record) -> bool:
    """Whether a value was changed in place after the node or record kept it."""
    return isinstance(a, Value) and a._version[0] > by.stamp


def _key(source: Any) -> Any:
    """Identity of a source: a node, a leaf, a constant, or a node and the number of an output."""
    return (id(source[0]), source[1]) if isinstance(source, tuple) else id(source)


def calls_by_parameters(steps: list[Step], model: Module) -> None:
    """Set the module calls of steps without a tape.

    An operation on a module's parameters belongs to that module, and so does an operation on
    results of the module and its parameters alone.
    """
    kinds = {path: type(m).__name__ for path, m in model.named_modules()}
    given = [[i.id for i in step.inputs if i.id is not None] for step in steps]
    users = Counter(k for ids in given for k in ids)
    owner: dict[int, str] = {}  # from a step to the only module whose parameters lead to it
    pure: set[int] = set()  # parameters, numbers, and steps computed only from these
    for step, ids in zip(steps, given, strict=True):
        if step.kind == "parameter" and "." in step.name:
            owner[step.id] = step.name.rpartition(".")[0]
        if step.kind == "parameter" or step.is_number or (ids and pure.issuperset(ids)):
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
