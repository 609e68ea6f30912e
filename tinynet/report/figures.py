"""Making and saving matplotlib figures without a window, a display or global state.

pyplot is not used: it keeps every figure alive and picks a backend, which fails on machines without
a screen. A `matplotlib.figure.Figure` needs neither; the format it is saved in draws it.
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

# From M. Okabe and K. Ito, Color Universal Design (2008). The colour-blind can tell them apart, and
# each has a contrast of at least 3 to 1 with white and with the report's dark background.
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
# text and lines; in a page this string is replaced by the page's text colour
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
    """A context with matplotlib's defaults and a few changes, whatever the user's settings.

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
        # a class name in a script that the font lacks: boxes in a PNG, letters in an SVG
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # labels too long for the panel: the figure shows it
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def drawable(values: np.ndarray) -> np.ndarray:
    """Where numbers are finite and small enough for the range of an axis not to overflow."""
    return np.abs(values).astype(float) < 1e300


def new_figure(width: float, height: float, layout: str = "constrained") -> Figure:
    """An empty figure of this size in inches; call and fill it within `style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (150 dots an inch) or SVG, by the path's suffix, on white.

    The file is written atomically. The same figure gives the same bytes each time: no dates, no
    random names.

    Args:
        figure: matplotlib's.
        path: ends in ``.png`` or ``.svg``; its folder exists.

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
    write_atomically(str(path), _drawn(figure, kind[1:], transparent=False))
    return path


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """A figure as an ``<svg>`` element for a page, whose text colour it takes.

    Args:
        figure: matplotlib's.
        name: a prefix for every id in it, since ids must be unique in a page.
        label: what the figure shows, for those who cannot see it.
    """
    text = _drawn(figure, "svg", transparent=True).decode()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # a style element would apply to the whole page
    text = re.sub(r"\s*<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def _drawn(figure: Figure, kind: str, transparent: bool) -> bytes:
    # clears the entries that matplotlib would fill in: its version, the date
    names = ("Creator", "Date", "Format", "Type") if kind == "svg" else ("Software",)
    options: dict[str, Any] = {"transparent": True} if transparent else {"facecolor": "white"}
    out = io.BytesIO()
    with style():
        figure.savefig(out, format=kind, dpi=150, metadata=dict.fromkeys(names), **options)
    return out.getvalue()
