"""Convert the state of an optimizer to numbers, names and NumPy arrays, and check it on loading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinynet.nn.state import host_array
from tinynet.optim.options import LATER, SCHEDULED

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
        saved = {k: float(v) if k == "lr" else v for k, v in group.items() if k != "params"}
        options.append({**saved, "params": numbers})
    return {"state": state, "param_groups": options}


def check_state(optimizer: Any, saved: Mapping[str, Any]) -> tuple[Groups, State]:
    """Check a saved state; return the options of each group, and the state by parameter id.

    A file may have turned the numbers in the state into arrays of size 1. PyTorch's states differ
    little: Tensors for arrays and step counts, None for a momentum that has not begun, no step
    count in SGD's, and a state before the first step in Adagrad's.

    Raises:
        ValueError: if groups, options or state arrays are missing, an option is unknown or out of
            range, or a shape differs. State arrays that the options do not need are kept.
    """
    where, groups = f"{optimizer._name}.load_state_dict", optimizer.param_groups
    state, given = _parts(where, saved)
    sizes = [len(group["params"]) for group in groups]
    if sizes != [len(group["params"]) for group in given]:
        raise ValueError(
            f"{where}: the saved groups have {[len(group['params']) for group in given]} "
            f"parameters, the optimizer's have {sizes}"
        )
    options: Groups = []
    by_id: State = {}
    for group, old in zip(groups, given, strict=True):
        later = {key: optimizer.defaults[key] for key in LATER & set(optimizer.defaults)}
        new = later | {key: value for key, value in old.items() if key != "params"}
        known = {*optimizer.defaults, *LATER, *SCHEDULED, "param_names"}
        wrong = sorted(set(optimizer.defaults) - set(new)) + sorted(set(new) - known)
        if wrong:
            raise ValueError(f"{where}: options missing or unknown: {', '.join(map(str, wrong))}")
        checked = optimizer._checked(new)  # also converts the options to Python numbers
        options.append(checked)
        for number, p in zip(old["params"], group["params"], strict=True):
            if number in state:
                label, entry = f"{where}: parameter {number}", state.pop(number)
                made = _entry(label, entry, p, optimizer, checked)
                if made is not None:
                    by_id[id(p)] = made
    if state:
        raise ValueError(f"{where}: state for parameters in no group: {sorted(state)}")
    return options, by_id


def _parts(where: str, saved: Any) -> tuple[State, Groups]:
    """The state by number and the groups of a saved state, with numbers as integers."""
    if not isinstance(saved, Mapping) or not {"state", "param_groups"} <= set(saved):
        raise ValueError(f"{where}: state_dict must be a dict with 'state' and 'param_groups'")
    state, groups = saved["state"], saved["param_groups"]
    if not isinstance(state, Mapping) or not all(isinstance(e, Mapping) for e in state.values()):
        raise ValueError(f"{where}: 'state' must be a dict of a dict per parameter, by number")
    if not isinstance(groups, list | tuple) or not all(
        isinstance(group, Mapping) and isinstance(group.get("params"), list | tuple)
        for group in groups
    ):
        raise ValueError(
            f"{where}: 'param_groups' must be a list of dicts with a list of numbers under 'params'"
        )
    try:
        numbered = {int(number): entry for number, entry in state.items()}
        return numbered, [{**g, "params": [int(n) for n in g["params"]]} for g in groups]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: parameters must be saved by number ({error})") from None


def _entry(
    label: str, entry: Mapping[str, Any], p: Any, optimizer: Any, options: dict[str, Any]
) -> dict[str, Any] | None:
    """Check the state of one parameter; None if it has not begun."""
    slots, carried = optimizer._slots(options), optimizer._carried(options, 0)
    entry = {name: value for name, value in entry.items() if value is not None}
    if not entry and slots:
        return None
    if "step" not in entry and optimizer.steps_unsaved and entry:
        entry = {"step": 1, **entry}
    missing = [name for name in ("step", *carried, *slots) if name not in entry]
    if missing:
        raise ValueError(f"{label} lacks {', '.join(missing)}; it has {', '.join(entry)}")
    made: dict[str, Any] = {}
    for name, value in entry.items():
        # a Python float would become float32
        dtype = "float64" if name in carried else None
        try:
            array = host_array(f"{label}, {name}", value, dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(str(error)) from None
        if name in ("step", *carried):
            if array.size != 1:
                raise ValueError(f"{label}: {name} has shape {array.shape}; it must be a number")
            made[name] = float(array.reshape(()))
        elif tuple(array.shape) != p.shape:
            raise ValueError(
                f"{label}: {name} has shape {tuple(array.shape)}, the parameter has {p.shape}"
            )
        else:
            made[name] = array.copy()
    if made["step"] < 0 or made["step"] != int(made["step"]):
        raise ValueError(f"{label}: step is {entry['step']}; it must be an integer, at least 0")
    made["step"] = int(made["step"])
    return made if made["step"] else None
