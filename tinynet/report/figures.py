"""Creates and saves matplotlib figures without a window, a display or global state.

pyplot is not used: it keeps every figure alive and selects a backend, which fails on machines
without a display. A `matplotlib.figure.Figure` needs no backend until it is saved.
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

from tinynet.io.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# From M. Okabe and K. Ito, Color Universal Design (2008): the colour-blind can tell them apart.
# Each has a contrast of at least 3 to 1 with white and with the report's dark background.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
# Text and lines; a page replaces this string by its text colour.
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
    "svg.fonttype": "none",  # text stays text: searchable, and in small files
    "svg.hashsalt": "tinynet",
    "text.color": INK,
    "text.parse_math": False,  # a class may be named "$"
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """A context with matplotlib's defaults and a few changes, regardless of the user's settings.

    Raises:
        ImportError: if matplotlib is missing or cannot be imported; it says what to install.
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
        # A class name in a script that the font lacks: boxes in a PNG, correct text in an SVG.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # Labels too long for the panel: the figure shows this.
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def drawable(values: np.ndarray) -> np.ndarray:
    """Whether each number is finite and too small to overflow the range of an axis."""
    return np.abs(values).astype(float) < 1e300


def new_figure(width: float, height: float, layout: str = "constrained") -> Figure:
    """An empty figure of this size in inches; create and fill it within `style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (150 dots per inch) or SVG, by the path's suffix, on white.

    The file is written atomically. The same figure always gives the same bytes, without dates or
    random names.

    Args:
        figure: a matplotlib figure.
        path: ends in ``.png`` or ``.svg``; its folder must exist.

    Returns:
        The path.

    Raises:
        ValueError: for another suffix.
        OSError: if the file cannot be written; an old file is unchanged.
        ImportError: if matplotlib is missing.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(f"save_figure: {path.name!r} must end in .png or .svg")
    write_atomically(str(path), _rendered(figure, kind[1:], transparent=False))
    return path


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """A figure as an ``<svg>`` element that takes the page's text colour.

    `name` is a prefix for its ids, which must be unique in a page; screen readers read the label.
    """
    text = _rendered(figure, "svg", transparent=True).decode()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # A style element would apply to the whole page.
    text = re.sub(r"\s*<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def _rendered(figure: Figure, kind: str, transparent: bool) -> bytes:
    # Clear the entries that matplotlib fills in: its version, the date.
    names = ("Creator", "Date", "Format", "Type") if kind == "svg" else ("Software",)
    options: dict[str, Any] = {"transparent": True} if transparent else {"facecolor": "white"}
    out = io.BytesIO()
    with style():
        figure.savefig(out, format=kind, dpi=150, metadata=dict.fromkeys(names), **options)
    return out.getvalue()
