"""Position: where a loader is in its data, saved and restored, even within an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from operator import length_hint
from typing import Any

from tinynet.data.sampler import integer


class Position:
    """The part of `DataLoader` that counts epochs and batches."""

    seed: int
    batch_size: int | None
    shuffle: bool
    drop_last: bool
    length: int

    def __init__(self) -> None:
        self.epoch = 0  # of the next iter()
        self._first = 0  # its first batch
        self._place: list[int] | None = None  # [epoch, batches received] of the running iter()

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (0, 1, ...) that the next ``iter()`` runs, from its first batch."""
        self.epoch = integer("DataLoader: epoch", epoch, least=0)
        self._first, self._place = 0, None

    def state_dict(self) -> dict[str, int]:
        """Return the position in the data, and the options it depends on, as plain numbers.

        "epoch" and "batch" identify the next batch. In the body of a loop over epoch e that has
        received k batches they are e and k, even if k is the last; batches prepared ahead do not
        count. After the loop they are e + 1 and 0. After ``break`` or an error they stay e and k:
        call ``set_epoch(loader.epoch)`` to skip the rest of the epoch in the saved state as well.
        If several loops run at once, the last one started counts.

        >>> import numpy as np
        >>> from tinynet.data import DataLoader
        >>> loader = DataLoader(np.arange(10), batch_size=2, shuffle=True)
        >>> batches = iter(loader)
        >>> _ = next(batches), next(batches)
        >>> state = loader.state_dict()
        >>> state["epoch"], state["batch"]
        (0, 2)
        >>> again = DataLoader(np.arange(10), batch_size=2, shuffle=True)
        >>> again.load_state_dict(state)
        >>> all(np.array_equal(a, b) for (a,), (b,) in zip(again, batches, strict=True))
        True
        >>> again.epoch
        1
        """
        epoch, batch = self._place or (self.epoch, self._first)
        return {"epoch": epoch, "batch": batch, **self._options()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the position saved by `state_dict`; running loops are not affected.

        The next ``iter()`` yields the rest of that epoch, nothing if all batches had been received.
        The ``iter()`` after it runs the next epoch.

        Raises:
            ValueError: if keys are missing or unknown, an option differs from this loader's, or
                "batch" is too large; the loader is unchanged then.
            TypeError: if "epoch" or "batch" is not an integer.
        """
        where = "DataLoader.load_state_dict"
        options = self._options()
        wrong = sorted({"epoch", "batch", *options} ^ set(state_dict))
        if wrong:
            raise ValueError(f"{where}: keys missing or unknown: {', '.join(wrong)}")
        differ = [name for name, value in options.items() if state_dict[name] != value]
        if differ:
            saved = ", ".join(f"{name}={state_dict[name]}" for name in differ)
            mine = ", ".join(f"{name}={options[name]}" for name in differ)
            raise ValueError(
                f"{where}: the state was saved with {saved}, but this loader has {mine}, so its "
                "batches differ; create the loader with the saved options, or start over"
            )
        epoch = integer("DataLoader: epoch", state_dict["epoch"], least=0)
        batch = integer("DataLoader: batch", state_dict["batch"], least=0)
        most = length_hint(self, batch)
        if batch > most:
            raise ValueError(f"{where}: batch is {batch}, but an epoch has {most} batches")
        self.epoch, self._first, self._place = epoch, batch, None

    def _options(self) -> dict[str, int]:
        """Options that determine the batches, besides the data, the transform and the position."""
        return {
            "seed": self.seed,
            "batch_size": self.batch_size or 0,
            "shuffle": int(self.shuffle),
            "drop_last": int(self.drop_last),
            "length": self.length,
        }
