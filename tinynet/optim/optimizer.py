"""Optimizer: the base class. It holds groups of parameters and their state, and runs a step.

A subclass (`sgd`, `adam`, `rmsprop`) defines two functions: `_scalars` computes the scalars of a
step, and `_update` applies the formula, a few lines on flat arrays. The flat arrays are in `flat`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinynet import backend, memory
from tinynet.autograd.modes import enable_grad
from tinynet.autograd.versions import increment_version
from tinynet.optim.flat import FlatParameters
from tinynet.optim.saving import check_state, saved_state
from tinynet.tensor import Tensor
from tinynet.threads import for_each


class Optimizer:
    """Base of SGD, Adam, AdamW and RMSprop.

    Args:
        params: the tensors to learn, such as ``net.parameters()``; or one dict per group, with
            its tensors under "params" and options that override the defaults.
        defaults: the options by name.

    Attributes:
        param_groups: one dict per group, with "params" and the options. Options can be changed at
            any time, as in ``optimizer.param_groups[0]["lr"] = 0.01``, and so can the list: a
            parameter that is removed is no longer updated and keeps its state for its return.

    Raises:
        TypeError: if a parameter is not a floating-point tensor.
        ValueError: if there are none, if one is repeated or is not a leaf, or if an option is
            unknown or out of range.
    """

    # Whether weight decay multiplies the parameters instead of adding to the gradient.
    decoupled = False

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._check(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self._flat: list[list[FlatParameters]] = []  # by group, one per dtype and device
        self._listed: list[list[int]] = []  # the ids of the parameters in `_flat`
        self._left: list[tuple[Tensor, dict[str, Any]]] = []  # removed parameters and their state
        if isinstance(params, Tensor | Mapping | set) or not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params is a {type(params).__name__}; give an ordered "
                "collection of tensors or dicts: a list, or net.parameters()"
            )
        groups = list(params)
        if not any(isinstance(g, Mapping) for g in groups):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        if not any(group["params"] for group in self.param_groups):
            raise ValueError(f"{self._name}: params is empty; there is nothing to learn")

    @property
    def _name(self) -> str:
        return type(self).__name__

    # --- defined by each optimizer ---

    def _check(self, options: dict[str, Any]) -> None:
        """Convert the options to Python floats; raise ValueError if one is out of range.

        Not to NumPy floats: np.float64 times a float32 array is float64.
        """
        raise NotImplementedError

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that these options need."""
        raise NotImplementedError

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        """The scalars of a step: all that `_update` needs of the options and the step number.

        Args:
            options: the options of the group.
            t: the number of the update, from 1.
        """
        raise NotImplementedError

    def _update(self, xp: Any, scalars: Any, g: Any, out: Any, slots: dict[str, Any]) -> None:
        """Write the decrease of the parameters to `out`, and update the slots in place.

        Which functions it calls may depend on the names of the slots and the number of scalars,
        but not on their values: every step then makes the same calls.

        Args:
            xp: the array module.
            scalars: the result of `_scalars`.
            g: the gradients, a flat array; read-only.
            out: uninitialised, of the same length.
            slots: the state arrays named by `_slots`, of the same length.
        """
        raise NotImplementedError

    def _decay(self, options: dict[str, Any]) -> tuple[float | None, float | None]:
        """Weight decay in a step: w, if w theta is added to the gradients, and the factor of the
        parameters, if the decay is decoupled; None if unused."""
        decay = options["weight_decay"]
        if not decay:
            return None, None
        return (None, 1.0 - options["lr"] * decay) if self.decoupled else (decay, None)

    # --- groups and options ---

    def _number(self, options: dict[str, Any], name: str, below: float = math.inf) -> None:
        options[name] = self._in_range(name, options[name], below)

    def _in_range(self, name: str, value: Any, below: float = math.inf) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not 0.0 <= number < below:
            upper = "finite" if below == math.inf else f"less than {below:g}"
            raise ValueError(f"{self._name}: {name} is {value}; it must be at least 0 and {upper}")
        return number

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a group, such as ``{"params": tensors, "lr": 0.01}``; missing options get defaults.

        Raises:
            TypeError, ValueError: as the constructor does.
        """
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(
                f"{self._name}: a group of parameters is a dict with a list under 'params', not "
                + (f"{sorted(group)}" if isinstance(group, Mapping) else type(group).__name__)
            )
        unknown = [name for name in group if name != "params" and name not in self.defaults]
        if unknown:
            raise ValueError(
                f"{self._name}: unknown option {', '.join(map(repr, unknown))}; the options "
                f"are {', '.join(self.defaults)}"
            )
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        seen = {id(p) for g in self.param_groups for p in g["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                kind = type(p).__name__
                raise TypeError(f"{self._name}: parameter {i} is a {kind}, not a Tensor")
            if p.dtype.kind != "f":
                raise TypeError(f"{self._name}: parameter {i} is {p.dtype}; it must be a float")
            if not p.is_leaf:
                raise ValueError(
                    f"{self._name}: parameter {i} of shape {p.shape} was computed by "
                    f"{p.grad_fn.op.name if p.grad_fn else '?'}; only leaves can be learnt"
                )
            if id(p) in seen:
                raise ValueError(
                    f"{self._name}: parameter {i} of shape {p.shape} is repeated; it "
                    "would be updated twice per step"
                )
            seen.add(id(p))
        made = {**self.defaults, **group, "params": params}
        self._check(made)
        self.param_groups.append(made)

    # --- the step ---

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to None."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        A parameter whose `grad` is None keeps its value, its state and its step count.

        Args:
            closure: if given, called first, to compute the loss and the gradients.

        Returns:
            The result of `closure`, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._check(group)
        for group, flats in zip(self.param_groups, self._current(), strict=True):
            for flat in flats:
                self._update_all(group, flat)
        return loss

    def _update_all(self, options: dict[str, Any], flat: FlatParameters) -> None:
        slots = {name: flat.slot(name) for name in self._slots(options)}
        xp = backend.array_module(flat.like)
        decay, shrink = self._decay(options)

        @backend.quiet_underflow
        def update(piece: tuple[int, int, int, int]) -> None:
            first, _, lo, hi = piece
            g = flat.gather(piece, decay)
            out = memory.workspace("updates of an optimizer", g.shape, g)
            here = {name: slot[lo:hi] for name, slot in slots.items()}
            self._update(xp, self._scalars(options, flat.steps[first] + 1), g, out, here)
            flat.subtract(out, piece, shrink)

        for_each(update, flat.pieces())
        for i, p in enumerate(flat.params):
            if p.grad is not None:
                increment_version(
                    p
                )  # a graph that still needs the old numbers must not use the new ones
                flat.steps[i] += bool(slots)

    # --- the flat arrays ---

    def _current(self) -> list[list[FlatParameters]]:
        """The flat arrays of each group, rebuilt if its parameters, their dtype or their device
        have changed."""
        if self._listed != [list(map(id, group["params"])) for group in self.param_groups]:
            self._make_flat(self._state())
        for number, flats in enumerate(self._flat):
            for flat in flats:
                for p, shape in zip(flat.params, flat.shapes):  # noqa: B905, strict is slow
                    if not flat.takes(p._data):
                        self._make_flat(self._state())
                        return self._current()
                    if p._data.shape != shape:
                        raise self._reshaped(shape, p)
                    if p.grad is not None and p.grad._data.shape != shape:
                        raise ValueError(
                            f"{self._name}.step: parameter {self._listed[number].index(id(p))} of "
                            f"group {number} has shape {shape}, its gradient "
                            f"{p.grad.shape}; they must be equal"
                        )
        return self._flat

    def _reshaped(self, shape: tuple[int, ...], p: Tensor) -> ValueError:
        return ValueError(
            f"{self._name}.step: a parameter had shape {shape} when its state was created and "
            f"now has {p.shape}; create a new optimizer"
        )

    def _state(self) -> dict[int, dict[str, Any]]:
        """The step count and state (NumPy arrays) of each parameter that was updated, by id.

        Removed parameters are included, since they may return.
        """
        state = {id(p): entry for p, entry in self._left}
        for p, flat, i in _places(self._flat):
            if flat.steps[i]:
                state[id(p)] = {"step": flat.steps[i]} | {
                    name: backend.to_numpy(flat.view(slot, i)).copy()
                    for name, slot in flat.slots.items()
                }
        return state

    def _make_flat(self, state: dict[int, dict[str, Any]]) -> None:
        """Build the flat arrays for the current groups, and copy the state into them.

        Raises:
            ValueError: if a parameter and its state differ in shape; nothing is changed.
        """
        flat: list[list[FlatParameters]] = []
        for group in self.param_groups:
            kinds: dict[Any, list[Tensor]] = {}
            for p in group["params"]:
                kinds.setdefault((p.dtype, p.device), []).append(p)
                for name, value in state.get(id(p), {}).items():
                    if name != "step" and value.shape != p.shape:
                        raise self._reshaped(value.shape, p)
            flat.append([FlatParameters(params) for params in kinds.values()])
        for p, of_p, i in _places(flat):
            for name, value in state.get(id(p), {}).items():
                if name == "step":
                    of_p.steps[i] = value
                else:
                    array = backend.asarray(value, of_p.like.dtype, p.device)
                    of_p.view(of_p.slot(name), i)[...] = array
        listed = [list(map(id, group["params"])) for group in self.param_groups]
        gone = state.keys() - itertools.chain(*listed)
        before = [p for p, _, _ in _places(self._flat)] + [p for p, _ in self._left]
        left = [(p, state[id(p)]) for p in before if id(p) in gone]
        # in one statement, so that an interrupt leaves either the old arrays or the new ones
        self._flat, self._listed, self._left = flat, listed, left

    # --- saving and loading ---

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to resume as if the run had not stopped.

        The state of removed parameters is not saved. To skip a parameter for a while, set its
        `grad` to None instead.

        Returns:
            A dict. "state": for each updated parameter, numbered through all groups, its step count
            under "step" and NumPy copies of its state arrays, in its shape. "param_groups": the
            options, with the numbers of the parameters under "params".
        """
        return saved_state(self.param_groups, self._state())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the options and state of an optimizer of the same class and the same shapes.

        Parameters that are in no group keep their state.

        Raises:
            ValueError: if groups, options, names or shapes do not match; nothing is changed.
        """
        groups, state = check_state(self, state_dict)
        present = {id(p) for group in self.param_groups for p in group["params"]}
        left = {key: entry for key, entry in self._state().items() if key not in present}
        self._make_flat(left | state)
        for group, options in zip(self.param_groups, groups, strict=True):
            group.update(options)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([f"{self._name} (", *lines, ")"])


def _places(flat: list[list[FlatParameters]]) -> Iterator[tuple[Tensor, FlatParameters, int]]:
    """(parameter, its flat arrays, its number there) for each parameter."""
    for of_group in flat:
        for of_kind in of_group:
            for i, p in enumerate(of_kind.params):
                yield p, of_kind, i
