"""The two networks for CIFAR-10: computed sizes, names, and both learn."""

from __future__ import annotations

import pathlib
import re
import sys

import numpy as np
import pytest

import tinynet as tn
from tinynet import models, nn, optim
from tinynet.functional import cross_entropy
from tinynet.training import summary

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from benchmarks import networks

NAMES = ("CifarCNN", "CifarLeNet")


def batch(n=8):
    rng = np.random.default_rng(0)
    return tn.tensor(rng.standard_normal((n, 3, 32, 32), dtype="float32")), tn.arange(n)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_the_docstring_is_what_happens(name):
    model = getattr(models, name)()
    found = summary(model, (3, 32, 32))
    rows = [line.split("|")[1:-1] for line in type(model).__doc__.splitlines() if "| " in line]
    said = [[cell.strip() for cell in row] for row in rows if re.match(" (conv|fc)", row[0])]
    for (layer, output, *numbers), row in zip(said, found.layers, strict=True):
        assert layer.split(",")[0] == row.name
        assert output == f"(N, {', '.join(map(str, row.output_shapes[0]))})"
        assert numbers == [f"{row.parameters:,}", f"{row.multiply_adds:,}"]
    total = f"{found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds"
    assert total in type(model).__doc__
    keys = [f"{row.name}.{part}" for row in found.layers for part in ("weight", "bias")]
    assert list(model.state_dict()) == keys
    assert model(batch(5)[0]).shape == (5, 10)
    assert getattr(models, name)(num_classes=3)(batch(2)[0]).shape == (2, 3)


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


@pytest.mark.parametrize("name", NAMES)
def test_an_image_s_logits_do_not_depend_on_its_neighbours(name):
    """What the document's `view` would break for images of another size."""
    model = getattr(models, name)()
    x, _ = batch(4)
    with tn.no_grad():
        alone = [model(x[i : i + 1]).numpy() for i in range(4)]
        np.testing.assert_allclose(model(x).numpy(), np.concatenate(alone), atol=1e-5)
    with pytest.raises(ValueError, match=r"400|1024"):
        model(tn.zeros(4, 3, 40, 40))


@pytest.mark.parametrize("name", NAMES)
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
