"""The arrays that the page shows: by operation and role, and as data for JavaScript."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynet.kernels.pooling import first_argmax
from tinynet.ops.softmax import softmax
from tinynet.ops.windows import unfold
from tinynet.study.figures import Figures
from tinynet.study.step import Operation, Quantity, Study, by_one_rule


class Contents:
    """The arrays of each operation of a study.

    Attributes:
        study: the study to show.
        figures: collects the arrays.
        extras: for each operation, further arrays by role: "col" and "gcol", the columns of a
            convolution and their gradient; "argmax", a pooling's argmax; "p", a softmax.
        roles: for each operation, all its arrays by role: key and array.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.figures = Figures()
        self.extras = [self._extra(operation) for operation in study.operations]
        self.roles = [self._arrays(operation) for operation in study.operations]

    def _extra(self, operation: Operation) -> dict[str, np.ndarray]:
        values, step = self.values(operation), operation.step
        if operation.name == "conv2d" and step.options["groups"] == 1 and len(values["x"]) == 1:
            w, window = values["w"], step.options["window"]
            gy = self.output(operation).gradient
            assert gy is not None
            gcol = w.reshape(len(w), -1).T @ gy.reshape(len(w), -1)
            return {"col": unfold(values["x"], window=window)[0], "gcol": gcol}
        if operation.name == "max_pool2d":
            window, y = step.options["window"], self.output(operation).value
            argmax = first_argmax(values["x"], y, window)
            return {"argmax": argmax.astype("float32")}
        if operation.name == "cross_entropy_rows":
            return {"p": softmax(values["x"], dim=1)}
        return {}

    def values(self, operation: Operation) -> dict[str, np.ndarray]:
        """The values of an operation's inputs by name."""
        return {n: self.study.quantities[k].value for n, k in operation.inputs.items()}

    def output(self, operation: Operation) -> Quantity:
        return self.study.quantities[operation.output]

    def gradient(self, operation: Operation, name: str) -> tuple[str, np.ndarray] | None:
        """The key and array of the gradient with respect to one input; None for a constant.

        It is the tensor's gradient, unless the tensor is used more than once.
        """
        quantity = self.study.quantities[operation.inputs[name]]
        if quantity.gradient is None:
            return None
        uses = [k for o in self.study.operations for k in o.inputs.values()].count(quantity.key)
        if uses == 1:
            return f"∂ {quantity.key}", quantity.gradient
        g = by_one_rule(self.study.graph, operation, name)
        return f"∂ {quantity.key} by {name} of {operation.number}", g

    def _arrays(self, operation: Operation) -> dict[str, tuple[str, np.ndarray]]:
        output = self.output(operation)
        found = {n: (k, self.study.quantities[k].value) for n, k in operation.inputs.items()}
        found["y"] = output.key, output.value
        if output.gradient is not None:
            found["gy"] = f"∂ {output.key}", output.gradient
        for name in operation.inputs:
            g = self.gradient(operation, name)
            if g is not None:
                found[f"g{name}"] = g
        for role, array in self.extras[operation.number - 1].items():
            found[role] = f"{role} of {operation.number}", array
        return found

    def data(self) -> dict[str, Any]:
        """Data for the page's JavaScript: the arrays, and each operation's arrays by role."""
        operations = []
        for operation, roles in zip(self.study.operations, self.roles, strict=True):
            options = {}
            window = operation.step.options.get("window")
            if window is not None:
                options["window"] = {
                    k: getattr(window, k) for k in ("kernel", "stride", "padding", "dilation")
                }
            for key, array in roles.values():
                self.figures.add(key, array)
            operations.append(
                {"name": operation.name, "options": options,
                 "roles": {role: key for role, (key, _) in roles.items()}}
            )  # fmt: skip
        return {"arrays": self.figures.arrays, "operations": operations}
