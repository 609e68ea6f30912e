"""Optimizer: the base class. It holds groups of parameters and their options, and runs a step.

What a subclass (`sgd`, `adam`, `rmsprop`) defines is in `formula`; the state of the parameters, in
flat arrays, in `state`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinynet import backend, memory
from tinynet.autograd.modes import enable_grad
from tinynet.autograd.versions import increment_version
from tinynet.optim.flat import FlatParameters
from tinynet.optim.formula import Formula
from tinynet.optim.options import FLAGS, completed, listed
from tinynet.optim.saving import check_state, saved_state
from tinynet.optim.state import Stateful
from tinynet.tensor import Tensor
from tinynet.threads import for_each


class Optimizer(Formula, Stateful):
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

    def __init__(
        self, params: Any, defaults: dict[str, Any], flags: Mapping[str, Any] | None = None
    ) -> None:
        unknown = [name for name in flags or () if name not in FLAGS]
        if unknown:
            raise TypeError(
                f"{self._name}: unexpected keyword argument {', '.join(map(repr, unknown))}; the "
                f"options are {', '.join([*defaults, *FLAGS])}"
            )
        super().__init__()
        self.defaults: dict[str, Any] = {**defaults, **FLAGS, **(flags or {})}
        self._checked(self.defaults)
        self.param_groups: list[dict[str, Any]] = []
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

    # --- groups and options ---

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
        for_each(functools.partial(self._update_piece, options, flat, slots), flat.pieces())
        for i, p in enumerate(flat.params):
            if p.grad is not None:
                # a graph that still needs the old numbers must not use the new ones
                increment_version(p)
                flat.steps[i] += bool(slots)
                if flat.carried[i]:
                    flat.carried[i] = self._carried(options | flat.carried[i], flat.steps[i])

    @backend.quiet_underflow
    def _update_piece(
        self,
        options: dict[str, Any],
        flat: FlatParameters,
        slots: dict[str, Any],
        piece: tuple[int, int, int, int],
    ) -> None:
        first, _, lo, hi = piece
        given = options | flat.carried[first] if flat.carried[first] else options
        decay, shrink = self._decay(given)
        scalars = self._scalars(given, flat.steps[first] + 1)
        g = flat.gather(piece, decay, options["maximize"])
        xp = backend.array_module(g)
        out = memory.workspace("updates of an optimizer", g.shape, g)
        here = {name: slot[lo:hi] for name, slot in slots.items()}
        self._update(xp, scalars, g, out, here)
        flat.subtract(out, piece, shrink)
        if self.averages:
            self._average(xp, scalars, flat.theta(piece), out, here)

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
