"""`save` and `load`: weights, and any other state of arrays, numbers and names, in one file.

A file of weights, a flat dict of arrays by name, is a plain safetensors file; PyTorch reads it
through ``safetensors.torch.load_file``, and `load` reads what ``safetensors.torch.save_file``
wrote. Of a nested state the arrays become arrays of the file, under their path
("optimizer.state.0.exp_avg"), and the rest a JSON text, in which ``{"$array": path}`` stands in the
place of an array.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.nn.state import host_array
from tinynet.training import safetensors_file
from tinynet.training.files import CheckpointError, write_atomically

_DEPTH = 64  # far from what Python's recursion allows, in writing and in reading


def save(obj: Mapping[Any, Any], path: str | os.PathLike[str]) -> None:
    """Save a state in a safetensors file, which afterwards is all there or as it was before.

    Args:
        obj: a dict by name of arrays (NumPy's, CuPy's, Tensors, PyTorch's), numbers, strings,
            True, False, None, and lists, tuples and dicts of them; such as
            ``model.state_dict()`` or ``{"model": model.state_dict(), "epoch": 3}``. Keys are
            strings or integers. NumPy's scalars become Python's numbers.
        path: the file, by custom with the ending ".safetensors".

    Raises:
        TypeError: for anything else in it, named by its path.
        OSError: if it cannot be written; an old file of that name is still whole.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
    >>> save({"w": np.arange(3.0)}, path)
    >>> load(path)
    {'w': array([0., 1., 2.])}
    """
    if not isinstance(obj, Mapping):
        raise TypeError(
            f"save: obj is a {type(obj).__name__}; it must be a dict, such as model.state_dict()"
        )
    path = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(path)):
        raise FileNotFoundError(f"save: there is no folder {os.path.dirname(path)!r}")
    write_atomically(path, state_to_bytes(obj))


def load(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """What `save` was given, arrays as NumPy's; of any other safetensors file its arrays by name.

    Weights alone, a flat dict of arrays, come in the order of the file, by type and name.

    Raises:
        CheckpointError: if it is no such file, truncated, damaged or written by a newer tinynet.
        OSError: if it is not there or cannot be read.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        return state_from_bytes(file.read(), path)


def state_to_bytes(state: Mapping[Any, Any]) -> bytes:
    """The content of the file that `save` writes."""
    arrays, tree = flatten(state)
    plain = all(node == {"$array": key} for key, node in tree.items())
    return safetensors_file.to_bytes(arrays, {} if plain else {"state": json.dumps(tree)})


def state_from_bytes(data: bytes, where: str) -> dict[Any, Any]:
    """What `load` returns, from the content of a file; `where` names it in errors."""
    arrays, metadata = safetensors_file.from_bytes(data, where)
    if "tinynet" not in metadata or "state" not in metadata:
        return dict(arrays)
    try:
        state = unflatten(json.loads(metadata["state"]), arrays)
        if not isinstance(state, dict):
            raise ValueError("it is no dict")
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{where}: its state cannot be understood ({error})") from None
    return state


def flatten(state: Mapping[Any, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a state by their paths, and the state as JSON has it, with their paths."""
    arrays: dict[str, np.ndarray] = {}

    def place(array: np.ndarray, path: list[str]) -> dict[str, str]:
        where = "save: " + ".".join(path)
        # a lone surrogate is no text that a file could hold
        first = name = ".".join(path).encode("utf-8", "backslashreplace").decode()
        number = 1
        while name in arrays or name in ("", "__metadata__"):  # the second is the format's own
            number += 1
            name = f"{first}~{number}"
        arrays[name] = safetensors_file.storable(where, array)
        return {"$array": name}

    def plain(value: Any, path: list[str]) -> Any:
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.itemsize <= 8:
            value = value.item()
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, Value) or backend.is_array(value) or hasattr(value, "detach"):
            return place(host_array("save: " + ".".join(path), value), path)
        if len(path) > _DEPTH:
            raise ValueError(f"save: {'.'.join(path[:5])}...: deeper than {_DEPTH} levels")
        if isinstance(value, list):
            return [plain(v, [*path, str(i)]) for i, v in enumerate(value)]
        if isinstance(value, tuple):
            return {"$tuple": [plain(v, [*path, str(i)]) for i, v in enumerate(value)]}
        if isinstance(value, Mapping):
            return mapping(value, path)
        raise TypeError(
            f"save: {'.'.join(path) or 'obj'} is a {type(value).__name__}; a state is made of "
            "arrays, numbers, strings, True, False, None, lists, tuples and dicts"
        )

    def mapping(value: Mapping[Any, Any], path: list[str]) -> Any:
        for key in value:
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(
                    f"save: {'.'.join(path) or 'obj'} has the key {key!r}; keys are strings or "
                    "integers"
                )
        items = [(k, plain(v, [*path, str(k)])) for k, v in value.items()]
        if all(isinstance(k, str) and not k.startswith("$") for k, _ in items):
            return dict(items)
        return {"$dict": [[k, v] for k, v in items]}

    return arrays, plain(state, [])


def unflatten(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The state that `flatten` took apart.

    Raises:
        ValueError, TypeError: if that was not made by `flatten`, or an array is lacking or left.
    """
    left = dict(arrays)

    def build(node: Any) -> Any:
        if isinstance(node, list):
            return [build(n) for n in node]
        if not isinstance(node, dict):
            return node
        if not any(key.startswith("$") for key in node):
            return {key: build(value) for key, value in node.items()}
        [(tag, value)] = node.items()
        if tag == "$array" and value in left:
            return left.pop(value)
        if tag == "$tuple" and isinstance(value, list):
            return tuple(build(v) for v in value)
        if tag == "$dict" and isinstance(value, list):
            return {key: build(v) for key, v in value}
        raise ValueError(f"{tag} of {str(value)[:80]!r}")

    state = build(tree)
    if left:
        raise ValueError(f"arrays without a place: {', '.join(map(repr, left))}")
    return state
