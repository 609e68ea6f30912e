"""Whether a saved run fits the one that is to go on from it; all of it is restored, or nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tinynet import random
from tinynet.nn.module import Module
from tinynet.training.files import CheckpointError
from tinynet.training.saving import flatten, unflatten

# of what a checkpoint says of its run, the types
RUN: dict[str, tuple[type, ...]] = {
    "epoch": (int,),
    "batch": (int,),
    "step": (int,),
    "steps_done": (bool,),
    "stopped": (bool,),
    "best": (float, type(None)),
    "best_epoch": (int, type(None)),
    "options": (dict,),
    "made": (dict,),
}


class _RandomNumbers:
    """A NumPy generator, by default the one behind initialisation and dropout, as a part."""

    def __init__(self, generator: np.random.Generator | None = None) -> None:
        self.generator = generator

    def _bits(self) -> Any:
        return (self.generator or random.generator()).bit_generator

    def state_dict(self) -> dict[str, Any]:
        return dict(self._bits().state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self._bits().state = dict(state_dict)


def check_parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a run by name, with tinynet's random numbers as "random"."""
    checked: dict[str, Any] = {"random": _RandomNumbers()}
    for name, part in parts.items():
        if name in ("run", "random"):
            raise TypeError(f"Checkpoint: the name {name!r} is taken; give the part another")
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


def made(parts: Mapping[str, Any]) -> dict[str, str]:
    """What each part is: of a model its layers and their options, of others the class."""
    return {
        name: repr(part) if isinstance(part, Module) else type(part).__name__
        for name, part in parts.items()
    }


def check_run(state: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """What a checkpoint says of its run.

    Raises:
        CheckpointError: if it says nothing, or what cannot be.
    """
    run = state.get("run")
    if not isinstance(run, dict) or set(run) != set(RUN):
        raise CheckpointError(
            f"{where} is no checkpoint of a run; weights and other states are read by tinynet.load"
        )
    for name, types in RUN.items():
        value = run[name]
        if type(value) not in types or (type(value) is int and value < 0):
            raise CheckpointError(f"{where}: {name!r} of its run is {value!r}, which cannot be")
    return run


def check_options(
    saved: Mapping[str, Any], options: Mapping[str, Any], allow: Collection[str], where: str
) -> None:
    """Raises CheckpointError if options differ that are not in `allow`."""
    names = [n for n in {**saved, **options} if n not in allow]
    differ = [n for n in names if _canonical(saved, n) != _canonical(options, n)]
    if differ:
        told = "; ".join(f"{n} was {_shown(saved, n)}, is {_shown(options, n)}" for n in differ)
        raise CheckpointError(
            f"{where} was saved by a run with other options: {told}. Give the same ones, or allow "
            f"them to differ: load(allow={differ})"
        )


def _canonical(options: Mapping[str, Any], name: str) -> Any:
    if name not in options:
        return None
    arrays, tree = flatten({name: options[name]})
    return json.dumps(tree), {k: (a.dtype, a.shape, a.tobytes()) for k, a in arrays.items()}


def _shown(options: Mapping[str, Any], name: str) -> str:
    return repr(options[name]) if name in options else "not given"


def load_parts(
    parts: Mapping[str, Any], state: Mapping[Any, Any], allow: Collection[str], where: str
) -> None:
    """Load every part from a checkpoint.

    Raises:
        CheckpointError: if a part is missing, unexpected or does not fit; the parts are as they
            were.
    """
    saved = {name: value for name, value in state.items() if name != "run"}
    if saved.keys() != parts.keys():
        raise CheckpointError(
            f"{where} holds other parts than the run has: "
            + _listed("missing", [n for n in parts if n not in saved])
            + _listed("unexpected", [n for n in saved if n not in parts]).rstrip("; ")
        )
    other = _other_parts(state["run"]["made"], made(parts), allow)
    # models first: of one that was made otherwise, it is the keys that say most
    names = sorted(parts, key=lambda name: not isinstance(parts[name], Module))
    before = {name: _copy(parts[name].state_dict()) for name in names}
    begun: list[str] = []
    try:
        for name in names:
            if other and not isinstance(parts[name], Module):
                raise CheckpointError(
                    f"{where} was saved by a run with other parts, and nothing was loaded. {other}"
                    ". Make them as they were, or allow parts to differ: load(allow=[name, ...])"
                )
            begun.append(name)
            try:
                _load(parts[name], saved[name])
            except Exception as error:  # a part is any class, and raises what it likes
                raise CheckpointError(
                    f"{where} does not fit, and nothing was loaded. Part {name!r}: {error}"
                ) from error
    except CheckpointError:
        for name in begun:
            parts[name].load_state_dict(before[name])
        raise


def _listed(kind: str, names: list[Any]) -> str:
    return f"{kind}: {', '.join(map(str, names))}; " if names else ""


def _load(part: Any, state: Any) -> None:
    if isinstance(part, Module):
        own = part.state_dict()
        # it would convert, and go on with other numbers than were saved
        converted = [
            f"{name} was {state[name].dtype}, is {array.dtype}"
            for name, array in own.items()
            if name in state and state[name].dtype != array.dtype
        ]
        if converted:
            raise ValueError("; ".join(converted))
    part.load_state_dict(state)


def _copy(state: Any) -> Any:
    """The state with arrays of its own: a part may hand out those that it goes on changing."""
    arrays, tree = flatten(state)
    return unflatten(tree, {name: array.copy() for name, array in arrays.items()})


def _other_parts(saved: Mapping[str, Any], now: Mapping[str, str], allow: Collection[str]) -> str:
    told = []
    for name, text in now.items():
        lines = str(saved.get(name)).splitlines(), text.splitlines()
        differing = [(a, b) for a, b in itertools.zip_longest(*lines, fillvalue="") if a != b]
        if differing and name not in allow:
            was, now_is = differing[0]
            told.append(f"{name} was {was.strip() or 'shorter'}, is {now_is.strip() or 'shorter'}")
    return "; ".join(told)
