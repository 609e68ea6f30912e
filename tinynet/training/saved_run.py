"""SavedRun: the state of a training run, in a folder that it has to itself."""

from __future__ import annotations

import math
import os
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from tinynet.training import fitting
from tinynet.training.files import (
    CheckpointError,
    lock_folder,
    remove_temporary,
    write_atomically,
)
from tinynet.training.saving import flatten, state_from_bytes, state_to_bytes

LAST, BEST = "last.safetensors", "best.safetensors"
Self = TypeVar("Self", bound="SavedRun")


class SavedRun:
    """What `Checkpoint` knows of files; see there for the arguments and attributes."""

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        options: Mapping[str, Any] | None,
        say: Callable[[str], object],
        parts: Mapping[str, Any],
    ) -> None:
        self.parts = fitting.check_parts(parts)
        self.options, self.say = dict(options or {}), say
        flatten({"options": self.options})  # raises for what cannot be saved, before the run
        self.epoch = self.batch = self.step = 0
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._steps_done = False  # of this epoch
        self._stopped = False
        self._complete = False  # all the epochs that there are to be
        # a best value and its epoch, whose checkpoint is not saved yet
        self._candidate: tuple[float, int] | None = None
        self._loaded = False  # and no step since
        self._mine = False  # the files in the folder are this run's
        self._saved_step, self._saved_at = 0, -math.inf
        self.folder: str | None = None
        self.last_path: str | None = None
        self.best_path: str | None = None
        self._unlock: weakref.finalize[..., SavedRun] | None = None
        if folder is not None:
            self._open(os.path.abspath(folder))

    def _open(self, folder: str) -> None:
        try:
            os.makedirs(folder, exist_ok=True)
            lock = lock_folder(folder)
            if lock is not None:
                self._unlock = weakref.finalize(self, os.close, lock)
            remove_temporary(folder, (LAST, BEST))
        except OSError as error:
            raise CheckpointError(
                f"Checkpoint: folder {folder!r} cannot be used: {error}"
            ) from None
        self.folder = folder
        self.last_path, self.best_path = os.path.join(folder, LAST), os.path.join(folder, BEST)

    def close(self) -> None:
        """Leave the folder to other runs; happens by itself when the object or the process ends."""
        if self._unlock is not None:
            self._unlock()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def stop(self) -> None:
        """Have this epoch be the last one, also when the run is resumed: early stopping."""
        self._stopped = True

    def keep_best(self, value: float, mode: str = "max") -> bool:
        """Have the checkpoint of this epoch kept as the best if `value` is; call it once an epoch.

        Args:
            value: an accuracy, a loss, ...; NaN is never the best.
            mode: whether the largest value is the best, "max", or the smallest, "min".

        Returns:
            Whether it is better than all before.
        """
        if mode not in ("max", "min"):
            raise ValueError(f"Checkpoint.keep_best: mode is {mode!r}; it must be 'max' or 'min'")
        value = float(value)
        best, _ = self._candidate or (self.best, None)
        better = not math.isnan(value) and (
            best is None or (value > best if mode == "max" else value < best)
        )
        if better:
            self._candidate = value, self.epoch
        return better

    def _where(self) -> str:
        """The place for a message; there epochs count from 1, as people do and the history does."""
        if self._complete:
            return f"after epoch {self.epoch}, the last"
        return f"in epoch {self.epoch + 1} after {self.batch} steps"

    def save(self) -> None:
        """Save the run as it is; for a loop of one's own, since `epochs` and `steps` do it.

        To be called where a step is complete. Without a folder it does nothing.

        Raises:
            CheckpointError: if it cannot be written, or the folder holds another run; the files
                are as they were.
        """
        candidate, self._candidate = self._candidate, None
        best, best_epoch = candidate or (self.best, self.best_epoch)
        if self.last_path is None or self.best_path is None:
            self.best, self.best_epoch = best, best_epoch
            return
        if self._unlock is not None and not self._unlock.alive:
            raise CheckpointError(
                f"Checkpoint.save: the run was closed, and another may be using {self.folder}; "
                "save before close()"
            )
        if not self._mine and os.path.exists(self.last_path):
            raise CheckpointError(
                f"Checkpoint: {self.last_path} is there already and would be lost; go on from it "
                "with load(), or give the new run another folder (or remove that file)"
            )
        # also if it fails: the next try is as far away as after a success
        self._saved_step, self._saved_at = self.step, time.monotonic()
        run = {
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "steps_done": self._steps_done,
            "stopped": self._stopped,
            "best": best,
            "best_epoch": best_epoch,
            "options": self.options,
            "made": fitting.made(self.parts),
        }
        states = {name: part.state_dict() for name, part in self.parts.items()}
        data = state_to_bytes({"run": run, **states})
        try:
            if candidate is not None:
                # the best first: a run resumed from the last is to find the best that it knows of
                write_atomically(self.best_path, data)
                self.best, self.best_epoch = best, best_epoch
            write_atomically(self.last_path, data)
        except OSError as error:
            raise CheckpointError(
                f"Checkpoint: the run could not be saved {self._where()} ({error}); what "
                f"{self.folder} held before is whole"
            ) from error
        self._mine, self._saved_at = True, time.monotonic()

    def load(
        self, path: str | os.PathLike[str] | None = None, *, allow: Collection[str] = ()
    ) -> None:
        """Go on where a checkpoint was taken: restore all parts, random numbers and the place.

        Everything is checked first, and if anything does not fit, nothing is changed.

        Args:
            path: the file; by default the last one in the folder.
            allow: the names of options and parts that may differ from the saved ones.

        Raises:
            CheckpointError: if the file is not there, truncated, damaged or of a newer version;
                if parts are missing or unexpected or do not fit (of a model: with the names of all
                keys); if options differ, with both values.
            ValueError: if there is neither a folder nor a path.
        """
        path = self.last_path if path is None else path
        if path is None:
            raise ValueError("Checkpoint.load: there is no folder; make it Checkpoint(folder, ...)")
        where = os.fspath(path)
        try:
            with open(where, "rb") as file:
                data = file.read()
        except OSError as error:
            raise CheckpointError(
                f"Checkpoint.load: there is nothing to go on from: {error}"
            ) from None
        state = state_from_bytes(data, where)
        run = fitting.check_run(state, where)
        fitting.check_options(run["options"], self.options, allow, where)
        fitting.load_parts(self.parts, state, allow, where)
        self.epoch, self.batch, self.step = run["epoch"], run["batch"], run["step"]
        self._steps_done, self._stopped = run["steps_done"], run["stopped"]
        self.best, self.best_epoch = run["best"], run["best_epoch"]
        self._candidate, self._loaded = None, True
        # of another folder's run only the state was loaded: what this one holds is not its own
        self._mine = self.folder is not None and os.path.realpath(
            os.path.dirname(where)
        ) == os.path.realpath(self.folder)
        self._complete = self._stopped and self.batch == 0
        if self._complete:
            self.say(f"{where}: the run is complete: it was stopped after epoch {self.epoch}")
        elif self.epoch and not self.batch:
            self.say(f"{where}: goes on after epoch {self.epoch} ({self.step} steps in all)")
        else:
            self.say(f"{where}: goes on {self._where()} ({self.step} in all)")
