"""Checkpoint: a training loop that survives Ctrl-C, a crash and a full disk, and goes on.

A run is resumed bit for bit if all that it depends on is in its checkpoint: the parts that the
user names (model, optimizer, schedule, loader, ...), the state of tinynet's random numbers, and the
place in the loop. A checkpoint is taken between two steps only, where nothing is half done.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from tinynet.training.files import CheckpointError
from tinynet.training.interrupt import Interrupted, Interrupts
from tinynet.training.saved_run import SavedRun


class Checkpoint(SavedRun):
    """The epochs and steps of a run, saved in a folder and resumed from it.

    ::

        run = Checkpoint("run1", model=model, optimizer=optimizer, schedule=schedule,
                         batches=batches, recorder=recorder, options={"lr": 1e-3})
        if resume:
            run.load()
        try:
            for epoch in run.epochs(10):         # those that are left: 0 to 9 in a new run
                for x, y in run.steps(batches):  # what is left of the epoch
                    loss = cross_entropy(model(tn.tensor(x)), tn.tensor(y))
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    recorder.add(len(y), loss=loss)
                found = evaluate(model, test)
                recorder.end_epoch(test_accuracy=found.accuracy)
                run.keep_best(found.accuracy)
        except training.Interrupted as stop:     # Ctrl-C: one line, and not a traceback
            raise SystemExit(str(stop)) from None

    `tinynet.training` begins with the whole of such a program.

    "last.safetensors" is written at the beginning, every `save_seconds` or `save_steps` between two
    steps, after each epoch, and on Ctrl-C or SIGTERM, which end the run after the step that is
    running (a second one ends it at once). "best.safetensors" is that of the epoch with the best
    value given to `keep_best`. Both are files as `tinynet.load` reads them:
    ``model.load_state_dict(tn.load(run.best_path)["model"])``. A folder that has a checkpoint which
    was not loaded is refused where the loop begins, before anything is computed or written; the
    constructor cannot know yet whether `load` will be called.

    The attributes count epochs from 0, as a loop in Python does; messages count them from 1, as a
    `Recorder` and its history do.

    The work at the end of an epoch, after the steps, is done again if the run ends before it is
    complete: the checkpoint to go on from was taken before it. What it writes elsewhere should
    therefore be written over, not added to. What a loop sums up in variables of its own is lost
    when it is resumed; a part keeps it.

    If saving fails (the disk is full, the folder became read-only), the run goes on with a warning
    and its last whole checkpoint; only at the beginning and at the end is that an error.

    Args:
        folder: made if it is not there; used by one run at a time. None saves nothing and leaves
            Ctrl-C alone, so that a program needs one loop only.
        options: what else made the run (learning rate, batch size, ...), as `tinynet.save` takes
            it; a run is resumed only with equal ones.
        save_seconds: how often to save, in seconds; None for not by time.
        save_steps: how often to save, in steps; None for not by steps.
        say: called with the line that tells where a run goes on.
        **parts: all that has a state: objects with `state_dict` and `load_state_dict`, and NumPy's
            generators. The names "run" and "random" are taken.

    Attributes:
        epoch: how many epochs are complete; in the loop, the number of the one that runs, from 0.
        batch: how many steps of this epoch were begun.
        step: how many steps of the run were begun.
        best, best_epoch: the best value so far and its epoch, from 0; None before one is saved.
        last_path, best_path: the two files; None without a folder.

    Raises:
        TypeError: for a part without a state, or an option that cannot be saved.
        CheckpointError: if the folder cannot be made, or another run uses it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        *,
        options: Mapping[str, Any] | None = None,
        save_seconds: float | None = 60.0,
        save_steps: int | None = None,
        say: Callable[[str], object] = print,
        **parts: Any,
    ) -> None:
        super().__init__(folder, options, say, parts)
        self.save_seconds, self.save_steps = save_seconds, save_steps
        self._interrupts = Interrupts()
        self._in_loop = False
        self._source: Any = None  # what the steps of this epoch are taken from

    def epochs(self, epochs: int) -> Iterator[int]:
        """The numbers of the epochs that are left of 0, ..., epochs - 1; saves after each.

        To end earlier call `stop`; a ``break`` leaves the epoch without its checkpoint.

        Raises:
            Interrupted: after the epoch if Ctrl-C was pressed in the work at its end.
            CheckpointError: if the folder holds a checkpoint that was not loaded, or saving
                failed at the beginning or the end.
        """
        told, self._complete = self._complete, self._is_complete(epochs)
        if self._loaded and self._complete and not told:
            self.say(f"the run is complete: epoch {self.epoch} was the last")
        with self._loop():
            while not self._complete:
                yield self.epoch
                if not self._steps_done and hasattr(self._source, "set_epoch"):
                    # The steps were left by break: what is left of the loader's epoch is given up.
                    self._source.set_epoch(self._source.epoch)
                self.epoch, self.batch = self.epoch + 1, 0
                self._steps_done = self._loaded = False
                self._source = None
                self._complete = self._is_complete(epochs)
                if self._interrupts.received:
                    self._end_interrupted()
                elif self._complete:
                    self.save()
                else:
                    self._save_or_warn()

    def _is_complete(self, epochs: int) -> bool:
        # an epoch that was stopped is complete when the work at its end is
        return self.epoch >= epochs or (self._stopped and not self.batch)

    def steps(self, batches: Any) -> Iterator[Any]:
        """The batches that are left of this epoch; between two of them is the time to save.

        Outside of `epochs` they are a whole run, saved at its end.

        Args:
            batches: one of the parts, so that its place is saved, such as a DataLoader; or a
                number n, for the steps 0, ..., n - 1 of an epoch whose data are drawn in the loop.

        Raises:
            Interrupted: after the step in which Ctrl-C was pressed.
            CheckpointError: as `epochs` does, where the steps are a whole run.
            TypeError: if `batches` is no part of the checkpoint.
            RuntimeError: if this epoch's steps were begun before.
        """
        counted = isinstance(batches, int)
        if not counted and all(batches is not part for part in self.parts.values()):
            raise TypeError(
                f"Checkpoint.steps: batches is a {type(batches).__name__} that is not among the "
                "checkpoint's parts, so its place would not be saved; make it one, as in "
                "Checkpoint(folder, loader=batches, ...)"
            )
        if (self.batch or self._steps_done) and not self._loaded:
            raise RuntimeError(
                f"Checkpoint.steps: the steps of epoch {self.epoch + 1} were begun before; take "
                "them once in each turn of `epochs`, and after an error go on with load()"
            )
        total = batches if counted else len(batches) if hasattr(batches, "__len__") else None
        return self._steps(range(self.batch, batches) if counted else batches, total)

    def _steps(self, batches: Any, total: int | None) -> Iterator[Any]:
        alone = not self._in_loop
        with self._loop():
            self._loaded, self._source = False, batches
            source = iter(() if self._steps_done else batches)
            while True:
                # After the last batch the loader is asked once more before a checkpoint is taken,
                # so that it is at the beginning of its next epoch.
                if self.batch != total:
                    self._between_steps()
                try:
                    batch = next(source)
                except StopIteration:
                    break
                self.batch += 1
                self.step += 1
                yield batch
                del batch  # or two would be kept while the next one is made
            self._steps_done = True
            if self._interrupts.received or not alone:
                self._between_steps()
            else:
                self.save()

    @contextlib.contextmanager
    def _loop(self) -> Generator[None, None, None]:
        if self._in_loop or self.folder is None:
            yield
            return
        self._in_loop = True
        self._interrupts.install()
        try:
            self.save()  # a run that cannot save is to say so now, and not in the morning
            yield
        finally:
            self._in_loop = False
            self._interrupts.restore()

    def _between_steps(self) -> None:
        if self._interrupts.received:
            self._end_interrupted()
        steps, seconds = self.step - self._saved_step, time.monotonic() - self._saved_at
        if (self.save_steps is not None and steps >= self.save_steps) or (
            self.save_seconds is not None and seconds >= self.save_seconds
        ):
            self._save_or_warn()

    def _save_or_warn(self) -> None:
        try:
            self.save()
        except (CheckpointError, MemoryError) as error:
            warnings.warn(f"{error}; the run goes on", RuntimeWarning, stacklevel=2)

    def _end_interrupted(self) -> None:
        where = f"stopped by {self._interrupts.received} {self._where()}"
        try:
            self.save()
        except (CheckpointError, MemoryError) as error:
            raise Interrupted(f"{where}, which is not saved: {error}") from None
        raise Interrupted(f"{where}, saved in {self.last_path}; load() goes on from there")
