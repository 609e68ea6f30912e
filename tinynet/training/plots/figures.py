"""Making and saving figures with matplotlib's objects: no window, no backend, no state left.

A `matplotlib.figure.Figure` is drawn by whatever format it is saved in, so it needs no display.
pyplot keeps every figure alive and picks a backend, which fails on machines without a screen; it
is not used here.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet import backend
from tinynet.autograd import Value
from tinynet.io.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of M. Okabe and K. Ito, Color Universal Design (2008): told apart by the colour-blind, and
# each at least 3 to 1 against both white and the report's dark ground.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
# text and lines; in a page this very string becomes the page's own text colour
INK = "#1b1f24"

_STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.dpi": 100,
    "font.size": 10,
    "grid.alpha": 0.2,
    "grid.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and files are small
    "svg.hashsalt": "tinynet",
    "text.color": INK,
    "text.parse_math": False,  # a class may be named "$"
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with a few changes, whatever the user's settings, for a ``with``.

    Raises:
        ImportError: if matplotlib is missing or does not import, with what to install.
    """
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.style
    except ImportError as error:
        raise ImportError(
            f"plots need matplotlib ({error}): pip install 'tinynet[train]'"
        ) from error
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]
        # a class's name in a script that the font lacks: boxes in a PNG, letters in an SVG
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # labels so long that the panel has no room: the figure is ugly, and that is seen
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def as_array(data: Any) -> np.ndarray:
    """Numbers, an array of either module or a Tensor, as NumPy's array."""
    return backend.to_numpy(data._data if isinstance(data, Value) else data)


def drawable(values: np.ndarray) -> np.ndarray:
    """Where numbers are finite, and not so large that the range of an axis would overflow."""
    return np.abs(values).astype(float) < 1e300


def new_figure(width: float, height: float, layout: str = "constrained") -> Figure:
    """An empty figure of that size in inches; to be called and filled within `style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (150 dots an inch) or SVG, by the path's suffix, on white.

    The file appears whole or not at all: it is written beside its place and renamed. The same
    figure gives the same bytes each time: no dates, no random names.

    Args:
        figure: matplotlib's.
        path: its suffix is ``.png`` or ``.svg``; its folder is there.

    Returns:
        The path.

    Raises:
        ValueError: for another suffix.
        OSError: if the file cannot be written; what was there before is unharmed.
        ImportError: if matplotlib is missing.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(f"save_figure: {path.name!r} must end in .png or .svg")
    write_atomically(str(path), _drawn(figure, kind[1:], transparent=False))
    return path


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """A figure as an ``<svg>`` element to be put into a page; its ink is the page's own.

    Args:
        figure: matplotlib's.
        name: a word before every id in it, since ids must differ all over a page.
        label: what the figure shows, for those who cannot see it.
    """
    text = _drawn(figure, "svg", transparent=True).decode()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # a style in a page holds for all of the page
    text = re.sub(r"\s*<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def _drawn(figure: Figure, kind: str, transparent: bool) -> bytes:
    # none of the entries that matplotlib would fill in: its version, the date
    names = ("Creator", "Date", "Format", "Type") if kind == "svg" else ("Software",)
    options: dict[str, Any] = {"transparent": True} if transparent else {"facecolor": "white"}
    out = io.BytesIO()
    with style():
        figure.savefig(out, format=kind, dpi=150, metadata=dict.fromkeys(names), **options)
    return out.getvalue()
