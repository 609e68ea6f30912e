"""L-BFGS: by hand, beside PyTorch, resumed to the bit, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet as tn
from tinynet import backend, nn, optim
from tinynet.optim.line_search import strong_wolfe


def parabola(p, optimizer):
    def closure():
        optimizer.zero_grad()
        loss = ((p - 3) ** 2).sum()
        loss.backward()
        return loss

    return closure


def test_lbfgs_by_hand(default_device):
    """(x - 3)^2 from 0: g = -6, t = 1 / 6; then y = 2, s = 1 give H = 1 / 2, and x = 1 + 4 / 2."""
    p = nn.Parameter(tn.tensor([0.0], dtype="float64"))
    optimizer = optim.LBFGS([p], max_iter=1)
    assert optimizer.step(parabola(p, optimizer)).item() == 9.0
    assert p.tolist() == [1.0]
    assert optimizer.step(parabola(p, optimizer)).item() == 4.0
    assert p.tolist() == [3.0]
    state = optimizer.state[p]
    assert (state["n_iter"], state["func_evals"], state["H_diag"], state["ro"]) == (
        2,
        2,
        0.5,
        [0.5],
    )
    assert optimizer.step(parabola(p, optimizer)).item() == 0.0
    assert p.tolist() == [3.0]  # the gradient is 0
    assert p.device == default_device


def test_the_line_search_by_hand():
    """t^2 - 2 t, of slope -2 at 0: 4 is too far, the cubic gives the minimum."""

    def evaluate(t):
        return t * t - 2 * t, np.array([2 * t - 2])

    d = np.ones(1)
    loss, g, t, evaluations = strong_wolfe(evaluate, 4.0, d, 1.0, 0.0, np.array([-2.0]), -2.0, 25)
    assert (loss, g.tolist(), t, evaluations) == (-1.0, [0.0], 1.0, 2)
    # 0.01 is too near: ten times as far, where the slope is -1.8 at last
    assert strong_wolfe(evaluate, 0.01, d, 1.0, 0.0, np.array([-2.0]), -2.0, 25)[2] == 0.1
    # no evaluation is left after the first: the better end
    assert strong_wolfe(evaluate, 4.0, d, 1.0, 0.0, np.array([-2.0]), -2.0, 0)[2] == 0.0


def problem(library):
    start = [np.array([-1.2, 1.0, 0.5, 2.0]), np.array([[0.5, -0.3], [0.2, 0.9]])]
    params = [library.tensor(a).requires_grad_() for a in start]

    def loss():
        x, w = params
        valley = 100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2
        return valley.sum() + ((w @ w - 1) ** 2).sum()

    return params, loss


def run(optimizer, loss, steps):
    found = []

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(steps):
        found.append(optimizer.step(closure).item())
    return found


OPTIONS = [
    {},
    {"lr": 0.01},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 5},
    {"lr": 0.1, "max_iter": 7, "history_size": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_pytorch(options):
    torch = pytest.importorskip("torch")
    (ours, loss), (theirs, their_loss) = problem(tn), problem(torch)
    a, b = optim.LBFGS(ours, **options), torch.optim.LBFGS(theirs, **options)
    np.testing.assert_allclose(run(a, loss, 4), run(b, their_loss, 4), rtol=1e-8)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-7)
    again = optim.LBFGS(ours, **options)
    again.load_state_dict(b.state_dict())
    mine, other = a.state_dict()["state"][0], again.state_dict()["state"][0]
    assert mine["n_iter"] == other["n_iter"]
    assert mine["func_evals"] == other["func_evals"]


@pytest.mark.parametrize("options", OPTIONS[1:4], ids=str)
def test_resumes_bitwise(options, tmp_path):
    params, loss = problem(tn)
    straight = optim.LBFGS(params, **options)
    run(straight, loss, 2)
    tn.save(straight.state_dict(), tmp_path / "state.safetensors")
    resumed, other_loss = problem(tn)
    for p, q in zip(resumed, params, strict=True):
        p.data = q.data.copy()
    again = optim.LBFGS(resumed, max_iter=3)
    again.load_state_dict(tn.load(tmp_path / "state.safetensors"))
    assert run(straight, loss, 2) == run(again, other_loss, 2)
    for p, q in zip(resumed, params, strict=True):
        assert np.array_equal(p.data, q.data)


def test_float16_and_missing_gradients():
    p = nn.Parameter(tn.tensor([0.0], dtype="float16"))
    q = nn.Parameter(tn.tensor([7.0], dtype="float16"))
    optimizer = optim.LBFGS([p, q])
    optimizer.step(parabola(p, optimizer))
    assert (p.tolist(), q.tolist(), p.dtype) == ([3.0], [7.0], np.float16)
    assert optimizer.state_dict()["state"][0]["d"].dtype == np.float32


P = nn.Parameter(tn.ones(2))
BAD = {
    "line_search_fn is 'armijo'": lambda: optim.LBFGS([P], line_search_fn="armijo"),
    "2 groups; give all parameters in one": lambda: optim.LBFGS(
        [{"params": [P]}, {"params": [nn.Parameter(tn.ones(1))]}]
    ),
    "they must be of one kind": lambda: optim.LBFGS([P, nn.Parameter(tn.ones(1, dtype="float64"))]),
    "LBFGS.step: give a function": lambda: optim.LBFGS([P]).step(),
    "max_iter is -1": lambda: optim.LBFGS([P], max_iter=-1),
    "the state lacks func_evals": lambda: optim.LBFGS([P]).load_state_dict(
        {"state": {0: {"n_iter": 0}}, "param_groups": []}
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_arguments_are_named(text):
    with pytest.raises(ValueError, match=text):
        BAD[text]()


BAD_STATES = {
    r"d has shape \(1,\), not \(8,\)": lambda s: s.update(d=np.ones(1)),
    "t has shape": lambda s: s.update(t=np.ones(2)),
    "the state lacks ro": lambda s: s.pop("ro"),
    "are of lengths": lambda s: s["ro"].pop(),
}


@pytest.mark.parametrize("text", BAD_STATES)
def test_bad_states_are_named_and_change_nothing(text):
    params, loss = problem(tn)
    optimizer = optim.LBFGS(params)
    run(optimizer, loss, 1)
    state = optimizer.state_dict()
    BAD_STATES[text](state["state"][0])
    other = optim.LBFGS(problem(tn)[0])
    with pytest.raises(ValueError, match=text):
        other.load_state_dict(state)
    assert other.state_dict()["state"] == {}


def test_a_read_only_parameter_is_refused_first():
    p = nn.Parameter(tn.tensor([0.0]))
    optimizer = optim.LBFGS([p])
    p.data.flags.writeable = False
    with pytest.raises(ValueError, match=r"LBFGS.step: parameter 0 of group 0 .* is read-only"):
        optimizer.step(parabola(p, optimizer))
    assert backend.device_of(p.data) == "cpu"
