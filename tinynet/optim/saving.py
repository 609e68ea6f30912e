"""The state of an optimizer as numbers, names and NumPy arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinynet.nn.state import host_array

Groups = list[dict[str, Any]]
State = dict[int, dict[str, Any]]


def saved_state(groups: Groups, by_id: State) -> dict[str, Any]:
    """What `Optimizer.state_dict` returns.

    Args:
        groups: the optimizer's param_groups.
        by_id: the state of parameters by their ids.
    """
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


def check_state(
    name: str,
    groups: Groups,
    defaults: Mapping[str, Any],
    saved: Mapping[str, Any],
    check: Callable[[dict[str, Any]], None],
    slots: Callable[[dict[str, Any]], tuple[str, ...]],
) -> tuple[Groups, State]:
    """The options of each group, and the state by ids of the parameters, from what was saved.

    Args:
        name: of the optimizer, for errors.
        groups: its param_groups.
        defaults: its options.
        saved: what `saved_state` returned; numbers may have become arrays of one on the way.
        check: makes options Python's numbers, and raises if they are out of range.
        slots: the names of the state that options need.

    Raises:
        ValueError: if anything is missing, too much or of another shape.
    """
    where = f"{name}.load_state_dict"
    if not isinstance(saved, Mapping) or not {"state", "param_groups"} <= set(saved):
        raise ValueError(f"{where}: it must be a dict with 'state' and 'param_groups'")
    sizes = [len(group["params"]) for group in groups]
    given = [len(group["params"]) for group in saved["param_groups"]]
    if sizes != given:
        raise ValueError(
            f"{where}: the groups saved have {given} parameters, the optimizer's have {sizes}"
        )
    state = {int(number): entry for number, entry in saved["state"].items()}
    options: Groups = []
    by_id: State = {}
    for group, old in zip(groups, saved["param_groups"], strict=True):
        new = {key: value for key, value in old.items() if key != "params"}
        # "initial_lr" is where a schedule keeps what it started from
        wrong = sorted(set(defaults) - set(new)) + sorted(set(new) - {*defaults, "initial_lr"})
        if wrong:
            raise ValueError(f"{where}: options missing or not known: {', '.join(wrong)}")
        check(new)
        options.append(new)
        for number, p in zip(old["params"], group["params"], strict=True):
            if int(number) in state:
                label = f"{where}: parameter {int(number)}"
                by_id[id(p)] = _entry(label, state.pop(int(number)), p, slots(new))
    if state:
        raise ValueError(f"{where}: state of parameters that are in no group: {sorted(state)}")
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
