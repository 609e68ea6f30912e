"""LeNet as a whole: memory, dtypes, devices, and real digits."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import tinynet as tn
from tinynet import autograd, data, models, optim, training
from tinynet.functional import cross_entropy

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=np.float64(0.1), momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=np.float64(1e-2)),
    "adamw": lambda p: optim.AdamW(p, lr=np.float64(1e-2), weight_decay=np.float64(0.1)),
    "rmsprop": lambda p: optim.RMSprop(p, lr=np.float64(1e-3), momentum=0.9),
}


def batch(n=16, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return rng.random((n, 1, 28, 28)).astype(dtype), rng.integers(0, 10, n)


def step(model, optimizer, x, y):
    loss = cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def test_lenet_is_the_network_of_its_table():
    model = models.LeNet()
    assert sum(p.numel() for p in model.parameters()) == 34_622
    shapes, x = [], tn.tensor(batch(3)[0])
    for layer in (model.conv1, model.conv2):
        x = layer(x)
        shapes.append(x.shape)
        x = tn.functional.max_pool2d(x, 2)
        shapes.append(x.shape)
    assert shapes == [(3, 6, 24, 24), (3, 6, 12, 12), (3, 16, 8, 8), (3, 16, 4, 4)]
    assert model(tn.tensor(batch(3)[0])).shape == (3, 10)


def test_it_starts_near_the_loss_of_a_guess_and_can_learn_a_batch_by_heart():
    tn.manual_seed(0)
    model = models.LeNet()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    x, y = (tn.tensor(a) for a in batch(16))
    first = step(model, optimizer, x, y).item()
    assert first == pytest.approx(np.log(10), rel=0.1)
    for _ in range(100):
        last = step(model, optimizer, x, y).item()
    assert last < 0.01


class Dtypes(autograd.Watcher):
    """The dtypes of what operations and rules return."""

    def __init__(self):
        self.seen = []

    def operation(self, op, args, options):
        out = super().operation(op, args, options)
        self.seen.append((op.name, out.dtype.name))
        return out

    def rule(self, node, edge, gy, create_graph):
        g = super().rule(node, edge, gy, create_graph)
        self.seen.append((f"gradient of {node.op.name}", g.dtype.name))
        return g


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_array_of_a_float32_step_is_float32(name):
    model = models.LeNet()
    optimizer = OPTIMIZERS[name](model.parameters())
    x, y = (tn.tensor(a) for a in batch(4))
    with Dtypes() as watcher:
        for _ in range(2):
            step(model, optimizer, x, y)
    assert len(watcher.seen) > 60
    assert {dtype for _, dtype in watcher.seen} == {"float32"}
    state = optimizer.state_dict()["state"]
    arrays = [a for slots in state.values() for a in slots.values() if isinstance(a, np.ndarray)]
    assert {a.dtype.name for a in arrays if a.ndim} == {"float32"}
    assert all(p.dtype == np.float32 for p in model.parameters())


@pytest.mark.parametrize("steps", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_memory_is_flat_without_the_collector(steps):
    model = models.LeNet()
    optimizer = optim.Adam(model.parameters())
    x, y = (tn.tensor(a) for a in batch(2))
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(20):
            step(model, optimizer, x, y)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            step(model, optimizer, x, y)
        # there is no cycle to collect; the call empties Python's own stock of small tuples
        assert gc.collect() == 0
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    # one object of 50 bytes forgotten in each step would be more
    assert after - before < 40 * steps


def losses(device, name, dtype, steps):
    tn.manual_seed(1)
    model = models.LeNet().to(device).to(dtype)
    optimizer = OPTIMIZERS[name](model.parameters())
    x, y = batch(8, dtype=dtype)
    x, y = tn.tensor(x, device=device), tn.tensor(y, device=device)
    return [step(model, optimizer, x, y).item() for _ in range(steps)]


# Adam and RMSprop divide a gradient by its own size, so that the rounding of one near 0, in which
# devices differ, grows with each step: after 20 in float32 the losses may differ by 1e-2.
ON_BOTH_DEVICES = pytest.mark.parametrize(
    ("dtype", "steps", "rtol"), [("float32", 10, 1e-4), ("float64", 20, 1e-8)]
)


@ON_BOTH_DEVICES
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("device", ["cuda"], indirect=True)
def test_steps_are_the_same_on_either_device(device, name, dtype, steps, rtol):
    here, there = losses("cpu", name, dtype, steps), losses(device, name, dtype, steps)
    np.testing.assert_allclose(there, here, rtol=rtol)


@pytest.mark.gpu
@ON_BOTH_DEVICES
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_the_same_on_a_real_gpu(gpu, name, dtype, steps, rtol):
    here, there = losses("cpu", name, dtype, steps), losses(gpu, name, dtype, steps)
    np.testing.assert_allclose(there, here, rtol=rtol)


@pytest.mark.gpu
def test_weights_come_back_from_a_real_gpu(gpu, tmp_path):
    model = models.LeNet().to(gpu)
    np.savez(tmp_path / "w.npz", **model.state_dict())
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        models.LeNet().load_state_dict(dict(saved))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_results_do_not_change_from_run_to_run(name, dtype):
    first, second = (losses("cpu", name, dtype, 10) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("number", "rate", "size", "accuracy"),
    [(4000, 3e-3, 32, 0.9), pytest.param(30_000, 2e-3, 64, 0.97, marks=pytest.mark.long)],
)
def test_mnist_in_part(mnist_root, number, rate, size, accuracy):
    """A number of digits seen once, with which wrong gradients do not reach this accuracy."""
    tn.manual_seed(0)
    images, labels = data.mnist(mnist_root, train=True)
    model = models.LeNet()
    optimizer = optim.Adam(model.parameters(), lr=rate)
    for x, y in data.DataLoader(images[:number], labels[:number], batch_size=size, shuffle=True):
        step(model, optimizer, tn.tensor(x), tn.tensor(y))
    test = data.DataLoader(*data.mnist(mnist_root, train=False), batch_size=500)
    assert training.evaluate(model, test).accuracy > accuracy
