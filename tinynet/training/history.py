"""The history of a run as JSON lines: written so that a crash costs one line at most, and read so
that nothing in a file can do harm.

A line is a JSON object of numbers, in UTF-8, ended by a newline. One with a "step" tells of a
single step, one without of a whole epoch::

    {"step": 938, "epoch": 1, "loss": 0.112, "seconds": 5.1}
    {"epoch": 1, "loss": 0.2456, "accuracy": 0.9251, "test_loss": 0.0791, "seconds": 5.6}

Epochs count from 1 and steps through the whole run, also from 1. JSON has no NaN and no infinity:
they are the strings "NaN", "Infinity" and "-Infinity", and come back as numbers.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import IO, Any

Row = dict[str, Any]  # float by name; "epoch" and "step" are int

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LONGEST = 1 << 20  # bytes of a line; ten thousand figures fit


class HistoryError(ValueError):
    """A history that was not written as one; the message names the file and the line."""


def read_history(path: str | os.PathLike[str], steps: bool = False) -> list[Row]:
    """The rows of a history, one for each epoch; or, with `steps`, one for each step it tells of.

    The last line may be half written, as a killed run leaves it: it is left out. Any other line
    that is no row is an error. No more than a line is held besides the rows.

    Args:
        path: a file that `Recorder` wrote, or of its form.
        steps: whether to return the steps instead of the epochs.

    Returns:
        Rows by name: "epoch" (and "step") as int, everything else as float.

    Raises:
        HistoryError: with the number of the line, for what is not of that form.
        OSError: if there is no such file, or it cannot be read.
    """
    with open(path, "rb") as file:
        rows = list(parse_rows(file, os.fspath(path)))
    return [row for row in rows if ("step" in row) == steps]


def parse_rows(file: IO[bytes], where: str) -> Iterator[Row]:
    """The rows of an open file, of epochs and of steps, in order; `where` names it in errors."""
    number, least = 0, {"epoch": 1, "step": 1}
    while line := file.readline(_LONGEST + 1):
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
            if not line.endswith(b"\n") and len(line) <= _LONGEST:
                return  # its end was never written
            raise HistoryError(f"{where}, line {number}: {error}") from None
        if "step" in row:
            least = {"epoch": row["epoch"], "step": row["step"] + 1}
        else:
            least["epoch"] = row["epoch"] + 1
        yield row


def encode_row(row: Mapping[str, Any]) -> str:
    """A row as a line, without the newline."""
    plain = {
        key: value if math.isfinite(value) else json.dumps(value).strip('"')
        for key, value in row.items()
    }
    return json.dumps(plain, allow_nan=False)


def decode_row(line: bytes | str) -> Row:
    """The row of a line.

    Raises:
        HistoryError: with the reason, if it is none.
    """
    if len(line) > _LONGEST:
        raise HistoryError(f"it is longer than {_LONGEST} bytes, which no row is")
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        pairs = json.loads(text, object_pairs_hook=list, parse_constant=_refuse)
    except RecursionError:
        raise HistoryError("it is nested too deep for a row") from None
    except ValueError as error:  # of the text, of JSON, of too many digits
        raise HistoryError(f"it is not JSON ({error})") from None
    # an object comes as a list of pairs; a JSON array as a list too, but not of tuples
    if not isinstance(pairs, list) or not text.lstrip().startswith("{"):
        raise HistoryError("it must be an object of numbers by name, as {...}")
    row: Row = {}
    for key, value in pairs:
        if key in row:
            raise HistoryError(f"{key!r} is there twice")
        row[key] = _count(key, value) if key in ("epoch", "step") else _figure(key, value)
    if "epoch" not in row:
        raise HistoryError('"epoch" is missing')
    return row


def _refuse(constant: str) -> float:
    raise ValueError(f'{constant} is not strict JSON; write "{constant}", with quotes')


def _count(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value < 2**63:
        raise HistoryError(f"{key} is {_shown(value)}; it must be an integer, at least 1")
    return value


def _figure(key: str, value: Any) -> float:
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    try:
        number = float(value) if type(value) in (int, float) else None
    except OverflowError:
        number = math.inf
    if number is None or not math.isfinite(number):
        raise HistoryError(
            f"{key[:40]!r} is {_shown(value)}; it must be a number that a float can hold, or "
            'one of "NaN", "Infinity", "-Infinity"'
        )
    return number


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return repr(value)[:40]
    return "null" if value is None else f"a {type(value).__name__}"
