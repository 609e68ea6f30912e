"""`save` and `load`: weights, or any state of arrays, numbers and text, in one file.

Weights (a flat dict of arrays by name) become a plain safetensors file: PyTorch reads it with
``safetensors.torch.load_file``, and `load` reads what ``safetensors.torch.save_file`` wrote. The
arrays of a nested state are stored under their paths ("optimizer.state.0.exp_avg"). Everything else
is stored as one JSON text, in which ``{"$array": path}`` refers to an array.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.io import safetensors_file
from tinynet.io.files import CheckpointError, write_atomically
from tinynet.nn.state import host_array

_DEPTH = 64  # levels of nesting; far below Python's recursion limit


def save(obj: Mapping[Any, Any], path: str | os.PathLike[str] | BinaryIO) -> None:
    """Save a state in a safetensors file, atomically: a failure leaves an existing file unchanged.

    Args:
        obj: a dict of arrays (NumPy's, CuPy's, Tensors, PyTorch's), numbers, strings, True, False,
            None, and lists, tuples and dicts of them, such as ``model.state_dict()`` or
            ``{"model": model.state_dict(), "epoch": 3}``. Keys are strings or integers. NumPy
            scalars become Python numbers.
        path: the file; its suffix is ".safetensors" by convention. Or a binary file object such as
            io.BytesIO, which is written from where it stands.

    Raises:
        TypeError: for a value of any other type; the message gives its path.
        OSError: if the file cannot be written.

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
    if hasattr(path, "write"):
        data = state_to_bytes(obj)
        try:
            path.write(data)
        except TypeError as error:
            raise TypeError(
                f"save: the file takes text; open it with mode 'wb' ({error})"
            ) from None
        return
    path = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(path)):
        raise FileNotFoundError(f"save: folder {os.path.dirname(path)!r} does not exist")
    write_atomically(path, state_to_bytes(obj))


def load(
    path: str | os.PathLike[str] | BinaryIO, map_location: Any = None, weights_only: bool = True
) -> dict[Any, Any]:
    """Load a saved state, with NumPy arrays; from other safetensors files, load arrays by name.

    Weights alone, a flat dict of arrays, are in the file's order: by dtype, then by name. Numbers
    of bfloat16, float8_e4m3fn and float8_e5m2, which NumPy lacks, become float32, without rounding.

    Args:
        path: the file, or a binary file object, which is read from where it stands.
        map_location, weights_only: PyTorch's arguments, without effect: arrays are NumPy's until
            `load_state_dict` puts them where the parameters are, and a file never runs code.

    Raises:
        CheckpointError: if it is not a safetensors file, or is truncated, damaged or written by a
            newer tinynet.
        OSError: if it does not exist or cannot be read.
    """
    if hasattr(path, "read"):
        data = path.read()
        if not isinstance(data, bytes | bytearray):
            raise TypeError("load: the file gives text; open it with mode 'rb'")
        return state_from_bytes(bytes(data), str(getattr(path, "name", "the file object")))
    path = os.fspath(path)
    with open(path, "rb") as file:
        return state_from_bytes(file.read(), path)


def state_to_bytes(state: Mapping[Any, Any]) -> bytes:
    """The content of the file that `save` writes."""
    arrays, tree = flatten(state)
    weights_alone = all(node == {"$array": key} for key, node in tree.items())
    return safetensors_file.to_bytes(arrays, {} if weights_alone else {"state": json.dumps(tree)})


def state_from_bytes(data: bytes, where: str) -> dict[Any, Any]:
    """What `load` returns for the content of a file; `where` names the file in errors."""
    arrays, metadata = safetensors_file.from_bytes(data, where)
    if "tinynet" not in metadata or "state" not in metadata:
        return arrays
    try:
        state = unflatten(json.loads(metadata["state"]), arrays)
        if not isinstance(state, dict):
            raise ValueError("it is not a dict")
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{where}: its state is malformed ({error})") from None
    return state


def flatten(state: Mapping[Any, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Split a state into its arrays by path and a JSON tree that refers to the paths.

    In the tree, ``{"$tuple": [...]}`` is a tuple and ``{"$dict": [[key, value], ...]}`` a dict that
    a JSON object cannot represent.
    """
    arrays: dict[str, np.ndarray] = {}

    def array_node(array: np.ndarray, path: list[str]) -> dict[str, str]:
        # A file cannot hold a lone surrogate as text.
        first = name = ".".join(path).encode("utf-8", "backslashreplace").decode()
        number = 1
        while name in arrays or name in ("", "__metadata__"):  # the format reserves the second
            number += 1
            name = f"{first}~{number}"
        arrays[name] = safetensors_file.storable("save: " + ".".join(path), array)
        return {"$array": name}

    def node(value: Any, path: list[str]) -> Any:
        if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.itemsize <= 8:
            value = value.item()
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float):
            return int(value) if isinstance(value, int) else float(value)
        if isinstance(value, Value) or backend.is_array(value) or hasattr(value, "detach"):
            return array_node(host_array("save: " + ".".join(path), value), path)
        if len(path) > _DEPTH:
            raise ValueError(f"save: {'.'.join(path[:5])}...: deeper than {_DEPTH} levels")
        if isinstance(value, list | tuple):
            nodes = [node(v, [*path, str(i)]) for i, v in enumerate(value)]
            return nodes if isinstance(value, list) else {"$tuple": nodes}
        if not isinstance(value, Mapping):
            raise TypeError(
                f"save: {'.'.join(path) or 'obj'} is a {type(value).__name__}; a state is made of "
                "arrays, numbers, strings, True, False, None, lists, tuples and dicts"
            )
        for key in value:
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(
                    f"save: {'.'.join(path) or 'obj'} has the key {key!r}; keys are strings or "
                    "integers"
                )
        items = [(k, node(v, [*path, str(k)])) for k, v in value.items()]
        if all(isinstance(k, str) and not k.startswith("$") for k, _ in items):
            return dict(items)
        return {"$dict": [[k, v] for k, v in items]}

    return arrays, node(state, [])


def unflatten(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Rebuild a state from the result of `flatten`.

    Raises:
        ValueError, TypeError: if `flatten` did not make the tree, or an array is missing or unused.
    """
    unused = dict(arrays)

    def build(node: Any) -> Any:
        if isinstance(node, list):
            return [build(n) for n in node]
        if not isinstance(node, dict):
            return node
        if not any(key.startswith("$") for key in node):
            return {key: build(value) for key, value in node.items()}
        [(tag, value)] = node.items()
        if tag == "$array" and value in unused:
            return unused.pop(value)
        if tag == "$tuple" and isinstance(value, list):
            return tuple(build(v) for v in value)
        if tag == "$dict" and isinstance(value, list):
            return {key: build(v) for key, v in value}
        raise ValueError(f"{tag} of {str(value)[:80]!r}")

    state = build(tree)
    if unused:
        raise ValueError(f"unused arrays: {', '.join(map(repr, unused))}")
    return state
