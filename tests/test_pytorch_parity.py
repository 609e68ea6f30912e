"""The same numbers as PyTorch: every layer, loss, optimizer and schedule, in float64.

Weights go from PyTorch's state_dict to ours and back without a map.
"""

from __future__ import annotations

import numpy as np
import pytest
from layer_cases import LAYERS, LOGITS, LOSSES, OTHERS, TARGETS

import tinynet as tn
from tinynet import nn, optim
from tinynet.optim import lr_scheduler

torch = pytest.importorskip("torch")

EXACT = {"rtol": 1e-10, "atol": 1e-12}


def both(expression):
    """The module of PyTorch's and ours, in float64, with PyTorch's weights."""
    torch.manual_seed(1)
    theirs = eval(expression, dict(vars(torch.nn))).double()
    ours = eval(expression, dict(vars(nn))).double()
    with torch.no_grad():
        for p in theirs.parameters():
            p += torch.randn_like(p) * 0.1  # also where the initial value is 0 or 1
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    return theirs, ours


def compare(ours, theirs, **tolerance):
    assert ours.shape == tuple(theirs.shape)
    tolerance = tolerance or EXACT
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), **tolerance)


@pytest.mark.parametrize(("expression", "shape"), LAYERS, ids=[e for e, _ in LAYERS])
def test_layers(expression, shape):
    theirs, ours = both(expression)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    rng = np.random.default_rng(2)
    for _ in range(3):  # running statistics move
        x = rng.normal(size=shape)
        x1, x2 = tn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y1, y2 = ours(x1), theirs(x2)
        compare(y1, y2)
        gy = rng.normal(size=y1.shape)
        y1.backward(tn.tensor(gy))
        y2.backward(torch.tensor(gy))
        # PyTorch's gradient of hardsigmoid has 1/6 in float32
        compare(x1.grad, x2.grad, **({"rtol": 1e-7} if "Hardsigmoid" in expression else {}))
        for p1, p2 in zip(ours.parameters(), theirs.parameters(), strict=True):
            compare(p1.grad, p2.grad)
    for (name, b1), (_, b2) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert (name, str(b1.dtype)) == (name, str(b2.dtype).removeprefix("torch."))
        compare(b1, b2)
    compare(ours.eval()(tn.tensor(x)), theirs.eval()(torch.tensor(x)))


@pytest.mark.parametrize("expression", [e for e, _ in LAYERS])
def test_state_goes_back_and_repr_is_alike(expression):
    theirs, ours = both(expression)
    for p in [*ours.parameters(), *ours.buffers()]:
        p.data = p.data + 3
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    for name, value in theirs.state_dict().items():
        assert np.array_equal(value.numpy(), ours.state_dict()[name])
    if "Pool" not in expression:  # options that are not here
        assert repr(ours) == repr(theirs)


def test_embedding():
    theirs, ours = both("Embedding(5, 3)")
    index = np.array([[1, 4, 1], [0, 1, 2]])
    y1, y2 = ours(tn.tensor(index)), theirs(torch.tensor(index))
    compare(y1, y2)
    (y1 * y1).sum().backward()
    (y2 * y2).sum().backward()
    compare(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize(("expression", "kind"), LOSSES, ids=[e for e, _ in LOSSES])
def test_losses(expression, kind):
    x, target = LOGITS, TARGETS[kind]
    theirs, ours = both(expression)
    x1, x2 = tn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y1, y2 = ours(x1, tn.tensor(target)), theirs(x2, torch.tensor(target))
    compare(y1, y2)
    y1.sum().backward()
    y2.sum().backward()
    compare(x1.grad, x2.grad)


@pytest.mark.parametrize(("expression", "arguments"), OTHERS, ids=[e for e, _ in OTHERS])
def test_layers_of_several_arguments(expression, arguments):
    theirs, ours = both(expression)
    given = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arguments]
    y1 = ours(*given)
    wanted = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arguments]
    y2 = theirs(*wanted)
    compare(y1, y2)
    assert repr(ours) == repr(theirs)
    y1.sum().backward()
    y2.sum().backward()
    for a, b in zip(given, wanted, strict=True):
        if b.grad is not None:
            compare(a.grad, b.grad)


WEIGHTS = torch.tensor([0.3, 1.0, 2.0], dtype=torch.float64)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss"])
def test_weights_of_classes(name):
    target = TARGETS["shares" if name.startswith("BCE") else "labels"]
    options = {"pos_weight": WEIGHTS} if name.startswith("BCE") else {}
    theirs = getattr(torch.nn, name)(WEIGHTS, **options)
    plain = {key: tn.tensor(w.numpy()) for key, w in options.items()}
    ours = getattr(nn, name)(tn.tensor(WEIGHTS.numpy()), **plain)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    compare(ours(tn.tensor(LOGITS), tn.tensor(target)),
            theirs(torch.tensor(LOGITS), torch.tensor(target)))  # fmt: skip


def test_embedding_bag():
    for mode in ("mean", "sum", "max"):
        theirs, ours = both(f"EmbeddingBag(5, 3, mode={mode!r}, padding_idx=2)")
        index, offsets = np.array([1, 4, 1, 2, 0]), np.array([0, 2, 2])
        y1 = ours(tn.tensor(index), tn.tensor(offsets))
        y2 = theirs(torch.tensor(index), torch.tensor(offsets))
        compare(y1, y2)
        (y1 * y1).sum().backward()
        (y2 * y2).sum().backward()
        compare(ours.weight.grad, theirs.weight.grad)
        assert repr(ours) == repr(theirs)


OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.9), "weight_decay": 0.2}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.0}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.05, "centered": True}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.5, "centered": True, "weight_decay": 0.1}),
]
OPTIMIZERS += [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "lr": 0.1, "maximize": True}),
    ("AdamW", {"amsgrad": True, "lr": 0.1, "foreach": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    ("Adadelta", {"weight_decay": 0.1, "rho": 0.8}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.8), "weight_decay": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.9, 0.95), "weight_decay": 0.1}),
    ("RAdam", {"betas": (0.9, 0.95), "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {"lambd": 0.1, "t0": 4, "weight_decay": 0.1}),
    ("Rprop", {}),
]
SHAPES = [(3, 4), (), (5,), (2, 3, 2)]


def pairs_of_parameters():
    values = [np.random.default_rng(i).normal(size=s) for i, s in enumerate(SHAPES)]
    return (
        [nn.Parameter(v.copy()) for v in values],
        [torch.nn.Parameter(torch.tensor(v)) for v in values],
    )


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_optimizers(name, options):
    """25 steps with a loss that bends, a gradient missing now and then, and a changed rate."""
    ours, theirs = pairs_of_parameters()
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(25):
        for optimizer in (a, b):
            optimizer.zero_grad()
            if step == 15:
                optimizer.param_groups[0]["lr"] *= 0.5
        for params in (ours, theirs):
            used = [p for i, p in enumerate(params) if (step + i) % 7 != 3]
            sum(((p.sin() * p).sum() + (p * (step % 3 - 1.0)).sum()) for p in used).backward()
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            compare(p, q)
    state, expected = a.state_dict()["state"], b.state_dict()["state"]
    for i in expected:
        for key, value in expected[i].items():
            if value is not None:
                np.testing.assert_allclose(state[i][key], np.asarray(value), **EXACT)
    # a state of PyTorch's loads as it is
    c = getattr(optim, name)(pairs_of_parameters()[0], **options)
    c.load_state_dict(b.state_dict())
    for i, entry in c.state_dict()["state"].items():
        for key, value in entry.items():
            if name != "SGD" or key != "step":
                np.testing.assert_allclose(value, np.asarray(expected[i][key]), rtol=1e-15)


def test_optimizer_groups():
    ours, theirs = pairs_of_parameters()
    a, b = (
        library.SGD([{"params": p[:2], "lr": 0.5}, {"params": p[2:], "momentum": 0.5}], lr=0.1)
        for library, p in ((optim, ours), (torch.optim, theirs))
    )
    for _ in range(5):
        for params in (ours, theirs):
            for p in params:
                p.grad = None
            sum((p * p).sum() for p in params).backward()
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        compare(p, q)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping(norm_type, max_norm):
    ours, theirs = pairs_of_parameters()
    for params in (ours, theirs):
        sum((p * p).sum() for p in params).backward()
    clip = (max_norm, norm_type)
    compare(nn.utils.clip_grad_norm_(ours, *clip), torch.nn.utils.clip_grad_norm_(theirs, *clip))
    for p, q in zip(ours, theirs, strict=True):
        compare(p.grad, q.grad)
    nn.utils.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    for p, q in zip(ours, theirs, strict=True):
        compare(p.grad, q.grad)


def sequence(s, o):
    return s.SequentialLR(o, [s.LinearLR(o, 0.2, 1.0, 4), s.CosineAnnealingLR(o, 8)], [4])


SCHEDULES = {
    "StepLR": lambda s, o: s.StepLR(o, 3, 0.5),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 5, 0.01),
    "LinearLR": lambda s, o: s.LinearLR(o),
    "LinearLR down": lambda s, o: s.LinearLR(o, 0.9, 0.2, 7),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    "SequentialLR": sequence,
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 1 - 0.1 / epoch),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5, 5], 0.5),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.3, 4),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 8, 1.5),
    "warm restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.01),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.3], 3, 2, "triangular2"),
    "CyclicLR of a function": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 3, scale_fn=lambda c: 1 / c, base_momentum=[0.7, 0.6]
    ),
    "CyclicLR of a power": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, [0.1, 0.5], 12),
    "OneCycleLR, three": lambda s, o: s.OneCycleLR(
        o, 0.1, epochs=3, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
    ),
    "chained": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 3), s.CosineAnnealingLR(o, 5, 0.01), s.ExponentialLR(o, 0.9)]
    ),
}


# PyTorch's SequentialLR calls its own step(epoch), which it has deprecated
@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    ours, theirs = pairs_of_parameters()
    a, b = (
        library.SGD([{"params": p[:2]}, {"params": p[2:], "lr": 0.3}], lr=0.1, momentum=0.5)
        for library, p in ((optim, ours), (torch.optim, theirs))
    )
    schedules = SCHEDULES[name](lr_scheduler, a), SCHEDULES[name](torch.optim.lr_scheduler, b)
    for _ in range(12):
        assert schedules[0].get_last_lr() == pytest.approx(
            schedules[1].get_last_lr(), rel=1e-12, abs=1e-15
        )
        for g, h in zip(a.param_groups, b.param_groups, strict=True):
            assert g["momentum"] == pytest.approx(h["momentum"], rel=1e-12)
        for optimizer, schedule in zip((a, b), schedules, strict=True):
            optimizer.step()
            schedule.step()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_reduce_on_plateau(mode, threshold_mode):
    ours, theirs = pairs_of_parameters()
    a, b = optim.SGD(ours, lr=0.1), torch.optim.SGD(theirs, lr=0.1)
    options = {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.01, "factor": 0.5,
               "patience": 1, "cooldown": 2, "min_lr": 0.02}  # fmt: skip
    pair = [s.ReduceLROnPlateau(o, **options)
            for s, o in ((lr_scheduler, a), (torch.optim.lr_scheduler, b))]  # fmt: skip
    for metric in np.random.default_rng(3).uniform(0.9, 1.0, 30).tolist():
        for schedule in pair:
            schedule.step(metric)
        assert pair[0].get_last_lr() == pytest.approx(pair[1].get_last_lr(), rel=1e-12)
    again = lr_scheduler.ReduceLROnPlateau(optim.SGD(ours, lr=0.1), **options)
    again.load_state_dict(pair[1].state_dict())
    assert again.best == pair[1].best


def test_initial_weights_spread_alike():
    """Not the same numbers, but the same bounds: the largest of 2,000 nearly reaches them."""
    tn.manual_seed(0)
    torch.manual_seed(0)
    for expression in ("Linear(50, 40)", "Conv2d(4, 40, 5, groups=2)"):
        theirs = eval(expression, dict(vars(torch.nn))).state_dict()
        ours = eval(expression, dict(vars(nn))).state_dict()
        for name, value in ours.items():
            assert value.shape == tuple(theirs[name].shape)
            rough = 0.02 if name == "weight" else 0.2
            assert np.abs(value).max() == pytest.approx(theirs[name].abs().max().item(), rel=rough)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain(
        "leaky_relu", 0.3
    )


def test_parameters_as_a_vector():
    theirs, ours = both("Sequential(Linear(2, 3), Linear(3, 1))")
    a = nn.utils.parameters_to_vector(ours.parameters())
    b = torch.nn.utils.parameters_to_vector(theirs.parameters())
    compare(a, b)
    (a * a).sum().backward()
    (b * b).sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        compare(p.grad, q.grad)
    nn.utils.vector_to_parameters(a.detach() * 2, ours.parameters())
    torch.nn.utils.vector_to_parameters(b.detach() * 2, theirs.parameters())
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        compare(p, q)
    for p in (1.0, 2.0, 3.0, float("inf")):
        norm = nn.utils.get_total_norm([q.grad for q in ours.parameters()], p)
        compare(norm, torch.nn.utils.get_total_norm([q.grad for q in theirs.parameters()], p))
    nn.utils.clip_grads_with_norm_(ours.parameters(), 0.5, norm)
    torch.nn.utils.clip_grads_with_norm_(theirs.parameters(), 0.5, torch.tensor(norm.item()))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match=r"vec has shape \(3,\), the parameters have 13 entries"):
        nn.utils.vector_to_parameters(tn.ones(3), ours.parameters())
    with pytest.raises(TypeError, match="parameter 0 is a int, not a Tensor"):
        nn.utils.clip_grad_norm_([3], 1.0)
