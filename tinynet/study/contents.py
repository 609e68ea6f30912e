"""The arrays that the page shows: by operation and role, and as data for JavaScript."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tinynet.kernels.pooling import first_argmax
from tinynet.ops.softmax import softmax
from tinynet.ops.windows import unfold
from tinynet.study.step import Operation, Study, by_one_rule


class Contents:
    """The arrays of each operation of a study.

    Attributes:
        study: the study to show.
        extras: for each operation, further arrays by role: "col" and "gcol", the columns of a
            convolution and their gradient; "argmax", a pooling's argmax; "p", a softmax.
        roles: for each operation, all its arrays by role: key and array.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.extras = [_extra(operation) for operation in study.operations]
        self.roles = [self._arrays(operation) for operation in study.operations]

    def _gradient(self, operation: Operation, name: str) -> tuple[str, np.ndarray] | None:
        """The key and array of the gradient with respect to one input; None for a constant.

        It is the tensor's gradient, unless the tensor is used more than once.
        """
        quantity = operation.inputs[name]
        if quantity.gradient is None:
            return None
        uses = [q.key for o in self.study.operations for q in o.inputs.values()].count(quantity.key)
        if uses == 1:
            return f"∂ {quantity.key}", quantity.gradient
        g = by_one_rule(self.study.graph, operation, name)
        return f"∂ {quantity.key} by {name} of {operation.number}", g

    def _arrays(self, operation: Operation) -> dict[str, tuple[str, np.ndarray]]:
        output = operation.output
        found = {name: (q.key, q.value) for name, q in operation.inputs.items()}
        found["y"] = output.key, output.value
        if output.gradient is not None:
            found["gy"] = f"∂ {output.key}", output.gradient
        for name in operation.inputs:
            g = self._gradient(operation, name)
            if g is not None:
                found[f"g{name}"] = g
        for role, array in self.extras[operation.number - 1].items():
            found[role] = f"{role} of {operation.number}", array
        return found

    def data(self) -> dict[str, Any]:
        """Data for the page's JavaScript: the arrays, and each operation's arrays by role."""
        arrays: dict[str, dict[str, Any]] = {}
        operations = []
        for operation, roles in zip(self.study.operations, self.roles, strict=True):
            arrays.update((key, embedded(key, array)) for key, array in roles.values())
            options = {}
            window = operation.step.options.get("window")
            if window is not None:
                options["window"] = {
                    k: getattr(window, k) for k in ("kernel", "stride", "padding", "dilation")
                }
            operations.append(
                {"name": operation.name, "options": options,
                 "roles": {role: key for role, (key, _) in roles.items()}}
            )  # fmt: skip
        return {"arrays": arrays, "operations": operations}


def _extra(operation: Operation) -> dict[str, np.ndarray]:
    values = {name: quantity.value for name, quantity in operation.inputs.items()}
    window: Any = operation.step.options.get("window")
    if operation.name == "conv2d":  # of one example and one group, as in all networks here
        w, gy = values["w"], operation.output.gradient
        assert gy is not None
        gcol = w.reshape(len(w), -1).T @ gy.reshape(len(w), -1)
        return {"col": unfold(values["x"], window=window)[0], "gcol": gcol}
    if operation.name == "max_pool2d":
        return {"argmax": first_argmax(values["x"], operation.output.value, window).astype("f4")}
    if operation.name == "cross_entropy_rows":
        return {"p": softmax(values["x"], dim=1)}
    return {}


def embedded(key: str, array: np.ndarray) -> dict[str, Any]:
    """An array as little-endian float32 in base64, with its shape.

    Raises:
        TypeError: if float32 cannot represent its numbers exactly.
    """
    floats = np.asarray(array, dtype="<f4", order="C")
    if not np.array_equal(floats, array, equal_nan=True):
        raise TypeError(f"{key!r} of {array.dtype} is not exact in float32")
    data = base64.b64encode(floats.tobytes()).decode("ascii")
    return {"shape": list(array.shape), "data": data}
