"""The arrays that the page shows: by operation and role, and as data for JavaScript."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import numpy as np

from tinynet.kernels.pooling import first_argmax
from tinynet.ops.softmax import softmax
from tinynet.ops.windows import unfold
from tinynet.study.step import Operation, Study, by_one_rule

Roles = dict[str, tuple[str, np.ndarray]]  # key and array by role


def arrays(study: Study) -> list[Roles]:
    """All arrays of each operation: its inputs and "y", their gradients "gx", "gy", ..., and more.

    "col" and "gcol" are the columns of a convolution and their gradient, "argmax" is a pooling's,
    "p" a softmax. A gradient is the tensor's, or if the tensor is used more than once, the share
    of this use.
    """
    uses = Counter(tensor for o in study.operations for tensor in o.inputs.values())
    found: list[Roles] = []
    for operation in study.operations:
        roles = {name: (tensor.key, tensor.value) for name, tensor in operation.inputs.items()}
        roles["y"] = operation.output.key, operation.output.value
        if operation.output.gradient is not None:
            roles["gy"] = f"∂ {operation.output.key}", operation.output.gradient
        for name, tensor in operation.inputs.items():
            if tensor.gradient is None:
                continue
            key, gradient = f"∂ {tensor.key}", tensor.gradient
            if uses[tensor] > 1:
                key += f" by {name} of {operation.number}"
                gradient = by_one_rule(operation, name)
            roles[f"g{name}"] = key, gradient
        for role, array in _further(operation).items():
            roles[role] = f"{role} of {operation.number}", array
        found.append(roles)
    return found


def _further(operation: Operation) -> dict[str, np.ndarray]:
    values = {name: tensor.value for name, tensor in operation.inputs.items()}
    window: Any = operation.options.get("window")
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


def as_json(study: Study, roles: list[Roles]) -> str:
    """Data for the page's JavaScript: the arrays, and each operation's arrays by role."""
    operations = []
    for operation, mine in zip(study.operations, roles, strict=True):
        options = {}
        window = operation.options.get("window")
        if window is not None:
            names = ("kernel", "stride", "padding", "dilation")
            options["window"] = {name: getattr(window, name) for name in names}
        keys = {role: key for role, (key, _) in mine.items()}
        operations.append({"name": operation.name, "options": options, "roles": keys})
    numbers = {key: embedded(key, array) for mine in roles for key, array in mine.values()}
    made = json.dumps({"arrays": numbers, "operations": operations}, separators=(",", ":"))
    return made.replace("<", "\\u003c")  # "<" occurs only inside strings, which may escape it


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
