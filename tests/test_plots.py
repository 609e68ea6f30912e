"""Figures: they show the given data, files are complete, and nothing is left behind."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet import models, nn, training
from tinynet.report import figures, layers
from tinynet.report.curves import quantities

matplotlib = pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'tinynet[train]'")
RNG = np.random.default_rng(3)
FEW = settings(max_examples=15)  # a figure takes a twentieth of a second

HISTORY = [
    {"epoch": 1, "loss": 0.4, "accuracy": 0.87, "test_loss": 0.12, "lr": 2e-3, "seconds": 3.5},
    {"epoch": 2, "loss": 0.1, "accuracy": 0.96, "test_loss": 0.08, "lr": 1e-3, "seconds": 7.1},
]


def curve(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def pixels(figure, number=0):
    """The arrays passed to imshow."""
    return np.asarray(figure.axes[number].images[0].get_array())


def assert_tiles(sheet, expected):
    """The sheet shows these images, (rows, columns, height, width, 3 or 4), a pixel apart."""
    height, width, channels = expected.shape[2:]
    for row, column in np.ndindex(expected.shape[:2]):
        top, left = row * (height + 1), column * (width + 1)
        tile = sheet[top : top + height, left : left + width, :channels]
        np.testing.assert_allclose(tile, expected[row, column], atol=1e-6)


# --- curves ---


@FEW
@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={k: st.none() | st.floats() for k in ("loss", "test_loss", "val_loss")}
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_curve_is_the_history_and_what_is_not_finite_is_marked(rows):
    if not quantities(rows):
        with pytest.raises(ValueError, match=r"plot_curves: .* rows with no numbers"):
            training.plot_curves(rows)
        return
    (ax,) = training.plot_curves(rows).axes
    for key, label in {"loss": "training", "test_loss": "test", "val_loss": "validation"}.items():
        values = [row.get(key) for row in rows]
        if all(v is None for v in values):
            continue
        drawable = [v is not None and abs(v) < 1e300 for v in values]
        expected = [v if good else math.nan for v, good in zip(values, drawable, strict=True)]
        line = curve(ax, label)
        np.testing.assert_array_equal(line.get_ydata(), expected)
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, len(rows) + 1))
        bad = [i + 1 for i, v in enumerate(values) if v is not None and not drawable[i]]
        if bad:
            assert list(curve(ax, f"{label}: not finite").get_xdata()) == bad
        else:
            assert f"{label}: not finite" not in ax.get_legend_handles_labels()[1]


def test_each_quantity_has_a_panel_with_its_unit():
    rows = [{**row, "note": "warm-up", "done": True} for row in HISTORY]
    axes = training.plot_curves(rows).axes
    assert [ax.get_ylabel() for ax in axes] == [
        "loss (mean per example)", "accuracy (% of examples)", "learning rate",
        "time since the start (s)",
    ]  # fmt: skip
    assert all(ax.get_xlabel() == "epoch" for ax in axes)
    assert axes[1].yaxis.get_major_formatter()(0.25) in ("25", "25.0", "25.00")
    assert list(axes[1].lines[0].get_ydata()) == [0.87, 0.96]
    (only,) = training.plot_curves(rows, only=["lr"]).axes
    assert list(only.lines[0].get_ydata()) == [2e-3, 1e-3]
    with pytest.raises(ValueError, match=r"no numbers for \['recall'\]; there are \['loss'"):
        training.plot_curves(rows, only=["recall"])


def test_a_single_epoch_is_seen(tmp_path):
    """A line through one point is invisible; the marker is not."""
    figure = training.plot_curves(HISTORY[:1], only=["loss"])
    assert all(line.get_marker() != "None" for line in figure.axes[0].lines)
    training.save_figure(figure, tmp_path / "one.png")
    image = matplotlib.image.imread(tmp_path / "one.png")[..., :3]
    assert (np.abs(image - matplotlib.colors.to_rgb(figures.BLUE)).max(-1) < 0.02).sum() > 20


# --- confusion ---


@FEW
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_confusion_shows_every_count(size, seed):
    counts = np.random.default_rng(seed).integers(0, 50, (size, size))
    counts[0] = 0  # a class that does not occur
    figure = training.plot_confusion(counts)
    assert texts(figure) == [str(n) for n in counts.ravel()]
    assert [t.get_position() for t in figure.axes[0].texts] == [
        (j, i) for i in range(size) for j in range(size)
    ]
    cells = pixels(figure)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    np.testing.assert_allclose(cells[..., 3], np.sqrt(share))
    right = np.eye(size, dtype=bool)
    np.testing.assert_allclose(cells[right, :3], [matplotlib.colors.to_rgb(figures.BLUE)] * size)
    assert (cells[~right, :3] == matplotlib.colors.to_rgb(figures.ORANGE)).all()


def test_confusion_of_many_classes_has_no_numbers_and_few_ticks():
    figure = training.plot_confusion(np.eye(100, dtype=int))
    assert texts(figure) == []
    assert len(figure.axes[0].get_xticks()) == 25


def test_names_are_written_as_they_are(tmp_path):
    names = ["<b>", "$x^$", "two\nlines", "a name of many letters", "猫"]
    figure = training.plot_confusion(np.eye(5, dtype=int), names)
    shown = ["<b>", "$x^$", "two lines", "a name of man…", "猫"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == shown
    training.save_figure(figure, tmp_path / "c.png")  # a formula of "$x^$" would raise here
    svg = training.save_figure(figure, tmp_path / "c.svg").read_text()
    written = [e.text for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert set(shown) <= set(written)


@pytest.mark.parametrize("shape", [(2, 3), (0, 0), (4,)])
def test_confusion_must_be_square(shape):
    with pytest.raises(ValueError, match=f"plot_confusion: matrix has shape .{shape[0]}"):
        training.plot_confusion(np.zeros(shape))
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        training.plot_confusion(np.eye(2), ["a"])


# --- filters and feature maps ---


def normalised(values):
    """Blue to red, white at 0, by the formula of the colour bar."""
    top = np.abs(values).max()
    return matplotlib.colormaps["RdBu_r"]((values + top) / (2 * top))


@FEW
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_tiles_hold_the_images_and_nothing_else(count, height, columns, seed):
    given_images = np.random.default_rng(seed).random((count, height, 3, 4)) + 0.1
    sheet = layers.tiles(given_images, columns)
    empty = np.zeros((-count % columns, height, 3, 4))
    assert_tiles(sheet, np.concatenate([given_images, empty]).reshape(-1, columns, height, 3, 4))
    assert np.isclose(sheet.sum(), given_images.sum())


def test_filters_are_their_weights_on_one_scale():
    weight = RNG.standard_normal((6, 1, 5, 5)).astype("float32")
    figure = training.plot_filters(nn.Parameter(tn.tensor(weight)))
    assert_tiles(pixels(figure), normalised(weight.reshape(2, 3, 5, 5)))
    assert figure.axes[1].get_ylabel() == "weight"


def test_filters_of_three_channels_are_colours():
    weight = RNG.standard_normal((4, 3, 2, 2))
    expected = 0.5 + 0.5 * weight.transpose(0, 2, 3, 1) / np.abs(weight).max()
    assert_tiles(pixels(training.plot_filters(weight)), expected.reshape(2, 2, 2, 2, 3))


def test_filters_of_many_channels_are_a_table():
    weight = RNG.standard_normal((20, 5, 3, 3))
    figure = training.plot_filters(weight)
    assert_tiles(pixels(figure), normalised(weight[:16]).swapaxes(0, 1))
    assert figure.axes[0].get_xlabel() == "filter (the first 16 of 20)"
    assert figure.axes[0].get_ylabel() == "input channel"


def test_a_weight_that_is_nan_is_clear_and_hides_no_other():
    weight = RNG.standard_normal((2, 1, 2, 2))
    weight[0, 0, 0, 0], weight[1, 0, 0, 0] = math.nan, math.inf
    sheet = pixels(training.plot_filters(weight))
    clear = sheet[..., 3] == 0
    assert clear[0, 0]
    assert clear[0, 3]
    assert clear.sum() == 2 + 2
    for nothing in (np.zeros((2, 1, 2, 2)), np.full((2, 3, 2, 2), math.nan)):
        training.plot_filters(nothing)


def test_feature_maps_are_the_layers_outputs(device):
    tn.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout(0.5), nn.Conv2d(4, 2, 3), nn.Flatten())
    model.to(device)
    model[0].eval()  # modes that differ; the dropout would be seen
    image = RNG.random((1, 8, 8)).astype("float32")
    maps = training.feature_maps(model, image)
    assert list(maps) == ["0", "2"]
    x = tn.tensor(image[None], device=device)
    np.testing.assert_allclose(maps["0"], model[0](x).detach().numpy()[0], rtol=1e-6)
    np.testing.assert_allclose(maps["2"], model[2](model[0](x)).detach().numpy()[0], rtol=1e-5)
    assert [m.training for m in model.modules()] == [True, False, True, True, True]
    figure = training.plot_feature_maps(maps)
    assert_tiles(pixels(figure), normalised(maps["0"])[None])
    assert figure.axes[0].get_title() == "0: 4 maps, 6x6"


def test_feature_maps_of_chosen_layers():
    model = models.LeNet().double()
    maps = training.feature_maps(model, np.zeros((1, 28, 28)), ["conv2", "fc1"])
    assert {k: v.shape for k, v in maps.items()} == {"conv2": (16, 8, 8)}
    with pytest.raises(ValueError, match=r"no layers \['conv3'\] in LeNet; it has \['conv1'"):
        training.feature_maps(model, np.zeros((1, 28, 28)), ["conv3"])
    with pytest.raises(ValueError, match=r"image has shape \(28, 28\)"):
        training.feature_maps(model, np.zeros((28, 28)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: training.plot_filters(np.zeros((3, 3))),
        lambda: training.plot_filters(np.zeros((0, 1, 3, 3))),
        lambda: training.plot_feature_maps({"a": np.zeros((2, 2))}),
        lambda: training.plot_feature_maps({}),
        lambda: training.plot_mistakes(np.zeros((2, 2, 4, 4)), [0, 1], [0, 1]),
        lambda: training.plot_mistakes(np.zeros((2, 4, 4)), [0, 1], [0]),
        lambda: training.plot_mistakes(np.zeros((1, 4, 4)), [0], [2], names=["a", "b"]),
    ],
)
def test_other_shapes_are_refused_by_name(call):
    with pytest.raises(ValueError, match=r"shape|at least one|names for 3 classes"):
        call()


# --- mistakes ---


def test_the_worst_mistakes_come_first():
    true = RNG.integers(0, 10, 60)
    read = np.where(RNG.random(60) < 0.5, true, (true + 1) % 10)
    losses, shown = RNG.random(60), RNG.random((60, 1, 4, 4))
    wrong = np.flatnonzero(true != read)
    losses[wrong[3]] = math.nan
    others = np.delete(wrong, 3)
    expected = [wrong[3], *others[np.argsort(-losses[others])]][:8]
    figure = training.plot_mistakes(shown, true, read, losses, count=8)
    assert [ax.get_title() for ax in figure.axes] == [
        f"#{i}: {true[i]} → {read[i]}\nloss {losses[i]:.2f}" for i in expected
    ]
    for n, i in enumerate(expected):
        np.testing.assert_array_equal(pixels(figure, n), shown[i, 0])


def test_mistakes_in_colour_with_names_and_any_range():
    shown = RNG.standard_normal((3, 3, 4, 4)) * 5  # as after a normalisation
    shown[2] = 0.25  # of one colour, in [0, 1]
    figure = training.plot_mistakes(shown, [0, 1, 1], [1, 1, 0], names=["a cat", "a dog"])
    first = shown[0].transpose(1, 2, 0)
    np.testing.assert_allclose(
        pixels(figure), (first - first.min()) / (first.max() - first.min()), atol=1e-12
    )
    assert (pixels(figure, 1) == 0.25).all()
    assert figure.axes[0].get_title() == "#0:\na cat\n→ a dog"
    shown = np.full((1, 3, 4, 4), 7.0)  # of one colour, in another range
    assert (pixels(training.plot_mistakes(shown, [0], [1])) == 0).all()


@pytest.mark.parametrize(
    ("read", "count", "said"), [([1, 0], 0, []), ([0, 1], 20, ["no mistakes in 2 examples"])]
)
def test_no_mistake_is_shown_if_there_is_none_or_none_is_asked_for(read, count, said):
    figure = training.plot_mistakes(np.zeros((2, 4, 4)), [0, 1], read, count=count)
    assert not any(ax.get_title() or ax.images for ax in figure.axes)
    assert [t.get_text() for t in figure.texts] == said


# --- files ---


def some_figure():
    return training.plot_confusion([[3, 1], [0, 2]])


def test_files_are_png_and_svg_and_the_same_each_time(tmp_path):
    png = training.save_figure(some_figure(), tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    assert matplotlib.image.imread(tmp_path / "a.png").shape[:2] == (690, 690)
    svg = training.save_figure(some_figure(), tmp_path / "a.SVG").read_bytes()
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert b"<metadata" not in svg
    assert b"<dc:date" not in svg
    for path, content in (("b.png", png), ("b.svg", svg)):
        assert training.save_figure(some_figure(), tmp_path / path).read_bytes() == content
    with pytest.raises(ValueError, match=r"'a.pdf' must end in \.png or \.svg"):
        training.save_figure(some_figure(), tmp_path / "a.pdf")


def test_the_user_s_settings_neither_matter_nor_change(tmp_path):
    plain = training.save_figure(some_figure(), tmp_path / "a.svg").read_bytes()
    with matplotlib.rc_context({"text.color": "red", "font.size": 30, "xtick.labelsize": 30}):
        before = dict(matplotlib.rcParams)
        assert training.save_figure(some_figure(), tmp_path / "b.svg").read_bytes() == plain
        assert dict(matplotlib.rcParams) == before


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    path = training.save_figure(some_figure(), tmp_path / "a.svg")
    old = path.read_bytes()

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="No space"):
        training.save_figure(training.plot_curves(HISTORY), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.svg"]


def test_no_window_is_needed_or_chosen(tmp_path):
    code = f"""
import sys
from tinynet import training
assert "matplotlib" not in sys.modules
training.save_figure(training.plot_confusion([[1]]), {str(tmp_path / "a.png")!r})
print("matplotlib.pyplot" in sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout == "False\n", out.stderr


@pytest.mark.parametrize(
    "draw",
    [
        lambda: training.plot_curves([{"loss": 9e299, "lr": 5e-324}, {"loss": -9e299, "lr": 0}]),
        lambda: training.plot_curves([{"accuracy": 1e200}, {"accuracy": math.nan}]),
        lambda: training.plot_curves([{"epoch": math.nan, "loss": 1.0}, {"epoch": 2, "loss": 1.0}]),
        lambda: training.plot_confusion([[math.nan, 1], [1e5, 2.5]]),
        lambda: training.plot_filters(np.array([1e308, -1e308, 1e-310]).reshape(3, 1, 1, 1)),
        lambda: training.plot_filters(np.full((2, 3, 1, 9), math.inf)),
        lambda: training.plot_feature_maps({"x": np.full((3, 2, 2), math.nan)}),
        lambda: training.plot_mistakes(np.full((1, 2, 2), [-1e308, 1e308]), [0], [1], [math.inf]),
    ],
)
def test_extreme_numbers_can_be_drawn_without_a_warning(draw, tmp_path):
    for name in ("a.png", "a.svg"):
        training.save_figure(draw(), tmp_path / name)
