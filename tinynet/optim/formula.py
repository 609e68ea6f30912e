"""Formula: what each optimizer defines, its options and the update of its parameters.

`_scalars` computes the scalars of a step, and `_update` applies the formula to them, to the
gradients and to the state: a few lines on flat arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tinynet.optim.options import check_flags, in_range, pair


class Formula:
    """The part of `Optimizer` that its subclasses define, and what they check options with."""

    averages = False  # whether `_average` follows the update
    steps_unsaved = False  # whether PyTorch saves no step count

    def _check(self, options: dict[str, Any]) -> None:
        """Convert the options to Python numbers; raise ValueError if one is out of range."""

    def _slots(self, options: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that these options need."""
        raise NotImplementedError(f"{self._name}: define step, or _slots, _scalars and _update")

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

    # --- checks of options ---

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _number(self, options: dict[str, Any], name: str, below: float = math.inf) -> None:
        value = options[name]
        if type(value) is not float or not 0.0 <= value < below:  # each step asks
            options[name] = in_range(self._name, name, value, below)

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
