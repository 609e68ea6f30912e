"""A checkpoint: everything that a training run depends on, in one file, to resume it bit for bit.

The file is a state as `saving` writes it. Each part of the run (model, optimizer, loader, ...) has
its `state_dict` under the part's name; "random" is the state of tinynet's random numbers; "run" has
the `Place`, and the options and classes that a run resumed from the file must share.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args, get_type_hints

import numpy as np

from tinynet import random
from tinynet.io.files import CheckpointError, write_atomically
from tinynet.io.saving import flatten, state_from_bytes, state_to_bytes
from tinynet.nn.module import Module


@dataclass
class Place:
    """The position of a run."""

    epoch: int = 0  # complete epochs
    batch: int = 0  # steps begun in the current epoch
    step: int = 0  # steps begun in the whole run
    steps_done: bool = False  # whether only the work after the steps of the current epoch is left
    stopped: bool = False  # whether the current epoch is the last one
    best: float | None = None  # the best value so far, None before there is one
    best_epoch: int | None = None  # the epoch of the best value, from 0


# Types of the checkpoint's "run" fields.
_RUN_TYPES: dict[str, Any] = {**get_type_hints(Place), "options": dict, "made": dict}


def save_checkpoint(
    path: str, place: Place, parts: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Write a checkpoint of the parts, from `with_state`, atomically.

    Raises:
        OSError: if the file cannot be written; an existing file is unchanged.
    """
    run = {**asdict(place), "options": dict(options), "made": _descriptions(parts)}
    states = {name: part.state_dict() for name, part in parts.items()}
    write_atomically(path, state_to_bytes({"run": run, **states}))


def load_checkpoint(
    path: str, parts: Mapping[str, Any], options: Mapping[str, Any], allow: Collection[str] = ()
) -> Place:
    """Load a checkpoint into the parts, all of them or none, and return its position.

    The options and parts that `allow` names may differ from the saved ones.

    Raises:
        CheckpointError: if the file cannot be read, is damaged, or does not fit the parts or the
            options; nothing is changed.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise CheckpointError(
            f"Checkpoint.load: no checkpoint to resume: {path} does not exist; nothing has been "
            "saved there yet, so start a new run (without --resume)"
        ) from None
    except OSError as error:
        raise CheckpointError(f"Checkpoint.load: no checkpoint to resume: {error}") from None
    state = state_from_bytes(data, path)
    run = _checked_run(state.pop("run", None), path)
    saved_options, descriptions = run.pop("options"), run.pop("made")
    _check_options(saved_options, options, allow, path)
    _load_parts(parts, state, descriptions, allow, path)
    return Place(**run)


class _RandomNumbers:
    """A NumPy generator as a part; by default the one for initialisation and dropout.

    Checkpoints contain the name of this class.
    """

    def __init__(self, generator: np.random.Generator | None = None) -> None:
        self.generator = generator

    def _bit_generator(self) -> Any:
        return (self.generator or random.generator()).bit_generator

    def state_dict(self) -> dict[str, Any]:
        return dict(self._bit_generator().state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self._bit_generator().state = dict(state_dict)


def with_state(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts with NumPy generators wrapped, and tinynet's random numbers as "random".

    Raises:
        TypeError: for a part without `state_dict` and `load_state_dict`, or a reserved name.
    """
    checked: dict[str, Any] = {"random": _RandomNumbers()}
    for name, part in parts.items():
        if name in ("run", "random"):
            raise TypeError(f"Checkpoint: the name {name!r} is reserved; give the part another")
        if isinstance(part, np.random.Generator):
            part = _RandomNumbers(part)
        for method in ("state_dict", "load_state_dict"):
            if not callable(getattr(part, method, None)):
                raise TypeError(
                    f"Checkpoint: part {name!r} is a {type(part).__name__}, which has no {method}; "
                    "plain numbers and names go into options={...}"
                )
        checked[name] = part
    return checked


def _descriptions(parts: Mapping[str, Any]) -> dict[str, str]:
    """A description of each part: a model's layers and their options, another part's class."""
    return {
        name: repr(part) if isinstance(part, Module) else type(part).__name__
        for name, part in parts.items()
    }


def _checked_run(run: Any, path: str) -> dict[str, Any]:
    if not isinstance(run, dict) or run.keys() != _RUN_TYPES.keys():
        raise CheckpointError(
            f"{path} is not a checkpoint of a run; read weights and other states with tinynet.load"
        )
    for name, kind in _RUN_TYPES.items():
        value = run[name]
        if type(value) not in (get_args(kind) or (kind,)) or (type(value) is int and value < 0):
            wanted = "int of at least 0" if kind is int else getattr(kind, "__name__", kind)
            raise CheckpointError(f"{path}: {name!r} of 'run' is {value!r}; it must be {wanted}")
    return run


def _check_options(
    saved: Mapping[str, Any], options: Mapping[str, Any], allow: Collection[str], path: str
) -> None:
    def comparable(given: Mapping[str, Any], name: str) -> Any:
        arrays, tree = flatten({name: given[name]} if name in given else {})
        return json.dumps(tree), {k: (a.dtype, a.shape, a.tobytes()) for k, a in arrays.items()}

    def change(name: str) -> str:
        old, new = (repr(o[name]) if name in o else "not given" for o in (saved, options))
        return f"{name} was {old}, is {new}"

    names = [name for name in {**saved, **options} if name not in allow]
    differ = [name for name in names if comparable(saved, name) != comparable(options, name)]
    if differ:
        raise CheckpointError(
            f"{path} was saved by a run with other options: {'; '.join(map(change, differ))}. Give "
            "the same options, or start a new run in another folder; in Python, "
            f"load(allow={differ}) lets them differ"
        )


def _load_parts(
    parts: Mapping[str, Any],
    saved: Mapping[Any, Any],
    descriptions: Mapping[str, Any],
    allow: Collection[str],
    path: str,
) -> None:
    """Load every part; after an error restore the parts already loaded."""
    missing = [name for name in parts if name not in saved]
    unexpected = [str(name) for name in saved if name not in parts]
    if missing or unexpected:
        lists = (("missing", missing), ("unexpected", unexpected))
        raise CheckpointError(
            f"{path} has other parts than the run: "
            + "; ".join(f"{kind}: {', '.join(names)}" for kind, names in lists if names)
        )
    differences = _differences(descriptions, _descriptions(parts), allow)
    before = {}
    try:
        # Models first: if a model differs, its keys say more than its description.
        for name in sorted(parts, key=lambda name: not isinstance(parts[name], Module)):
            if differences and not isinstance(parts[name], Module):
                raise CheckpointError(
                    f"{path} was saved by a run with other parts, and nothing was loaded. "
                    f"{'; '.join(differences)}. Create them as before, or allow parts to differ: "
                    "load(allow=[name, ...])"
                )
            try:
                before[name] = copy.deepcopy(parts[name].state_dict())
                _check_dtypes(parts[name], before[name], saved[name])
                parts[name].load_state_dict(saved[name])
            except Exception as error:  # parts are of any class and may raise anything
                raise CheckpointError(
                    f"{path} does not fit, and nothing was loaded. Part {name!r}: {error}"
                ) from error
    except BaseException:  # Ctrl-C too
        for name, state in before.items():
            parts[name].load_state_dict(state)
        raise


def _check_dtypes(part: Any, now: Any, saved: Any) -> None:
    """Reject dtypes that `Module.load_state_dict` would convert, which would change the numbers."""
    if isinstance(part, Module):
        converted = [
            f"{name} was {saved[name].dtype}, is {array.dtype}"
            for name, array in now.items()
            if name in saved and saved[name].dtype != array.dtype
        ]
        if converted:
            raise ValueError("; ".join(converted))


_NEW_OPTION = ", ceil_mode=False"  # files from before pooling had it do not name it


def _differences(
    saved: Mapping[str, Any], now: Mapping[str, str], allow: Collection[str]
) -> list[str]:
    """For each part whose description differs, the first differing line."""
    found = []
    for name in [name for name in now if name not in allow]:
        lines = str(saved.get(name)).splitlines(), now[name].splitlines()
        for old, new in itertools.zip_longest(*lines, fillvalue="shorter"):
            if old.replace(_NEW_OPTION, "") != new.replace(_NEW_OPTION, ""):
                found.append(f"{name} was {old.strip()}, is {new.strip()}")
                break
    return found
