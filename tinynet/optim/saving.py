"""Convert the state of an optimizer to numbers, names and NumPy arrays, and check it on loading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinynet.nn.state import host_array

Groups = list[dict[str, Any]]
State = dict[int, dict[str, Any]]


def saved_state(groups: Groups, by_id: State) -> dict[str, Any]:
    """The result of `Optimizer.state_dict`, from its param_groups and the state by parameter id."""
    number, state, options = 0, {}, []
    for group in groups:
        numbers = []
        for p in group["params"]:
            numbers.append(number)
            if id(p) in by_id:
                state[number] = by_id[id(p)]
            number += 1
        options.append({**{k: v for k, v in group.items() if k != "params"}, "params": numbers})
    return {"state": state, "param_groups": options}


def check_state(optimizer: Any, saved: Mapping[str, Any]) -> tuple[Groups, State]:
    """Check a saved state; return the options of each group, and the state by parameter id.

    A file may have turned the numbers in the state into arrays of size 1.

    Raises:
        ValueError: if groups, options or state arrays are missing, an option is unknown or out of
            range, or a shape differs. State arrays that the options do not need are kept.
    """
    where, groups = f"{optimizer._name}.load_state_dict", optimizer.param_groups
    defaults = optimizer.defaults
    if not isinstance(saved, Mapping) or not {"state", "param_groups"} <= set(saved):
        raise ValueError(f"{where}: state_dict must be a dict with 'state' and 'param_groups'")
    sizes = [len(group["params"]) for group in groups]
    given = [len(group["params"]) for group in saved["param_groups"]]
    if sizes != given:
        raise ValueError(
            f"{where}: the saved groups have {given} parameters, the optimizer's have {sizes}"
        )
    state = {int(number): entry for number, entry in saved["state"].items()}
    options: Groups = []
    by_id: State = {}
    for group, old in zip(groups, saved["param_groups"], strict=True):
        new = {key: value for key, value in old.items() if key != "params"}
        # schedules store their initial rate as "initial_lr"
        wrong = sorted(set(defaults) - set(new)) + sorted(set(new) - {*defaults, "initial_lr"})
        if wrong:
            raise ValueError(f"{where}: options missing or unknown: {', '.join(wrong)}")
        optimizer._check(new)  # also converts the options to Python numbers
        options.append(new)
        for number, p in zip(old["params"], group["params"], strict=True):
            if int(number) in state:
                label, slots = f"{where}: parameter {int(number)}", optimizer._slots(new)
                by_id[id(p)] = _entry(label, state.pop(int(number)), p, slots)
    if state:
        raise ValueError(f"{where}: state for parameters in no group: {sorted(state)}")
    return options, by_id


def _entry(label: str, entry: Mapping[str, Any], p: Any, slots: tuple[str, ...]) -> dict[str, Any]:
    missing = [name for name in ("step", *slots) if name not in entry]
    if missing:
        raise ValueError(f"{label} lacks {', '.join(missing)}; it has {', '.join(entry)}")
    steps = float(entry["step"])
    if steps < 1 or steps != int(steps):
        raise ValueError(f"{label}: step is {entry['step']}; it must be an integer, at least 1")
    made: dict[str, Any] = {"step": int(steps)}
    for slot in entry:
        if slot == "step":
            continue
        array = host_array(f"{label}, {slot}", entry[slot])
        if tuple(array.shape) != p.shape:
            raise ValueError(
                f"{label}: {slot} has shape {tuple(array.shape)}, the parameter has {p.shape}"
            )
        made[slot] = array.copy()
    return made
