"""Checkpoint: a training loop that survives Ctrl-C, a crash and a full disk.

A run resumes bit for bit if its checkpoint holds everything that it depends on: the parts that the
user names (model, optimizer, schedule, loader, ...), tinynet's random numbers, and the position in
the loop. Checkpoints are taken only between two steps.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
import time
import warnings
import weakref
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tinynet import console
from tinynet.io.checkpoint_file import Place, load_checkpoint, save_checkpoint, with_state
from tinynet.io.files import CheckpointError, lock_folder, make_folder, remove_temporary
from tinynet.io.saving import flatten
from tinynet.training.interrupt import Interrupted, Interrupts
from tinynet.training.stopping import is_better

LAST, BEST = "last.safetensors", "best.safetensors"


def _place_field(name: str) -> Any:
    """A property of a `Checkpoint` that is a field of its place."""
    return property(
        lambda run: getattr(run._place, name), lambda run, value: setattr(run._place, name, value)
    )


class Checkpoint:
    """The epochs and steps of a run, saved in a folder and resumed from it.

    ::

        run = Checkpoint("run1", model=model, optimizer=optimizer, batches=batches)
        if resume:
            run.load()
        for epoch in run.epochs(10):         # the remaining epochs: 0 to 9 in a new run
            for x, y in run.steps(batches):  # the remaining batches of the epoch
                ...                          # forward, loss, backward, step
            run.keep_best(evaluate(model, test).accuracy)

    The docstring of `tinynet.training` has a complete program.

    "last.safetensors" is written at the beginning, every `save_seconds` or `save_steps` between two
    steps, after each epoch, and on Ctrl-C or SIGTERM, which end the run after the current step (a
    second signal ends it at once). "best.safetensors" is the checkpoint of the epoch with the best
    value given to `keep_best`. `tinynet.load` reads both:
    ``model.load_state_dict(tn.load(run.best_path)["model"])``. If the folder holds a checkpoint
    that was not loaded, the loop refuses to begin, before anything is computed or written.

    If the run ends during the work after an epoch's last step, all of that work is repeated, so it
    should overwrite files rather than append to them. Variables of the loop are not saved; keep
    sums in a part.

    If saving fails (the disk is full, the folder became read-only), the run goes on with a warning
    and its last complete checkpoint; at the beginning and at the end of the run it is an error.

    Args:
        folder: created if needed; used by one run at a time. With None nothing is saved and Ctrl-C
            is not handled, so that a program needs only one loop.
        options: the run's options (learning rate, batch size, ...), as `tinynet.save` takes them;
            a run is resumed only with equal options.
        save_seconds: seconds between two checkpoints, or None.
        save_steps: steps between two checkpoints, or None.
        say: called with the line that tells where a run resumes.
        **parts: everything that has a state: objects with `state_dict` and `load_state_dict`, and
            NumPy generators. The names "run" and "random" are reserved.

    Attributes:
        epoch: complete epochs; in the loop, the number of the current one, from 0 as in Python
            (messages count from 1, as a `Recorder` does).
        batch: steps begun in this epoch.
        step: steps begun in the run.
        best, best_epoch: the best value so far and its epoch, from 0; None before one is saved.
        last_path, best_path: the two files; None without a folder.

    Raises:
        TypeError: for a part without a state, or an option that cannot be saved.
        CheckpointError: if the folder cannot be created, or another run uses it.
    """

    epoch: int = _place_field("epoch")
    batch: int = _place_field("batch")
    step: int = _place_field("step")
    best: float | None = _place_field("best")
    best_epoch: int | None = _place_field("best_epoch")

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        *,
        options: Mapping[str, Any] | None = None,
        save_seconds: float | None = 60.0,
        save_steps: int | None = None,
        say: Callable[[str], object] = console.write,
        **parts: Any,
    ) -> None:
        self.parts, self.options, self.say = with_state(parts), dict(options or {}), say
        flatten({"options": self.options})  # raises now, not at the first checkpoint
        self.save_seconds, self.save_steps = save_seconds, save_steps
        self._place = Place()
        self._epochs: float = math.inf  # epochs in the run, once known
        self._new_best: tuple[float, int] | None = None  # value and epoch, not yet saved
        self._resuming = False  # loaded, without a step since
        self._owns_files = False  # the checkpoints in the folder are this run's
        self._batches: Any = None  # the source of this epoch's steps
        self._in_loop = False
        self._interrupts = Interrupts()
        self._saved_step, self._saved_at = 0, -math.inf
        self.folder = None if folder is None else os.path.abspath(folder)
        self.last_path = None if self.folder is None else os.path.join(self.folder, LAST)
        self.best_path = None if self.folder is None else os.path.join(self.folder, BEST)
        self._unlock: weakref.finalize[..., Checkpoint] | None = None
        if self.folder is not None:
            try:
                make_folder(self.folder)
                lock = lock_folder(self.folder)
                if lock is not None:
                    self._unlock = weakref.finalize(self, os.close, lock)
                remove_temporary(self.folder, (LAST, BEST))
            except OSError as error:
                raise CheckpointError(
                    f"Checkpoint: folder {self.folder!r} cannot be used: {error}"
                ) from None

    def close(self) -> None:
        """Release the folder; also done when the object or the process ends."""
        if self._unlock is not None:
            self._unlock()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # --- the loop ---

    def epochs(self, epochs: int) -> Iterator[int]:
        """Iterate over the remaining epochs of 0, ..., epochs - 1, and save after each.

        To end earlier, call `stop`; a ``break`` leaves the epoch without its checkpoint.

        Raises:
            Interrupted: after the epoch, if Ctrl-C was pressed during the work at its end.
            CheckpointError: if the folder holds a checkpoint that was not loaded, or saving
                failed at the beginning or the end.
        """
        already_complete, self._epochs = self._complete, epochs
        if self._resuming and self._complete and not already_complete:
            self.say(f"the run is complete: epoch {self.epoch} was the last")
        with self._loop():
            while not self._complete:
                yield self.epoch
                if not self._place.steps_done and hasattr(self._batches, "set_epoch"):
                    # The steps ended with a break: drop the rest of the loader's epoch.
                    self._batches.set_epoch(self._batches.epoch)
                self._place = replace(self._place, epoch=self.epoch + 1, batch=0, steps_done=False)
                self._resuming, self._batches = False, None
                if self._interrupts.received:
                    self._end_interrupted()
                elif self._complete:
                    self.save()
                else:
                    self._save_or_warn()

    @property
    def _complete(self) -> bool:
        """Whether no epoch is left; a stopped epoch counts when the work at its end is done."""
        return self.epoch >= self._epochs or (self._place.stopped and not self.batch)

    def steps(self, batches: Any) -> Iterator[Any]:
        """Iterate over the remaining batches of this epoch, with checkpoints between them.

        Outside of `epochs` these steps are a whole run, saved at its end.

        Args:
            batches: one of the parts, such as a DataLoader, so that its position is saved; or a
                number n, for steps 0, ..., n - 1 of an epoch whose data are drawn in the loop.

        Raises:
            Interrupted: after the step in which Ctrl-C was pressed.
            CheckpointError: as for `epochs`, if the steps are a whole run.
            TypeError: if `batches` is not a part of the checkpoint.
            RuntimeError: if this epoch's steps have already begun.
        """
        counted = isinstance(batches, int)
        if not counted and all(batches is not part for part in self.parts.values()):
            raise TypeError(
                f"Checkpoint.steps: batches is a {type(batches).__name__} that is not among the "
                "checkpoint's parts, so its position would not be saved; make it a part, as in "
                "Checkpoint(folder, loader=batches, ...)"
            )
        if (self.batch or self._place.steps_done) and not self._resuming:
            raise RuntimeError(
                f"Checkpoint.steps: the steps of epoch {self.epoch + 1} have already begun; call "
                "it once per epoch, and after an error resume with load()"
            )
        total = batches if counted else operator.length_hint(batches, -1)
        return self._steps(range(self.batch, batches) if counted else batches, total)

    def _steps(self, batches: Any, total: int) -> Iterator[Any]:
        alone = not self._in_loop
        with self._loop():
            self._resuming, self._batches = False, batches
            source = iter(() if self._place.steps_done else batches)
            while True:
                # After the last batch, exhaust the loader before a checkpoint is taken, so that it
                # is at the beginning of its next epoch.
                if self.batch != total:
                    self._between_steps()
                try:
                    batch = next(source)
                except StopIteration:
                    break
                self.batch += 1
                self.step += 1
                yield batch
                del batch  # otherwise two batches are in memory while the next one is made
            self._place.steps_done = True
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
            self.save()  # a run that cannot save must fail now instead of hours later
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
        stopped = f"stopped by {self._interrupts.received} {self._place_as_text()}"
        try:
            self.save()
        except (CheckpointError, MemoryError) as error:
            raise Interrupted(f"{stopped}, but not saved: {error}") from None
        raise Interrupted(f"{stopped}, saved in {self.last_path}; load() resumes it")

    def _place_as_text(self) -> str:
        if self._complete:
            return f"after epoch {self.epoch}, the last"
        return f"in epoch {self.epoch + 1} after {self.batch} steps"

    def stop(self) -> None:
        """Make this epoch the last one, even if the run is resumed, for early stopping."""
        self._place.stopped = True

    # --- the files ---

    def keep_best(self, value: float, mode: str = "max") -> bool:
        """Keep this epoch's checkpoint as the best if its value is; call this once per epoch.

        Args:
            value: an accuracy, a loss, ...; NaN is never the best.
            mode: "max" if the largest value is the best, "min" if the smallest is.

        Returns:
            Whether the value is better than all previous ones.
        """
        if mode not in ("max", "min"):
            raise ValueError(f"Checkpoint.keep_best: mode is {mode!r}; it must be 'max' or 'min'")
        value = float(value)
        better = is_better(value, self._new_best[0] if self._new_best else self.best, mode)
        if better:
            self._new_best = value, self.epoch
        return better

    def save(self) -> None:
        """Save the run now. `epochs` and `steps` call this; call it yourself in a custom loop.

        Call it between two steps. Without a folder it writes nothing.

        Raises:
            CheckpointError: if the checkpoint cannot be written, or the folder holds another run;
                the files are unchanged.
        """
        new_best, self._new_best = self._new_best, None
        best, best_epoch = new_best or (self.best, self.best_epoch)
        place = replace(self._place, best=best, best_epoch=best_epoch)
        if self.last_path is None or self.best_path is None:
            self._place = place
            return
        if self._unlock is not None and not self._unlock.alive:
            raise CheckpointError(
                f"Checkpoint.save: the run was closed, and another may be using {self.folder}; "
                "save before close()"
            )
        if not self._owns_files and os.path.exists(self.last_path):
            raise CheckpointError(
                f"Checkpoint: {self.last_path} already exists and would be lost; resume it with "
                "load(), or give the new run another folder (or remove that file)"
            )
        # Set even if saving fails, so that the next attempt comes after the same interval.
        self._saved_step, self._saved_at = self.step, time.monotonic()
        try:
            if new_best is not None:
                # The best first: a run resumed from the last must find the best that it refers to.
                save_checkpoint(self.best_path, place, self.parts, self.options)
                self._place = place
            save_checkpoint(self.last_path, place, self.parts, self.options)
        except OSError as error:
            raise CheckpointError(
                f"Checkpoint: the run could not be saved {self._place_as_text()} ({error}); what "
                f"{self.folder} held before is intact"
            ) from error
        self._owns_files, self._saved_at = True, time.monotonic()

    def load(
        self, path: str | os.PathLike[str] | None = None, *, allow: Collection[str] = ()
    ) -> None:
        """Resume from a checkpoint: restore all parts, the random numbers and the position.

        If anything does not fit, nothing is changed.

        Args:
            path: the file; by default the last one in the folder.
            allow: names of options and parts that may differ from the saved ones.

        Raises:
            CheckpointError: if the file does not exist, or is truncated, damaged or in a newer
                format; if parts are missing, unexpected or do not fit (for a model, with the names
                of all keys); if options differ, with both values.
            ValueError: if there is neither a folder nor a path.
        """
        path = self.last_path if path is None else os.fspath(path)
        if path is None:
            raise ValueError("Checkpoint.load: no folder and no path; give load() a path")
        self._place = load_checkpoint(path, self.parts, self.options, allow)
        self._epochs, self._new_best, self._resuming = math.inf, None, True
        # A checkpoint from another folder does not make this folder's files this run's own.
        self._owns_files = self.folder is not None and os.path.realpath(
            os.path.dirname(path)
        ) == os.path.realpath(self.folder)
        if self._complete:
            self.say(f"{path}: the run is complete: it was stopped after epoch {self.epoch}")
        elif self.epoch and not self.batch:
            self.say(f"{path}: resumes after epoch {self.epoch} ({self.step} steps in all)")
        else:
            self.say(f"{path}: resumes {self._place_as_text()} ({self.step} in all)")
