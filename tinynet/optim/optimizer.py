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
from tinynet.optim.options import FLAGS, check_flags, completed, in_range, listed, pair
from tinynet.optim.saving import check_state, saved_state
from tinynet.tensor import Tensor
from tinynet.threads import for_each


class Optimizer:
    """Base of the optimizers.

    Args:
        params: the tensors to learn, such as ``net.parameters()`` or ``net.named_parameters()``;
            or one dict per group, with its tensors under "params" and options that override the
            defaults.
        defaults: the options by name.
        flags: options that every optimizer has, by name. maximize, whether to step along the
            gradient of an objective to be maximized instead of against it. foreach, fused and
            capturable choose between implementations in PyTorch; here there is one.
            differentiable=True is refused: a step is not recorded.

    Attributes:
        param_groups: one dict per group, with "params" and the options. Options can be changed at
            any time, as in ``optimizer.param_groups[0]["lr"] = 0.01``, and so can the list: a
            parameter that is removed is no longer updated and keeps its state for its return.

    Raises:
        TypeError: if a parameter is not a floating-point tensor.
        ValueError: if there are none, if one is repeated or is not a leaf, or if an option is
            unknown or out of range.
    """

    averages = False  # whether `_average` follows the update
    steps_unsaved = False  # whether PyTorch saves no step count

    def __init__(
        self, params: Any, defaults: dict[str, Any], flags: Mapping[str, Any] | None = None
    ) -> None:
        unknown = [name for name in flags or () if name not in FLAGS]
        if unknown:
            raise TypeError(
                f"{self._name}: unexpected keyword argument {', '.join(map(repr, unknown))}; the "
                f"options are {', '.join([*defaults, *FLAGS])}"
            )
        self.defaults: dict[str, Any] = {**defaults, **FLAGS, **(flags or {})}
        self._checked(self.defaults)
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
        """Convert the options to Python numbers; raise ValueError if one is out of range."""
        raise NotImplementedError

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that these options need."""
        raise NotImplementedError

    def _filled(self, options: dict[str, Any]) -> dict[str, float]:
        """What state arrays start with, by name; 0 for those that are not in it."""
        return {}

    def _carried(self, options: dict[str, Any], t: int) -> dict[str, float]:
        """The numbers that a parameter carries from step t to the next, as it does its step count.

        Args:
            options: the options of the group, and with t > 0 the numbers carried into step t.
            t: the number of the update; 0 for what is carried into the first.
        """
        return {}

    def _scalars(self, options: dict[str, Any], t: int) -> tuple[float, ...]:
        """The scalars of a step: all that `_update` needs of the options and the step number.

        Args:
            options: the options of the group, and the numbers carried into the step.
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

    def _average(self, xp: Any, scalars: Any, theta: Any, out: Any, slots: dict[str, Any]) -> None:
        """Update the slots once more, from the new parameters `theta`, if `averages` is set."""
        raise NotImplementedError

    def _decay(self, options: dict[str, Any]) -> tuple[float | None, float | None]:
        """Weight decay in a step: w, if w theta is added to the gradients, and the factor of the
        parameters, if the decay is decoupled; None if unused."""
        decay = options.get("weight_decay")
        if not decay:
            return None, None
        decoupled = options.get("decoupled_weight_decay")
        return (None, 1.0 - options["lr"] * decay) if decoupled else (decay, None)

    # --- groups and options ---

    def _number(self, options: dict[str, Any], name: str, below: float = math.inf) -> None:
        options[name] = in_range(self._name, name, options[name], below)

    def _betas(self, options: dict[str, Any]) -> tuple[float, float]:
        """Check a pair "betas", each in [0, 1), and convert it."""
        given = pair(self._name, "betas", options["betas"])
        options["betas"] = tuple(in_range(self._name, "betas", b, 1.0) for b in given)
        return given

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """A copy with all options as Python numbers, after checking them."""
        checked = dict(options)
        check_flags(self._name, checked)
        self._check(checked)
        return checked

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add a group, such as ``{"params": tensors, "lr": 0.01}``; missing options get defaults.

        Raises:
            TypeError, ValueError: as the constructor does.
        """
        group = completed(self._name, param_group, self.defaults)
        taken = [p for g in self.param_groups for p in g["params"]]
        group["params"], names = listed(self._name, group["params"], taken)
        names = names or list(group.get("param_names", ()))
        if any(("param_names" in g) != bool(names) for g in self.param_groups):
            raise ValueError(f"{self._name}: some groups have names of parameters; name all")
        if names:
            group["param_names"] = names
        checked = self._checked(group)
        if isinstance(group.get("lr"), Tensor):  # stays, so that changing it changes the rate
            checked["lr"] = group["lr"]
        self.param_groups.append(checked)

    # --- the step ---

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the `grad` of every parameter to None, or fill it with zeros in place."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = p.grad.detach() if p.grad.requires_grad else p.grad
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        A parameter whose `grad` is None keeps its value, its state and its step count.

        Args:
            closure: if given, called first, to compute the loss and the gradients.

        Returns:
            The result of `closure`, or None.

        Raises:
            ValueError: before any parameter has changed, if one cannot be written or has a gradient
                of another shape, or an option is out of range.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        checked = [self._checked(group) for group in self.param_groups]
        for options, flats in zip(checked, self._current(), strict=True):
            for flat in flats:
                self._update_all(options, flat)
        return loss

    def _update_all(self, options: dict[str, Any], flat: FlatParameters) -> None:
        slots = {name: flat.slot(name) for name in self._slots(options)}
        filled = self._filled(options)
        for i, p in enumerate(flat.params):
            if slots and p.grad is not None and not flat.steps[i]:
                flat.carried[i] = self._carried(options, 0)
                for name, value in filled.items():
                    flat.view(slots[name], i)[...] = value
        xp = backend.array_module(flat.like)

        @backend.quiet_underflow
        def update(piece: tuple[int, int, int, int]) -> None:
            first, _, lo, hi = piece
            given = options | flat.carried[first] if flat.carried[first] else options
            decay, shrink = self._decay(given)
            scalars = self._scalars(given, flat.steps[first] + 1)
            g = flat.gather(piece, decay, options["maximize"])
            out = memory.workspace("updates of an optimizer", g.shape, g)
            here = {name: slot[lo:hi] for name, slot in slots.items()}
            self._update(xp, scalars, g, out, here)
            flat.subtract(out, piece, shrink)
            if self.averages:
                self._average(xp, scalars, flat.theta(piece), out, here)

        for_each(update, flat.pieces())
        for i, p in enumerate(flat.params):
            if p.grad is not None:
                # a graph that still needs the old numbers must not use the new ones
                increment_version(p)
                flat.steps[i] += bool(slots)
                if flat.carried[i]:
                    flat.carried[i] = self._carried(options | flat.carried[i], flat.steps[i])

    # --- the flat arrays ---

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """The state of each updated parameter: its step count, and its arrays as Tensors.

        The Tensors share memory with the optimizer until its parameters change.
        """
        return {
            p: {"step": flat.steps[i], **flat.carried[i]}
            | {name: Tensor(flat.view(slot, i)) for name, slot in flat.slots.items()}
            for p, flat, i in _places(self._flat)
            if flat.steps[i]
        }

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
                            f"{self._place(number, p)} has shape {shape}, its gradient "
                            f"{p.grad.shape}; they must be equal"
                        )
                    if p.grad is not None and not memory.is_writable(p._data):
                        raise ValueError(
                            f"{self._place(number, p)} of shape {shape} is read-only; learn a copy"
                        )
        return self._flat

    def _place(self, group: int, p: Tensor) -> str:
        parameter = self._listed[group].index(id(p))
        return f"{self._name}.step: parameter {parameter} of group {group}"

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
                arrays = {
                    name: backend.to_numpy(flat.view(slot, i)).copy()
                    for name, slot in flat.slots.items()
                }
                state[id(p)] = {"step": flat.steps[i], **flat.carried[i], **arrays}
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
                for value in state.get(id(p), {}).values():
                    if not isinstance(value, int | float) and value.shape != p.shape:
                        raise self._reshaped(value.shape, p)
            flat.append([FlatParameters(params) for params in kinds.values()])
        for p, of_p, i in _places(flat):
            for name, value in state.get(id(p), {}).items():
                if name == "step":
                    of_p.steps[i] = value
                elif isinstance(value, float):
                    of_p.carried[i][name] = value
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
            shown = {k: v for k, v in group.items() if k not in FLAGS or v}
            options = ", ".join(f"{k}={v}" for k, v in shown.items() if k != "params")
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([f"{self._name} (", *lines, ")"])


def _places(flat: list[list[FlatParameters]]) -> Iterator[tuple[Tensor, FlatParameters, int]]:
    """(parameter, its flat arrays, its number there) for each parameter."""
    for of_group in flat:
        for of_kind in of_group:
            for i, p in enumerate(of_kind.params):
                yield p, of_kind, i
