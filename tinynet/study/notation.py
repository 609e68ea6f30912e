"""Converts the docstrings' plain-text formulas to HTML.

    y_nopq = b_o + sum_cij w_ocij x_{n, c, p SH + i DH - PH}     y e^(x_c) gy^T <gy, dy>

become subscripts, superscripts, Σ and ⟨gy, dy⟩. No letter is lost, and other text is unchanged.
"""

from __future__ import annotations

import html
import re

import numpy as np

# A subscript follows one letter, perhaps after d or g, or one of these words. Names of functions
# such as conv2d_input are left alone.
_BASE = r"(?<![A-Za-z0-9_])((?:[dg]{0,2}[A-Za-z]|sum|max|min|lse|ln)(?:\^\w)?)"
_BRACED = re.compile(_BASE + r"_\{([^{}]*)\}")
_SHORT = re.compile(
    _BASE + r"_([a-z]{1,4}|[0-9]|N|C)(?![A-Za-z0-9_(])|" + _BASE + r"_([a-z])(?=\()"
)
_POWER = re.compile(r"\^(?:\(([^()]+)\)|(-?[A-Za-z0-9]+))")
# <u, v>, which may contain [c > 0]
_SIDE = r"(?:\[[^\]]*\]|(?!&lt;|&gt;).)+?"
_INNER = re.compile(rf"&lt;({_SIDE}, {_SIDE})&gt;", re.DOTALL)
_SUM = re.compile(r"(?<![A-Za-z0-9_.])sum(?=<sub>)|(?<== )sum(?= of)")
_CODE = re.compile(r"`([^`]+)`")


def formula(text: str) -> str:
    r"""Convert a line of plain-text mathematics to escaped HTML.

    >>> formula("y_n = sum_c e^(x_c), <gy, dy>")
    'y<sub>n</sub> = Σ<sub>c</sub> e<sup>x<sub>c</sub></sup>, ⟨gy,\xa0dy⟩'
    >>> formula("conv2d_input(gy, w) < 1")
    'conv2d_input(gy, w) &lt; 1'
    """
    parts = _CODE.split(html.escape(text, quote=False))
    parts[::2] = map(_mathematics, parts[::2])
    parts[1::2] = [f"<code>{code}</code>" for code in parts[1::2]]
    return "".join(parts)


def _mathematics(text: str) -> str:
    text = _BRACED.sub(lambda m: f"{m[1]}<sub>{_unbroken(m[2])}</sub>", text)
    text = _SHORT.sub(lambda m: f"{m[1] or m[3]}<sub>{m[2] or m[4]}</sub>", text)
    text = _POWER.sub(lambda m: f"<sup>{_unbroken(m[1] or m[2])}</sup>", text)
    text = _INNER.sub(lambda m: f"⟨{_unbroken(m[1])}⟩", text)
    return _SUM.sub("Σ", text)


def _unbroken(text: str) -> str:
    """Prevents line breaks in short text."""
    return text.replace(" ", "\N{NO-BREAK SPACE}") if len(text) < 16 else text


def number(x: float | np.floating) -> str:
    """The shortest decimal that rounds to this float32 or float64; -0 becomes 0.

    >>> import numpy as np
    >>> number(np.float32(0.1)), number(np.float64(0.1)), number(np.float32(-0.0))
    ('0.1', '0.1', '0')
    """
    text = str(abs(x) if x == 0 else x)
    return text.removesuffix(".0")
