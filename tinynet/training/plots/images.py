"""Images of what a network has learnt and seen: filters, feature maps, the worst mistakes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.creation import tensor
from tinynet.nn import Conv2d, Module
from tinynet.nn.evaluating import evaluating
from tinynet.tensor import Tensor
from tinynet.training.plots.confusion import class_names
from tinynet.training.plots.figures import as_array, drawable, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TILES = 64  # images shown of one layer, at most


def tiles(images: np.ndarray, columns: int) -> np.ndarray:
    """Images (N, H, W, 4) beside and under each other, one clear pixel between them.

    Returns:
        RGBA, shape (R H + R - 1, columns W + columns - 1, 4), R rows of images.
    """
    count, height, width, _ = images.shape
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 4))
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _shades(values: np.ndarray) -> tuple[np.ndarray, Any]:
    """Numbers as RGBA, and what a colour bar needs to say which is which.

    Blue through white to red, white at 0, where some are negative; else black to white.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    values = np.where(drawable(values), values, np.nan)
    finite = values[np.isfinite(values)]
    top = _largest(finite)
    signed = bool((finite < 0).any())
    colours = colormaps["RdBu_r" if signed else "gray"].with_extremes(bad=(0, 0, 0, 0))
    scale = ScalarMappable(Normalize(-top if signed else 0.0, top), colours)
    return np.asarray(colours(scale.norm(np.ma.masked_invalid(values)))), scale


def _largest(values: np.ndarray) -> float:
    """The largest size of a number, 1 if there is none but 0: what a scale ends at."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


def _show_tiles(ax: Axes, images: np.ndarray, columns: int) -> None:
    """Draw a sheet of tiles, with the number of the tile that each row begins with."""
    height, width = images.shape[1:3]
    ax.imshow(tiles(images, columns), interpolation="none")
    rows = math.ceil(len(images) / columns)
    ax.set_xticks(
        [i * (width + 1) + (width - 1) / 2 for i in range(columns)], list(map(str, range(columns)))
    )
    ax.set_yticks(
        [i * (height + 1) + (height - 1) / 2 for i in range(rows)],
        [str(i * columns) for i in range(rows)],
    )
    ax.tick_params(length=0, labelsize=8)
    ax.spines[:].set_visible(False)
    if len(images) == 1:
        ax.set(xticks=[], yticks=[])


def plot_filters(weight: Any) -> Figure:
    """The filters of a convolution as images.

    Filters of one input channel are drawn side by side; of three as colours, grey being 0; of
    another number as a table with a column for each filter, a row for each input channel. All
    have one scale. Of many the first 64 are shown, or the first 16 by 16.

    Args:
        weight: (OC, C, KH, KW), a layer's ``weight``.

    Raises:
        ValueError: for another shape, or an empty one.
        ImportError: if matplotlib is missing.
    """
    w = as_array(weight)
    if w.ndim != 4 or not w.size:
        raise ValueError(f"plot_filters: weight has shape {w.shape}; it must be (OC, C, KH, KW)")
    filters, channels = w.shape[:2]
    table = channels not in (1, 3)
    shown = w[:16, :16] if table else w[:_TILES]
    columns = len(shown) if table else min(8, math.ceil(math.sqrt(len(shown))))
    rows = shown.shape[1] if table else math.ceil(len(shown) / columns)
    with style():
        figure = new_figure(4.6, min(9.0, max(1.6, 0.6 + 3.4 * rows / columns)))
        ax = figure.subplots()
        if channels == 3:
            colours = np.ones((*shown.shape[:1], *w.shape[2:], 4))
            finite = np.where(drawable(shown), shown, 0.0)
            colours[..., :3] = 0.5 + 0.5 * (finite / _largest(finite)).transpose(0, 2, 3, 1)
            _show_tiles(ax, colours, columns)
        else:
            # a row of the sheet: one input channel of every filter
            flat = shown.swapaxes(0, 1).reshape(-1, *w.shape[2:]) if table else shown[:, 0]
            colours, scale = _shades(flat)
            _show_tiles(ax, colours, columns)
            figure.colorbar(scale, ax=ax, label="weight", shrink=0.8)
        if table:
            ax.set_yticks(ax.get_yticks(), list(map(str, range(rows))))
        many = f" (the first {len(shown)} of {filters})" if len(shown) < filters else ""
        ax.set_xlabel(f"filter{many}" if table or rows == 1 else f"filters, row by row{many}")
        if table:
            ax.set_ylabel(
                "input channel" + (f" (of {channels})" if shown.shape[1] < channels else "")
            )
    return figure


def plot_feature_maps(maps: Mapping[str, Any]) -> Figure:
    """What the layers made of one image, a sheet of maps for each layer.

    Args:
        maps: by the layer's name: (C, H, W), as `feature_maps` returns them. The first 64 of C
            are shown. Each layer has its own scale.

    Raises:
        ValueError: for another shape, or if there are none.
        ImportError: if matplotlib is missing.
    """
    arrays = {name: as_array(array) for name, array in maps.items()}
    for name, array in arrays.items():
        if array.ndim != 3 or not array.size:
            raise ValueError(
                f"plot_feature_maps: {name!r} has shape {array.shape}; it must be (C, H, W)"
            )
    if not arrays:
        raise ValueError("plot_feature_maps: no maps; give at least one layer's")
    shown = {name: array[:_TILES] for name, array in arrays.items()}
    columns = {name: min(8, len(array)) for name, array in shown.items()}
    # one image alone need not fill the width
    heights = [
        max(0.8, min(4.0 / n, 1.3) * math.ceil(len(shown[name]) / n)) for name, n in columns.items()
    ]
    with style():
        figure = new_figure(4.8, sum(heights) + 0.5 * len(heights))
        axes = figure.subplots(len(shown), squeeze=False, height_ratios=heights).ravel()
        for ax, (name, array) in zip(axes, shown.items(), strict=True):
            colours, scale = _shades(array)
            _show_tiles(ax, colours, columns[name])
            many = len(arrays[name])
            height, width = array.shape[1:]
            text = f"the first {len(array)} of {many} maps" if many > len(array) else f"{many} maps"
            ax.set_title(f"{name}: {text if many > 1 else '1 map'}, {height}x{width}", fontsize=9)
            figure.colorbar(scale, ax=ax, label="activation", shrink=0.9)
    return figure


def feature_maps(
    model: Module, image: Any, layers: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Run a model on one image, in evaluation mode, and keep what chosen layers put out.

    Args:
        model: any module; its modes are left as they were.
        image: (C, H, W), an array.
        layers: names as in ``model.named_modules()``; by default all convolutions.

    Returns:
        By layer, in the order in which they ran: (C, H, W), float. A layer whose output is no
        such image is left out; of one that runs several times the last run is kept.

    Raises:
        ValueError: for an image of another shape, and names that are no layers of the model.
    """
    pixels = as_array(image)
    if pixels.ndim != 3:
        raise ValueError(f"feature_maps: image has shape {pixels.shape}; it must be (C, H, W)")
    modules = dict(model.named_modules())
    if layers is None:
        layers = [name for name, module in modules.items() if isinstance(module, Conv2d)]
    if unknown := [name for name in layers if name not in modules]:
        raise ValueError(
            f"feature_maps: no layers {unknown} in {type(model).__name__}; it has "
            f"{[name for name in modules if name]}"
        )
    maps: dict[str, np.ndarray] = {}

    def keep(name: str) -> Any:
        def hook(module: Module, args: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                maps.pop(name, None)
                maps[name] = as_array(output)[0].copy()

        return hook

    first = next(model.parameters(), None)
    x = tensor(pixels[None], device=None if first is None else first.device)
    with contextlib.ExitStack() as stack:
        stack.enter_context(evaluating(model))
        for name in layers:
            stack.enter_context(modules[name].register_forward_hook(keep(name)))
        model(x if first is None else x.to(first.dtype))
    return maps


def plot_mistakes(
    images: Any,
    labels: Any,
    predictions: Any,
    losses: Any = None,
    names: Sequence[str] | None = None,
    count: int = 20,
) -> Figure:
    """The wrongly classified examples with the largest losses, the worst first.

    Args:
        images: (N, C, H, W) with C = 1 or 3, or (N, H, W); in [0, 1], else each is stretched
            from its least to its largest value.
        labels: (N,), the true classes.
        predictions: (N,), the predicted ones.
        losses: (N,), in nats; without them the mistakes come in their order. NaN counts as worst.
        names: of the classes; by default their numbers.
        count: how many to show at most.

    Returns:
        The figure; above each image the example's number in `images`, its class, an arrow and what
        it was taken for, its loss. It says so where there are no mistakes.

    Raises:
        ValueError: for arrays that do not fit, or a class without a name.
        ImportError: if matplotlib is missing.
    """
    pixels, true, read = as_array(images), as_array(labels), as_array(predictions)
    loss = np.zeros(len(true)) if losses is None else as_array(losses)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise ValueError(
            f"plot_mistakes: images have shape {pixels.shape}; it must be (N, 1 or 3, H, W)"
        )
    if not pixels.shape[:1] == true.shape == read.shape == loss.shape:
        raise ValueError(
            f"plot_mistakes: {len(pixels)} images, labels of shape {true.shape}, predictions "
            f"{read.shape}, losses {loss.shape}; all must be (N,)"
        )
    classes = int(max(true.max(initial=-1), read.max(initial=-1))) + 1
    short = class_names(names, classes if names is None else max(classes, len(names)))
    wrong = np.flatnonzero(true != read)
    order = np.argsort(np.where(np.isnan(loss[wrong]), -np.inf, -loss[wrong]), kind="stable")
    worst = wrong[order[: max(1, count)]]
    # short names share a line with the number
    between = " " if max(map(len, short), default=0) <= 3 else "\n"
    titles = [
        f"#{i}:{between}{short[true[i]]}{between}→ {short[read[i]]}"
        + ("" if losses is None else f"\nloss {loss[i]:.2f}")
        for i in worst
    ]
    columns = 4
    rows = max(1, math.ceil(len(worst) / columns))
    with style():
        words, side = 0.15 * (5 if between == "\n" else 3), 1.05  # inches
        height = (words + side) * rows + 0.05
        # all places are known: to search for them takes matplotlib longer than to draw
        figure = new_figure(4.4, height, layout="none")
        figure.subplots_adjust(0.01, 0.05 / height, 0.99, 1 - words / height, 0.05, words / side)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        if not titles:
            figure.text(0.5, 0.5, f"no mistakes in {len(true)} examples", ha="center", va="center")
        for ax, i, title in zip(axes, worst, titles, strict=False):
            ax.imshow(_as_picture(pixels[i]), cmap="gray", vmin=0, vmax=1, interpolation="none")
            ax.set_title(title, fontsize=8)
    return figure


def _as_picture(image: np.ndarray) -> np.ndarray:
    """(C, H, W) as matplotlib wants it, (H, W) or (H, W, 3), in [0, 1]; not finite is 0."""
    image = np.where(drawable(image), image.astype(float), 0.0)
    low, high = image.min(), image.max()
    if low < 0 or high > 1:
        image = (image - low) / (high - low)
    return image[0] if len(image) == 1 else image.transpose(1, 2, 0)
