"""L1 and L2 in sight: their sums, and weight decay as a term of the loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import nn, optim
from tinynet.functional import cross_entropy, l1_penalty, l2_penalty


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=1), min_size=1, max_size=4))
def test_sums_by_loops(rows):
    tensors = [tn.tensor(np.array(row)) for row in rows]
    numbers = [x for row in rows for x in row]
    assert l1_penalty(tensors).item() == pytest.approx(sum(abs(x) for x in numbers))
    assert l2_penalty(iter(tensors)).item() == pytest.approx(sum(x * x for x in numbers))
    assert l1_penalty(tensors[0]).item() == pytest.approx(sum(abs(x) for x in rows[0]))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_half_the_l2_penalty_is_weight_decay(momentum):
    rng = np.random.default_rng(0)
    x, y = tn.tensor(rng.normal(size=(8, 5))), tn.tensor(rng.integers(0, 3, 8))
    decay, ends = 0.03, []
    for in_the_loss in (False, True):
        tn.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
        options = {"lr": 0.1, "momentum": momentum, "weight_decay": 0.0 if in_the_loss else decay}
        optimizer = optim.SGD(model.parameters(), **options)
        for _ in range(20):
            loss = cross_entropy(model(x), y)
            if in_the_loss:
                loss = loss + decay / 2 * l2_penalty(model.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        ends.append(np.concatenate([p.ravel() for p in model.state_dict().values()]))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12, atol=1e-14)


def test_errors():
    parameters = nn.Linear(2, 2).parameters()
    l1_penalty(parameters)
    with pytest.raises(
        ValueError, match=r"l2_penalty: parameters is empty.*exhausted after one pass"
    ):
        l2_penalty(parameters)
    with pytest.raises(TypeError, match="l1_penalty: parameter 1 is a float"):
        l1_penalty([tn.ones(2), 3.0])
