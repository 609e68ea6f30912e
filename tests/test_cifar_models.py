"""The two networks for CIFAR-10: computed sizes, names, and both learn."""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import pytest

import tinynet as tn
from tinynet import models, nn, optim
from tinynet.functional import cross_entropy
from tinynet.training import summary

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from benchmarks import networks

# of each layer: its name, numbers it reads for one output, outputs per place, places
LAYERS = {
    "CifarCNN": [
        ("conv1", 3 * 3 * 3, 32, 30 * 30),
        ("conv2", 32 * 3 * 3, 64, 13 * 13),
        ("conv3", 64 * 3 * 3, 64, 4 * 4),
        ("fc1", 64 * 4 * 4, 64, 1),
        ("fc2", 64, 10, 1),
    ],
    "CifarLeNet": [
        ("conv1", 3 * 5 * 5, 6, 28 * 28),
        ("conv2", 6 * 5 * 5, 16, 10 * 10),
        ("fc1", 16 * 5 * 5, 120, 1),
        ("fc2", 120, 84, 1),
        ("fc3", 84, 10, 1),
    ],
}


def batch(n=8):
    rng = np.random.default_rng(0)
    return tn.tensor(rng.standard_normal((n, 3, 32, 32), dtype="float32")), tn.arange(n)


@pytest.mark.parametrize("name", LAYERS)
def test_sizes_are_those_of_the_arithmetic(name):
    model = getattr(models, name)()
    layers = LAYERS[name]
    keys = [f"{layer}.{part}" for layer, *_ in layers for part in ("weight", "bias")]
    assert list(model.state_dict()) == keys
    found = summary(model, (3, 32, 32))
    assert [(row.name, row.parameters, row.multiply_adds) for row in found.layers] == [
        (layer, (reads + 1) * outputs, reads * outputs * places)
        for layer, reads, outputs, places in layers
    ]
    said = f"{found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds"
    assert said in type(model).__doc__
    assert model(batch(5)[0]).shape == (5, 10)
    assert getattr(models, name)(num_classes=3)(batch(2)[0]).shape == (2, 3)


@pytest.mark.parametrize("name", LAYERS)
def test_the_table_of_the_docstring_is_what_happens(name):
    model = getattr(models, name)()
    rows = {row.name: row for row in summary(model, (3, 32, 32)).layers}
    table = [line.split("|") for line in type(model).__doc__.splitlines() if "| " in line]
    said = {cells[1].split(",")[0].strip(): cells for cells in table}
    for name, row in rows.items():
        _, _, output, parameters, multiply_adds, _ = said[name]
        shape = "(N, " + ", ".join(map(str, row.output_shapes[0])) + ")"
        assert output.strip() == shape
        assert parameters.strip() == f"{row.parameters:,}"
        assert multiply_adds.strip() == f"{row.multiply_adds:,}"


def test_the_benchmarks_take_the_same_network():
    x, _ = batch(2)
    model = models.CifarCNN()
    layers = networks.build(nn, networks.CIFAR)
    values = model.state_dict().values()
    layers.load_state_dict(dict(zip(layers.state_dict(), values, strict=True)))
    np.testing.assert_array_equal(layers(x).detach().numpy(), model(x).detach().numpy())
    sizes = [size for size in networks.sizes(networks.CIFAR, (3, 32, 32)) if size.parameters]
    rows = summary(model, (3, 32, 32)).layers
    assert [(s.parameters, s.multiply_adds) for s in sizes] == [
        (row.parameters, row.multiply_adds) for row in rows
    ]


@pytest.mark.parametrize("name", LAYERS)
def test_an_image_s_logits_do_not_depend_on_its_neighbours(name):
    """What the document's `view` would break for images of another size."""
    model = getattr(models, name)()
    x, _ = batch(4)
    with tn.no_grad():
        alone = [model(x[i : i + 1]).numpy() for i in range(4)]
        np.testing.assert_allclose(model(x).numpy(), np.concatenate(alone), atol=1e-5)
    with pytest.raises(ValueError, match=r"400|1024"):
        model(tn.zeros(4, 3, 40, 40))


@pytest.mark.parametrize("name", LAYERS)
def test_it_starts_near_a_guess_and_learns_a_batch_by_heart(name):
    tn.manual_seed(0)
    model = getattr(models, name)()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    x, y = batch(8)
    losses = []
    for _ in range(60):
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(np.log(10), rel=0.1)
    assert losses[-1] < 0.05
