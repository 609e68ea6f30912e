"""The history of a run as JSON lines: a crash loses at most one line, and reading is safe.

Each line is a JSON object of numbers, in UTF-8, followed by a newline. A line with "step" describes
one step, a line without it an epoch::

    {"step": 938, "epoch": 1, "loss": 0.112, "seconds": 5.1}
    {"epoch": 1, "loss": 0.2456, "accuracy": 0.9251, "test_loss": 0.0791, "seconds": 5.6}

Epochs and steps count from 1, steps over the whole run. JSON has no NaN and no infinity: they are
written as the strings "NaN", "Infinity" and "-Infinity" and read as numbers.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from tinynet.io.files import make_folder, remove_temporary, write_atomically

Row = dict[str, Any]  # floats by name; "epoch" and "step" are int

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MAX_LINE = 1 << 20  # bytes in a line; enough for ten thousand metrics


class HistoryError(ValueError):
    """A file is not a history; the message names the file and the line."""


class HistoryFile:
    """The lines of a history, in memory and in a file.

    The first added line replaces an existing file; later lines are appended. A failure to write is
    logged once, and the next attempt writes all lines.

    Args:
        path: the file, whose folder is created; with None only `lines` are kept.
        log: called with the message of a failure.
    """

    def __init__(self, path: str | None, log: Callable[[str], object]) -> None:
        if path is not None:
            make_folder(os.path.dirname(path))
        self.path, self.log = path, log
        self.begin([])

    def begin(self, lines: list[str]) -> None:
        """Start from these lines; the file is unchanged until a line is added."""
        self.lines = lines
        self._in_file = False  # whether the file holds the lines and nothing else
        self._failed = False  # whether the last attempt to write failed; then not _in_file

    def content(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines).encode()

    def add(self, line: str, retry: bool = True) -> None:
        """Add a line; if the last write failed, write it only if `retry` is true."""
        self.lines.append(line)
        if retry or not self._failed:
            self._write()

    def retry(self) -> None:
        """Write the file if the last attempt failed."""
        if self._failed:
            self._write()

    def _write(self) -> None:
        """Append the last line, or write all lines if the others are not in the file."""
        if self.path is None:
            return
        try:
            if self._in_file:
                self._in_file = False  # until the whole line is written
                with open(self.path, "ab") as file:
                    file.write(f"{self.lines[-1]}\n".encode())
            else:
                folder, name = os.path.split(self.path)
                remove_temporary(folder, (name,))
                write_atomically(self.path, self.content())
            self._in_file, self._failed = True, False
        except OSError as error:
            if not self._failed:
                self.log(f"(the history cannot be written; its rows stay in memory: {error})")
            self._failed = True


def read_history(path: str | os.PathLike[str], steps: bool = False) -> list[Row]:
    """The rows of a history: one for each epoch or, with `steps`, one for each logged step.

    An incomplete last line, which a killed run leaves, is ignored. Any other malformed line is an
    error. Besides the rows, only one line at a time is in memory.

    Args:
        path: a file that `Recorder` wrote, or one in the same format.
        steps: whether to return the steps instead of the epochs.

    Returns:
        Dicts with "epoch" (and "step") as int and everything else as float.

    Raises:
        HistoryError: for a malformed line, with its number.
        OSError: if the file does not exist or cannot be read.
    """
    with open(path, "rb") as file:
        return [row for row in parse_rows(file, os.fspath(path)) if ("step" in row) == steps]


def parse_rows(file: IO[bytes], where: str) -> Iterator[Row]:
    """The rows of an open file, epochs and steps, in order; `where` names the file in errors."""
    number, least = 0, {"epoch": 1, "step": 1}
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        try:
            row = decode_row(line)
            for key in least.keys() & row.keys():
                if row[key] < least[key]:
                    raise HistoryError(
                        f"{key} is {row[key]}; after the lines before it must be at least "
                        f"{least[key]}"
                    )
        except HistoryError as error:
            if not line.endswith(b"\n") and len(line) <= _MAX_LINE:
                return  # an incomplete last line
            raise HistoryError(f"{where}, line {number}: {error}") from None
        if "step" in row:
            least = {"epoch": row["epoch"], "step": row["step"] + 1}
        else:
            least["epoch"] = row["epoch"] + 1
        yield row


def encode_row(row: Mapping[str, Any]) -> str:
    """A row as a line, without the newline."""
    plain = {
        key: value if math.isfinite(value) else json.dumps(value) for key, value in row.items()
    }
    return json.dumps(plain, allow_nan=False)


def decode_row(line: bytes | str) -> Row:
    """The row of a line.

    Raises:
        HistoryError: with the reason, if the line is not a row.
    """
    if len(line) > _MAX_LINE:
        raise HistoryError(f"it is longer than {_MAX_LINE} bytes, the most for a row")
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        pairs = json.loads(text, object_pairs_hook=list, parse_constant=_reject_constant)
    except RecursionError:
        raise HistoryError("it is nested too deeply for a row") from None
    except ValueError as error:  # not UTF-8, not JSON, or too many digits
        raise HistoryError(f"it is not JSON ({error})") from None
    # A JSON object becomes a list of pairs; a JSON array becomes a list too, but not of pairs.
    if not isinstance(pairs, list) or not text.lstrip().startswith("{"):
        raise HistoryError("it must be an object of numbers by name, {...}")
    row: Row = {}
    for key, value in pairs:
        if key in row:
            raise HistoryError(f"{key!r} occurs twice")
        row[key] = _count(key, value) if key in ("epoch", "step") else _metric(key, value)
    if "epoch" not in row:
        raise HistoryError('"epoch" is missing')
    return row


def _reject_constant(constant: str) -> float:
    raise ValueError(f'{constant} is not strict JSON; write "{constant}", with quotes')


def _count(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value < 2**63:
        raise HistoryError(f"{key} is {_short_repr(value)}; it must be an integer, at least 1")
    return value


def _metric(key: str, value: Any) -> float:
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    try:
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise HistoryError(
            f"{key[:40]!r} is {_short_repr(value)}; it must be a number that a float can hold, or "
            'one of "NaN", "Infinity", "-Infinity"'
        )
    return number


def _short_repr(value: Any) -> str:
    if isinstance(value, str | int | float):
        return repr(value)[:40]
    return "null" if value is None else f"a {type(value).__name__}"
