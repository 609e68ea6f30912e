"""Every operation on the strict stand-in for CuPy: NumPy's numbers and dtypes, on the device.

The table is that of `test_ops_gradients`. Results, gradients and gradients of gradients are taken
on both devices; an operation that turns a device array into NumPy's, mixes the two, or asks for a
name that CuPy lacks, fails. Marked `gpu`, the same runs on a real GPU.
"""

from __future__ import annotations

from typing import Any

import cupy_standin
import numpy as np
import public_windows
import pytest
from op_case import joined
from op_cases import table

import tinynet as tn
import tinynet.functional as F
from tinynet import backend
from tinynet.ops import registry

TABLE = table()


def moved(a: Any, device: str) -> Any:
    """Move arrays among the options, an index or the argmax of pooling, to the device."""
    if isinstance(a, tuple):
        return tuple(moved(b, device) for b in a)
    return backend.to_device(a, device) if isinstance(a, np.ndarray) else a


def evaluate(name: str, k: int, device: str) -> list[Any]:
    """The result, the gradients, and the gradients of their products with random numbers."""
    case, rng = TABLE[name][k], np.random.default_rng(0)
    inputs = [tn.tensor(a, device=device) if isinstance(a, np.ndarray) else a for a in case.inputs]
    options = {key: moved(a, device) for key, a in case.options.items()}
    if name == "move":
        options = {"device": "cpu" if device == "cuda" else "cuda", "back": device}
    tracked = [x for x in inputs if isinstance(x, tn.Tensor) and x.dtype.kind == "f"]
    for x in tracked:
        x.requires_grad_()
    y = joined(registry()[name](*inputs, **options))
    if name != "move":
        assert y.device == device
    gy = tn.tensor(rng.standard_normal(y.shape), y.dtype, requires_grad=True, device=y.device)
    grads = tn.grad(y, tracked, gy, create_graph=True, allow_unused=True)
    assert [g.device for g in grads] == [device] * len(tracked)
    results = [y, *grads]
    seeds = [tn.tensor(rng.standard_normal(g.shape), g.dtype, device=g.device) for g in grads]
    if grads:
        second = tn.grad(grads, [*tracked, gy], seeds, allow_unused=True)
        results += [g for g in second if g is not None]
    return [backend.to_numpy(r.data) for r in results]


def agree(found: list[Any], wanted: list[Any]) -> None:
    assert len(found) == len(wanted)
    for f, w in zip(found, wanted, strict=True):
        assert (f.shape, f.dtype) == (w.shape, w.dtype)
        np.testing.assert_allclose(f, w, rtol=1e-10, atol=1e-12)


def check(name: str, device: str) -> None:
    for k in range(len(TABLE[name])):
        agree(evaluate(name, k, device), evaluate(name, k, "cpu"))


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
@pytest.mark.parametrize("name", registry())
def test_the_operation_gives_the_same_on_the_device(device, name):
    check(name, device)


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
@pytest.mark.parametrize("name", registry())
def test_an_older_cupy_will_do(device, name, monkeypatch):
    """One without `add.at`, which always writes C order."""
    cupy_standin.install(monkeypatch, add_at=False, order="C")
    check(name, device)


@pytest.mark.gpu
@pytest.mark.parametrize("name", registry())
def test_the_operation_gives_the_same_on_a_real_gpu(gpu, name):
    check(name, gpu)


IMAGE = np.random.default_rng(1).standard_normal((2, 4, 6, 5))
COMPOSED = {
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (4, 2)),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, (4, 2), True)[0],
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "avg_pool2d, rounded up": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
    "cross_entropy": lambda x: F.cross_entropy(
        x, tn.ones(2, 6, 5, device=x.device).long(), label_smoothing=0.1
    ),
    "dropout": lambda x: F.dropout(x, 0.3),
    "einsum": lambda x: tn.einsum("...ij,...kj->ik", x, x),
    "embedding": lambda x: F.embedding(tn.tensor([[1, 0, 1]], device=x.device), x[0, 0]),
    "gather": lambda x: x.gather(1, tn.tensor(np.array([[[[3]]]]), device=x.device)),
    "gelu": lambda x: F.gelu(x),
    "grid_sample": lambda x: F.grid_sample(x, x[..., :2], "bicubic", "reflection"),
    "interpolate": lambda x: F.interpolate(x, (3, 9), mode="nearest-exact"),
    "layer_norm": lambda x: F.layer_norm(x, (6, 5)),
    "max": lambda x: x.max(2)[0],
    "max_pool2d": lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
    "one_hot": lambda x: x * F.one_hot(tn.tensor([1, 0, 3, 4, 2, 0], device=x.device), 5).double(),
    "pad": lambda x: F.pad(x, (1, -1, 2, 0)),
    "same": lambda x: F.conv2d(x, x[:, :, :3, :2], padding="same"),
    "split": lambda x: x.split([1, 3], 1)[1],
    "std": lambda x: x.std((0, 2)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_give_the_same_on_the_device(device, name):
    results = []
    for where in (device, "cpu"):
        tn.manual_seed(0)
        x = tn.tensor(IMAGE, requires_grad=True, device=where)
        y = COMPOSED[name](x)
        (y * y).sum().backward()
        results.append([backend.to_numpy(y.data), backend.to_numpy(x.grad.data)])
    agree(*results)


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
@pytest.mark.parametrize("name", public_windows.FUNCTIONS)
def test_windows_give_the_same_on_the_device(device, name):
    f, inputs = public_windows.FUNCTIONS[name]
    results = []
    for where in (device, "cpu"):
        xs = [tn.tensor(x, requires_grad=True, device=where) for x in inputs]
        y = f(*xs)
        (y * y).sum().backward()
        results.append([backend.to_numpy(a.data) for a in (y, *(x.grad for x in xs))])
    agree(*results)


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
def test_modules_move_and_bring_their_state_back(device):
    from tinynet import models

    model = models.LeNet()
    before = model.state_dict()
    assert all(p.device == "cuda" for p in model.to("cuda").parameters())
    state = model.state_dict()
    assert all(type(a) is np.ndarray for a in state.values())
    assert all(np.array_equal(state[key], before[key]) for key in before)
    model.load_state_dict(before)
    assert all(p.device == "cpu" for p in model.cpu().parameters())
