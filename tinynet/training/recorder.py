"""Recorder: averages, shows and keeps the metrics of a run."""

from __future__ import annotations

import io
import operator
import os
import time
from collections.abc import Collection, Mapping
from typing import Any, TextIO

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.nn.layers import at_least_one
from tinynet.report.text import metrics_as_text, time_as_text
from tinynet.training.history import HistoryFile, Row, decode_row, encode_row, parse_rows
from tinynet.training.progress import Progress
from tinynet.training.tensorboard import EventWriter

_RESERVED = ("epoch", "step", "seconds")


class Recorder:
    """Averages batch metrics over an epoch, shows them, and writes a history.

    Call `add` after each batch and `end_epoch` after each epoch, as in the program in the docstring
    of `tinynet.training`. There the recorder is a part of the run's `Checkpoint`, so that it
    resumes with it. Epochs are shown and written counting from 1.

    A metric of an epoch is sum_b n_b v_b / sum_b n_b over its batches b of n_b examples: the mean
    over examples, summed in float64 in the order of the batches.

    On a terminal a progress bar (by tqdm) shows the rate, the metrics so far and the time left in
    the epoch; elsewhere there is at most one line every `interval` seconds. Print with `log`, so
    that messages and the bar do not mix.

    The history is JSON lines (`read_history`), one for each epoch, with the seconds of the run so
    far. A run resumed from `state_dict`, even in mid-epoch, ends with the same history as a run
    that never stopped, except for "seconds". When the first new row is written, it and the rows
    before it replace an existing file. If the file cannot be written (the disk is full), the rows
    are kept and written with the next one.

    Args:
        path: the history's file; its folder is created. With None, only `history` has the rows.
        total: examples in an epoch, for the time left.
        epochs: epochs in the run, for the time left.
        log_steps: steps between two rows with the metrics of one batch; 0 for no such rows.
        interval: seconds between two plain lines; ``math.inf`` for no lines.
        stream: where to show progress; by default the standard output.
        tensorboard: a folder for TensorBoard's event files, written by tensorboardX.

    Attributes:
        epoch: complete epochs.
        step: batches so far, in all epochs.

    Raises:
        OSError: if the folder of `path` cannot be created.
        ImportError: for `tensorboard` without tensorboardX.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        total: int | None = None,
        epochs: int | None = None,
        log_steps: int = 0,
        interval: float = 30.0,
        stream: TextIO | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, number in (("total", total), ("epochs", epochs), ("log_steps", log_steps)):
            if number is not None and (not hasattr(number, "__index__") or number < 0):
                raise ValueError(f"Recorder: {name} is {number!r}; it must be an integer >= 0")
        self.path = None if path is None else os.path.abspath(path)
        self.log_steps = log_steps
        self._file = HistoryFile(self.path, self.log)
        self._events = None if tensorboard is None else EventWriter(tensorboard)
        self._progress = Progress(total, epochs, interval, stream)
        self._in_epoch = False
        self._start = time.perf_counter()
        self._begin({"epoch": 0, "step": 0, "examples": 0, "seconds": 0.0, "sums": {}}, [])

    def _begin(self, state: Mapping[str, Any], lines: list[str]) -> None:
        sums = {name: (float(total), int(n)) for name, (total, n) in state["sums"].items()}
        epoch, step, examples = (int(state[name]) for name in ("epoch", "step", "examples"))
        self._seconds = float(state["seconds"]) - (time.perf_counter() - self._start)
        self.epoch, self.step = epoch, step
        self._examples = examples  # in this epoch
        self._sums = sums  # by name: the epoch's weighted sum, and the sum of the weights
        self._pending: list[tuple[int, str, Any]] = []  # metrics not added yet, maybe on a GPU
        self._file.begin(lines)

    @property
    def seconds(self) -> float:
        """How long the run has taken, including the time before it was resumed."""
        return self._seconds + time.perf_counter() - self._start

    @property
    def history(self) -> list[Row]:
        """The rows of the complete epochs, as `read_history` returns them."""
        return [row for row in map(decode_row, self._file.lines) if "step" not in row]

    @property
    def figures(self) -> dict[str, float]:
        """The metrics of the epoch so far, each a mean over its examples."""
        self._add_pending()
        return {name: total / n for name, (total, n) in self._sums.items()}

    def add(self, n: int, /, **metrics: Any) -> None:
        """Add the metrics of a batch, each a mean over its examples.

        Args:
            n: examples in the batch, at least 1.
            **metrics: numbers, or arrays and Tensors of one number. They stay on a GPU until they
                are shown, saved or written, so that a step does not wait for them.

        Raises:
            ValueError: for an invalid `n`, a metric that is not one number, or a reserved name.
            TypeError: for an array or Tensor as `n` that is not one integer.
        """
        at_least_one("Recorder.add", n=n)
        n = operator.index(n)
        values = {name: _number("add", name, value) for name, value in metrics.items()}
        if not self._in_epoch:
            self._in_epoch = True
            self._progress.begin(self.epoch + 1, self._examples)
        self._pending += [(n, name, value) for name, value in values.items()]
        self.step += 1
        self._examples += n
        if len(self._pending) > 1000:
            self._add_pending()
        if self.log_steps and self.step % self.log_steps == 0:
            numbers = {name: _on_host(value) for name, value in values.items()}
            self._write({"step": self.step, "epoch": self.epoch + 1, **numbers})
        if self._progress.due():
            self._progress.show(self._examples, self.figures)

    def end_epoch(self, **metrics: Any) -> Row:
        """End the epoch and write a row of its metrics and these, such as metrics on the test data.

        Returns:
            The row that was written.

        Raises:
            ValueError: for a metric that is not one number, or a name already passed to `add`.
        """
        means = self.figures
        more = {k: _on_host(_number("end_epoch", k, v, means)) for k, v in metrics.items()}
        row = {"epoch": self.epoch + 1, **means, **more}
        self._progress.end()
        self._in_epoch = False
        self.epoch += 1
        self._examples, self._sums = 0, {}
        row = self._write(row)
        self._progress.write(self._as_text(row))
        return row

    def log(self, message: str) -> None:
        """Print a line, above the bar if there is one."""
        self._progress.write(message)

    def close(self) -> None:
        """Remove the bar and close the event file; the recorder can be used again."""
        self._progress.end()
        self._in_epoch = False
        self._file.retry()
        if self._events is not None:
            self._events.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- saving and loading ---

    def state_dict(self) -> dict[str, Any]:
        """Everything that the history depends on."""
        self._add_pending()
        return {
            "epoch": self.epoch,
            "step": self.step,
            "examples": self._examples,
            "seconds": self.seconds,
            "sums": {name: list(sums) for name, sums in self._sums.items()},
            # Bytes in an array: with a row per step, text would soon be too long for a checkpoint.
            "history": np.frombuffer(self._file.content(), "u1"),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict`; the next row writes the file with all rows so far.

        Raises:
            ValueError: if it is not from `state_dict`; nothing is changed.
        """
        where, expected = "Recorder.load_state_dict", self.state_dict()
        if not isinstance(state_dict, Mapping) or state_dict.keys() != expected.keys():
            raise ValueError(f"{where}: it must be a dict of {', '.join(expected)}")
        try:
            text = np.asarray(state_dict["history"], "u1").tobytes()
            rows = list(parse_rows(io.BytesIO(text), "history"))
            last = max((r["epoch"] for r in rows if "step" not in r), default=0)
            if last != int(state_dict["epoch"]):
                raise ValueError(
                    f"epoch is {state_dict['epoch']}, but the history's is {last}; give the state "
                    "of one run, as `state_dict` returned it"
                )
            self._begin(state_dict, [encode_row(row) for row in rows])
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{where}: {error}") from None
        self.close()

    def _add_pending(self) -> None:
        """Add the pending metrics to the sums, in order."""
        on_gpu = [a for _, _, a in self._pending if backend.is_array(a)]
        if on_gpu:  # one transfer for all of them
            xp = backend.array_module(*on_gpu)
            stacked = xp.stack([a.astype("float64").reshape(()) for a in on_gpu])
            numbers = iter(backend.to_numpy(stacked).tolist())
        for n, name, value in self._pending:
            number = next(numbers) if backend.is_array(value) else value
            total, weight = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + n * number, weight + n)
        self._pending.clear()

    def _write(self, row: Row) -> Row:
        """Write a row, with the time, to the history and for TensorBoard."""
        row = {**row, "seconds": round(self.seconds, 3)}
        self._file.add(encode_row(row), retry="step" not in row)  # do not retry at every step
        if self._events is not None:
            try:
                self._events.write(row, self.step)
            except OSError as error:
                self.log(f"(no more event files: {error})")
                self._events = None
        return row

    def _as_text(self, row: Row) -> str:
        epochs = self._progress.epochs
        metrics = metrics_as_text({k: v for k, v in row.items() if k not in _RESERVED})
        title = self._progress.title(self.epoch)
        parts = [title, metrics, time_as_text(row["seconds"])]
        if epochs and epochs > self.epoch:
            left = row["seconds"] / self.epoch * (epochs - self.epoch)
            parts.append(f"{time_as_text(left)} left")
        return "  ".join(part for part in parts if part)


def _number(method: str, name: str, value: Any, used: Collection[str] = ()) -> Any:
    """A metric as a float, or as an array of one number on a GPU."""
    if name in _RESERVED or name in used:
        reason = "the recorder's own" if name in _RESERVED else "a metric of `add`"
        raise ValueError(f"Recorder.{method}: {name!r} is {reason}; choose another name")
    value = value._data if isinstance(value, Value) else value
    if backend.is_array(value) and value.size != 1:
        raise ValueError(
            f"Recorder.{method}: {name} has shape {tuple(value.shape)}; it must be one number, "
            "such as a mean"
        )
    if backend.is_array(value) and backend.device_of(value) == "cuda":
        return value
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        raise ValueError(f"Recorder.{method}: {name} is {value!r}; it must be one number") from None


def _on_host(value: Any) -> float:
    return float(backend.to_numpy(value).item() if backend.is_array(value) else value)
