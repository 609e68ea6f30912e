"""Histories: rows are read back as written; malformed lines are reported or ignored."""

from __future__ import annotations

import io
import json
import math
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from states import same

from tinynet.training import HistoryError, read_history
from tinynet.training.history import decode_row, encode_row, parse_rows

numbers = st.floats(allow_nan=True, allow_infinity=True)
names = st.text(max_size=9).filter(lambda name: name not in ("epoch", "step"))
rows = st.builds(
    lambda epoch, figures: {"epoch": epoch, **figures},
    st.integers(1, 2**62),
    st.dictionaries(names, numbers, max_size=5),
)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@given(rows)
def test_a_row_comes_back_bit_for_bit(row):
    line = encode_row(row)
    assert same(decode_row(line.encode()), row)
    assert encode_row(decode_row(line)) == line
    assert "\n" not in line
    strict = json.loads(line, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert list(strict) == list(row)


GOOD = [
    {"step": 2, "epoch": 1, "loss": math.nan},
    {"step": 4, "epoch": 1, "loss": math.inf},
    {"epoch": 1, "loss": 0.5, "test_loss": -math.inf, "seconds": 1.5},
    {"step": 6, "epoch": 2, "loss": 0.25},
    {"epoch": 2, "loss": 0.125, "seconds": 3.0},
]
TEXT = "".join(f"{encode_row(row)}\n" for row in GOOD).encode()


def test_reading(tmp_path):
    path = write(tmp_path / "history.jsonl", TEXT)
    epochs, steps = read_history(path), read_history(str(path), steps=True)
    assert same(epochs, [GOOD[2], GOOD[4]])
    assert same(steps, [GOOD[0], GOOD[1], GOOD[3]])
    assert read_history(write(tmp_path / "empty", b"")) == []
    with pytest.raises(FileNotFoundError):
        read_history(tmp_path / "none")


def test_a_half_written_last_line_is_left_out(tmp_path):
    """The complete lines are read, at whatever byte a killed run stopped."""
    path, ends = tmp_path / "history.jsonl", [i for i, c in enumerate(TEXT) if c == ord("\n")]
    for size in range(len(TEXT)):
        write(path, TEXT[:size])
        complete = sum(size >= end for end in ends)  # a line that lacks only its end is complete
        count = sum("step" not in row for row in GOOD[:complete])
        assert len(read_history(path)) == count
        assert len(read_history(path, steps=True)) == complete - count


ERRORS = {
    "not json": ('{"epoch": 1}\nepoch 2\n', "line 2: it is not JSON"),
    "half in the midst": ('{"epoch": 1, "lo\n{"epoch": 2}\n', "line 1: it is not JSON"),
    "array": ('[["epoch", 1]]\n', "line 1: it must be an object"),
    "number": ("7\n", "line 1: it must be an object"),
    "blank": ('{"epoch": 1}\n\n{"epoch": 2}\n', "line 2: it is not JSON"),
    "twice": ('{"epoch": 1, "a": 1, "a": 2}\n', "line 1: 'a' occurs twice"),
    "no epoch": ('{"loss": 1}\n', 'line 1: "epoch" is missing'),
    "epoch 0": ('{"epoch": 0}\n', "line 1: epoch is 0; it must be an integer"),
    "epoch 1.0": ('{"epoch": 1.0}\n', r"line 1: epoch is 1\.0"),
    "epoch true": ('{"epoch": true}\n', "line 1: epoch is True"),
    "order": ('{"epoch": 2}\n{"epoch": 2}\n', "line 2: epoch is 2; .* at least 3"),
    "steps": (
        '{"step": 5, "epoch": 1}\n{"step": 5, "epoch": 1}\n',
        "line 2: step is 5; .* at least 6",
    ),
    "step of old": ('{"epoch": 2}\n{"step": 5, "epoch": 2}\n', "line 2: epoch is 2; .*least 3"),
    "NaN": ('{"epoch": 1, "a": NaN}\n', 'line 1: .*NaN is not strict JSON; write "NaN"'),
    "text": ('{"epoch": 1, "a": "nan"}\n', "line 1: 'a' is 'nan'; it must be a number"),
    "bool": ('{"epoch": 1, "a": false}\n', "line 1: 'a' is False"),
    "null": ('{"epoch": 1, "a": null}\n', "line 1: 'a' is null"),
    "nested": ('{"epoch": 1, "a": {"b": [1]}}\n', "line 1: 'a' is a list"),
    "too large": ('{"epoch": 1, "a": 1e999}\n', "line 1: 'a' is inf"),
    "long integer": ('{"epoch": 1, "a": 1' + "0" * 400 + "}\n", "line 1: 'a' is 1000"),
    "digits": ('{"epoch": 1, "a": 1' + "0" * 9000 + "}\n", "line 1: it is not JSON"),
    "deep": ('{"epoch": 1, "a": ' + "[" * 50_000 + "\n", "line 1: it is (nested too|not JSON)"),
    "bytes": (b'{"epoch": 1, "\xff": 1}\n', "line 1: it is not JSON .*utf-8"),
    "zeros": (b"\0" * 100 + b"\n", "line 1: it is not JSON"),
    "long": (b'{"epoch": 1, "a": ' + b" " * (1 << 20) + b"1}\n", "line 1: it is longer than"),
    "long end": (b'{"epoch": 1}\n{"a": "' + b"x" * (1 << 20), "line 2: it is longer than"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_name_the_line(case, tmp_path):
    text, message = ERRORS[case]
    path = write(tmp_path / "history.jsonl", text)
    with pytest.raises(HistoryError, match=message) as caught:
        read_history(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400


def damaged(rng):
    """The text of a history with one to three kinds of damage."""
    data = bytearray(TEXT)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            del data[at:]
        elif kind == 1 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at:at] = rng.randbytes(rng.randrange(20))
        elif kind == 3:
            data += data[at:]
        elif kind == 4:
            del data[at : at + rng.randrange(30)]
        else:
            piece = rng.choice([b"[" * 3000, b'{"a":' * 3000, b"9" * 6000, b"\n" * 9, b"\0" * 999])
            data[at:at] = piece
    return bytes(data)


def test_ten_thousand_damaged_files():
    """Each is read, or refused with the line number."""
    rng = random.Random(0)
    read = refused = 0
    for _ in range(10_000):
        try:
            rows = list(parse_rows(io.BytesIO(damaged(rng)), "history.jsonl"))
        except HistoryError as error:
            refused += str(error).startswith("history.jsonl, line ") and len(str(error)) < 600
        else:
            epochs = [row["epoch"] for row in rows if "step" not in row]
            assert epochs == sorted(set(epochs))
            figures = [v for row in rows for k, v in row.items() if k not in ("epoch", "step")]
            assert all(type(v) is float for v in figures)
            read += 1
    assert read + refused == 10_000
    assert min(read, refused) > 1000


@pytest.mark.parametrize("piece", [b'{"epoch": 1, "a": [', b"[", b'{"a":', b"1", b"\0", b"\n"])
def test_no_more_memory_than_the_file_warrants(piece, tmp_path):
    path = write(tmp_path / "history.jsonl", piece * (20_000_000 // len(piece)))
    tracemalloc.start()
    try:
        with pytest.raises(HistoryError, match="line 1: "):
            read_history(path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
