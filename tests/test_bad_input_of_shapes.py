"""What the functions of shapes, positions and creation say to arguments that they cannot take:
a result, or an error that begins with the function's name and uses no word of NumPy's."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import tinynet as tn
from tinynet import creation, sampling, sequences
from tinynet.functions import (
    changing,
    cutting,
    diagonals,
    drawing,
    gathering,
    masking,
    promoting,
    repeating,
    scattering,
    shaping,
    stacking,
)  # fmt: skip

PARTS = [changing, cutting, diagonals, drawing, gathering, masking, promoting, repeating,
         scattering, shaping, stacking, creation, sequences, sampling]  # fmt: skip
INTERNAL = re.compile(
    r"\b(ufunc|numpy\.|np\.|_data|NoneType|ndarray|tuple index|has no attribute|Value)\b"
)
X = tn.tensor(np.arange(6.0).reshape(2, 3), "float32")
BAD = [None, "a", [[1], [1, 2]], np.float64(2.5), np.int64(1), -1, True, tn.zeros(2, 3),
       tn.zeros(0), object(), np.array(["a"]), 1j, (0, 0), (None,), float("nan")]  # fmt: skip
GOOD = {
    "input": X, "dim": 0, "dim0": 0, "dim1": 1, "index": [[0]], "indices": ([0],), "src": X,
    "source": X, "values": X, "mask": X > 0, "other": X, "reduce": "sum", "size": (2, 3),
    "shape": (3, 2), "sizes": (2,), "dimension": 0, "start": 0, "split_sizes": [1, 1],
    "dims": (0,), "axis0": 0, "axis1": 1, "destination": 0, "n": 3, "end": 3, "steps": 3,
    "tensor1": X, "tensor2": X, "type1": "float32", "type2": "int64", "from_": "float32",
    "to": "float32", "tensors": [X, X], "ndarray": np.zeros(2), "bounds": 3, "shapes": (2, 3),
}  # fmt: skip
FUNCTIONS = {
    name: f
    for part in PARTS
    for name, f in vars(part).items()
    if getattr(f, "__wrapped__", None) is not None and f.__module__ == part.__name__
}


def calls(f):
    """Arguments with one of them bad."""
    parameters = inspect.signature(f).parameters.values()
    places = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    good = [GOOD.get(p.name, 1 if p.default is p.empty else p.default) for p in places]
    for k in range(len(good)):
        for bad in BAD:
            yield [*good[:k], bad, *good[k + 1 :]], {}
    for p in parameters:
        if p.kind == p.KEYWORD_ONLY and p.name != "generator":
            for bad in BAD:
                yield good, {p.name: bad}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_bad_input_is_named(name):
    said = []
    for args, options in calls(FUNCTIONS[name]):
        try:
            FUNCTIONS[name](*args, **options)
        except (TypeError, ValueError, IndexError, RuntimeError) as error:
            said.append(str(error))
    assert [t for t in said if not t.startswith(name) or INTERNAL.search(t)] == []


def test_the_walk_reaches_every_function():
    assert len(FUNCTIONS) > 120
