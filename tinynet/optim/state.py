"""Stateful: the state of an optimizer's parameters, in flat arrays that follow the groups."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tinynet import backend, memory
from tinynet.optim.flat import FlatParameters
from tinynet.tensor import Tensor


class Stateful:
    """The part of `Optimizer` that keeps the state of parameters."""

    param_groups: list[dict[str, Any]]

    def __init__(self) -> None:
        self._flat: list[list[FlatParameters]] = []  # by group, one per dtype and device
        self._listed: list[list[int]] = []  # the ids of the parameters in `_flat`
        self._left: list[tuple[Tensor, dict[str, Any]]] = []  # removed parameters and their state

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
        return f"{type(self).__name__}.step: parameter {parameter} of group {group}"

    def _reshaped(self, shape: tuple[int, ...], p: Tensor) -> ValueError:
        return ValueError(
            f"{type(self).__name__}.step: a parameter had shape {shape} when its state was created "
            f"and now has {p.shape}; create a new optimizer"
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


def _places(flat: list[list[FlatParameters]]) -> Iterator[tuple[Tensor, FlatParameters, int]]:
    """(parameter, its flat arrays, its number there) for each parameter."""
    for of_group in flat:
        for of_kind in of_group:
            for i, p in enumerate(of_kind.params):
                yield p, of_kind, i
