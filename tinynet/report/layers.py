"""Images of a network's layers: learned filters and feature maps."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.creation import tensor
from tinynet.nn import Conv2d, Module
from tinynet.nn.evaluating import evaluating
from tinynet.nn.state import host_array
from tinynet.report.figures import drawable, new_figure, style
from tinynet.tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TILES = 64  # most images shown per layer


def tiles(images: np.ndarray, columns: int) -> np.ndarray:
    """RGBA images (N, H, W, 4) in rows and columns as one image, one transparent pixel apart."""
    count, height, width, _ = images.shape
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 4))
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _colours(values: np.ndarray) -> tuple[np.ndarray, Any]:
    """Numbers as RGBA, and the scale for a colour bar.

    Blue through white (0) to red if some numbers are negative; otherwise black to white.
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
    """The largest magnitude, the end of a scale; 1 if all are 0."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


def _show_tiles(ax: Axes, images: np.ndarray, columns: int) -> None:
    """Draw a sheet of tiles; each row is labelled with the number of its first tile."""
    height, width = images.shape[1:3]
    ax.imshow(tiles(images, columns), interpolation="none")
    rows = math.ceil(len(images) / columns)
    ax.set_xticks([i * (width + 1) + (width - 1) / 2 for i in range(columns)],
                  [str(i) for i in range(columns)])  # fmt: skip
    ax.set_yticks([i * (height + 1) + (height - 1) / 2 for i in range(rows)],
                  [str(i * columns) for i in range(rows)])  # fmt: skip
    ax.tick_params(length=0, labelsize=8)
    ax.spines[:].set_visible(False)
    if len(images) == 1:
        ax.set(xticks=[], yticks=[])


def plot_filters(weight: Any) -> Figure:
    """The filters of a convolution as images.

    Filters of one input channel are drawn side by side. Filters of three are drawn in colour, with
    grey for 0. Others form a table with a column per filter and a row per input channel. All share
    one scale. At most the first 64 filters are shown, or the first 16 by 16 of a table.

    Args:
        weight: (OC, C, KH, KW), a layer's ``weight``.

    Raises:
        ValueError: for another shape, or an empty one.
        ImportError: if matplotlib is missing.
    """
    w = host_array("plot_filters: weight", weight)
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
            # A row of the sheet is one input channel of every filter.
            flat = shown.swapaxes(0, 1).reshape(-1, *w.shape[2:]) if table else shown[:, 0]
            colours, scale = _colours(flat)
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
    """The outputs of layers for one image, as a sheet of maps for each layer.

    Args:
        maps: (C, H, W) by the layer's name, as `feature_maps` returns them. At most the first 64
            channels are shown. Each layer has its own scale.

    Raises:
        ValueError: for another shape, or without maps.
        ImportError: if matplotlib is missing.
    """
    if not maps:
        raise ValueError("plot_feature_maps: no maps; give the maps of at least one layer")
    arrays = {name: host_array(f"plot_feature_maps: {name!r}", a) for name, a in maps.items()}
    heights = []
    for name, array in arrays.items():
        if array.ndim != 3 or not array.size:
            raise ValueError(
                f"plot_feature_maps: {name!r} has shape {array.shape}; it must be (C, H, W)"
            )
        count = min(len(array), _TILES)
        # A single image need not fill the width.
        heights.append(max(0.8, min(4.0 / min(8, count), 1.3) * math.ceil(count / 8)))
    with style():
        figure = new_figure(4.8, sum(heights) + 0.5 * len(heights))
        axes = figure.subplots(len(arrays), squeeze=False, height_ratios=heights).ravel()
        for ax, (name, array) in zip(axes, arrays.items(), strict=True):
            colours, scale = _colours(array[:_TILES])
            _show_tiles(ax, colours, min(8, len(colours)))
            many, height, width = array.shape
            text = f"the first {_TILES} of {many} maps" if many > _TILES else f"{many} maps"
            ax.set_title(f"{name}: {text if many > 1 else '1 map'}, {height}x{width}", fontsize=9)
            figure.colorbar(scale, ax=ax, label="activation", shrink=0.9)
    return figure


def feature_maps(
    model: Module, image: Any, layers: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Run a model on one image, in evaluation mode, and return the outputs of chosen layers.

    Args:
        model: any module; its modes do not change.
        image: array (C, H, W).
        layers: names as in ``model.named_modules()``; all convolutions by default.

    Returns:
        Floats (C, H, W) by layer, in the order in which the layers ran. Layers whose output has
        another shape are left out; a layer that runs several times gives its last output.

    Raises:
        ValueError: for an image of another shape, or a name that is not a layer of the model.
    """
    pixels = host_array("feature_maps: image", image)
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

    def keep(name: str, module: Module, args: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4:
            maps.pop(name, None)
            maps[name] = host_array(name, output)[0].copy()

    first = next(model.parameters(), None)
    x = tensor(pixels[None], device=None if first is None else first.device)
    with contextlib.ExitStack() as stack:
        stack.enter_context(evaluating(model))
        for name in layers:
            stack.enter_context(modules[name].register_forward_hook(partial(keep, name)))
        model(x if first is None else x.to(first.dtype))
    return maps
