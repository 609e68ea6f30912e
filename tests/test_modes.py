"""The switches of recording, and what is refused."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading

import numpy as np
import pytest
from test_autograd import leaf

import tinynet as tn

# --- modes ---------------------------------------------------------------------------------------


def test_no_grad_nests_decorates_and_ends_on_errors():
    x = leaf(1.0)
    with tn.no_grad():
        assert not (x * 2).requires_grad
        with tn.enable_grad():
            assert (x * 2).requires_grad
        assert not tn.is_grad_enabled()
    with pytest.raises(KeyError), tn.no_grad():
        raise KeyError
    assert (x * 2).requires_grad

    @tn.no_grad()
    def evaluate(n):
        return evaluate(n - 1) if n else (x * 2).requires_grad

    assert evaluate(2) is False
    with pytest.raises(TypeError, match="batches is a generator"):

        @tn.no_grad()
        def batches():
            yield 1

    assert tn.is_grad_enabled()


def test_other_forms_of_the_switch():
    x = leaf(1.0)

    @tn.no_grad
    def without_brackets():
        return (x * 2).requires_grad

    assert without_brackets() is False
    with tn.inference_mode():
        assert not tn.is_grad_enabled()
        with tn.inference_mode(False):
            assert tn.is_grad_enabled()
    with tn.set_grad_enabled(False):
        assert not tn.is_grad_enabled()
        tn.set_grad_enabled(True)
        assert tn.is_grad_enabled()
    assert tn.is_grad_enabled()
    decorated = tn.set_grad_enabled(False)(lambda: tn.is_grad_enabled())
    assert tn.is_grad_enabled()
    assert decorated() is False
    tn.set_grad_enabled(False)
    assert not tn.is_grad_enabled()
    tn.set_grad_enabled(True)


def test_modes_belong_to_an_asyncio_task():
    seen = []

    async def task(first, second):
        with tn.no_grad():
            await first.wait()
            seen.append(tn.is_grad_enabled())
        second.set()
        seen.append(tn.is_grad_enabled())

    async def main():
        a, b, c = (asyncio.Event() for _ in range(3))
        tasks = [asyncio.create_task(task(a, b)), asyncio.create_task(task(b, c))]
        await asyncio.sleep(0)
        seen.append(tn.is_grad_enabled())
        a.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert seen == [True, False, True, False, True]


def test_modes_belong_to_a_thread():
    results = []
    with tn.no_grad():
        thread = threading.Thread(target=lambda: results.append(tn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert results == [True]


# --- errors --------------------------------------------------------------------------------------


def test_backward_needs_a_number_or_a_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"backward: the output has shape \(2,\).*\.sum\(\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"gradient has shape \(3,\), but the output has \(2,\)"):
        (x * 2).backward(tn.ones(3, dtype="float64"))
    with pytest.raises(ValueError, match="gradient has shape float"):
        (x * 2).backward(1.0)


def test_backward_without_a_graph_says_why():
    with pytest.raises(RuntimeError, match="does not require a gradient: none of its inputs"):
        tn.tensor(1.0).backward()
    with pytest.raises(RuntimeError, match="input 0 does not require a gradient"):
        tn.grad(leaf(1.0) * 2, tn.tensor(1.0))
    with pytest.raises(ValueError, match="2 grad_outputs for 1 outputs"):
        tn.grad(leaf(1.0) * 2, leaf(1.0), [None, None])


CHANGES = {
    "data +=": lambda x: setattr(x, "data", x.data + 1),
    "data[...]": lambda x: x.detach().__setitem__(0, 9.0),
    "add_": lambda x: x.add_(1.0),
    "a Parameter of the same memory": lambda x: tn.nn.Parameter(x).add_(1.0),
    "mul_ of a detached view": lambda x: x.detach().mul_(2.0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_was_kept_must_not_change_before_backward(change):
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with tn.no_grad():
        change(x)
    with pytest.raises(RuntimeError, match=r"`[ab]` .*mul, was changed in place"):
        y.backward()


def test_a_kept_output_must_not_change_either():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.data = y.data + 1
    with pytest.raises(RuntimeError, match=r"`y` .*exp, was changed in place"):
        y.sum().backward()
    # a change of what no rule needs is nobody's business
    z = x + 1
    z.data = z.data + 1
    z.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_assignment_to_a_tracked_tensor_names_the_alternative():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"item assignment.*tinynet\.where"):
        x[0] = 5.0
    y = x * 2
    with pytest.raises(RuntimeError, match="item assignment"), tn.no_grad():
        y[0] = 5.0
    with tn.no_grad():
        x[0] = 5.0
    assert x.tolist() == [5, 2]


def test_integers_have_no_gradient():
    for data in ([1, 2], [True]):
        with pytest.raises(TypeError, match="has no gradient"):
            tn.tensor(data, requires_grad=True)
    x = leaf(1.0, 2.0)
    assert not (x > 1).requires_grad
    assert not x.argmax().requires_grad


def test_copies_leave_the_graph_behind():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    restored = pickle.loads(pickle.dumps(y))
    assert restored.grad_fn is None
    assert restored.tolist() == y.tolist()
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(y)
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert not np.shares_memory(twin.data, x.data)
