"""Splits a row-wise convolution into panels that fit in the cache; computes with sizes only.

A *panel*, as in GotoBLAS, is the part that is packed and multiplied at a time: here the columns of
some output cells, or the gradients of some rows of the input. `tinynet.window` defines the sizes.

Source: K. Goto and R. van de Geijn, Anatomy of high-performance matrix multiplication, ACM
Transactions on Mathematical Software 34 (2008).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from tinynet.backend import Array
from tinynet.window import Window

PANEL_BYTES = 3 << 20  # still in the cache when it is read


@dataclass(frozen=True)
class Panel:
    """Output cells in `count` rows first, first + step, ... and in columns left to right - 1.

    The lowered rows of two successive output rows begin `between` lowered rows apart.
    """

    first: int
    step: int
    count: int
    left: int
    right: int
    between: int

    def of(self, y: Array, N: int) -> Array:
        """A view of the panel's cells of y (G, C, OH, OW N), as (rows, G, C, cells)."""
        rows = slice(self.first, self.first + self.step * (self.count - 1) + 1, self.step)
        return y[:, :, rows, self.left * N : self.right * N].transpose(2, 0, 1, 3)


def phases(window: Window) -> int:
    """The number of phases of the output rows, as in a polyphase filter.

    Output rows that many apart read rows of x that are a multiple of the dilation apart, so within
    a phase the lowered rows overlap as without dilation.
    """
    return window.dilation[0] // math.gcd(window.stride[0], window.dilation[0])


# Cached: this is pure Python, during which other threads wait for the interpreter's lock.
@functools.lru_cache(maxsize=256)
def panels(window: Window, OH: int, OW: int, row_bytes: int, panel_bytes: int) -> tuple[Panel, ...]:
    """Split all output cells into panels: some rows of a phase, or a part of one row.

    Args:
        window: in two dimensions.
        OH, OW: output cells along each axis.
        row_bytes: the size of a lowered row.
        panel_bytes: the most bytes in a panel: `PANEL_BYTES`.
    """
    KH, step = window.kernel[0], phases(window)
    between = window.stride[0] * step // window.dilation[0]
    width = columns_of_panel(KH * row_bytes, OW, panel_bytes)
    return tuple([
        Panel(phase + step * rows.start, step, len(rows), left, min(left + width, OW), between)
        for phase in range(min(step, OH))
        for rows in row_panels(
            range(len(range(phase, OH, step))), between * row_bytes, panel_bytes,
            (KH - between) * row_bytes,
        )
        for left in range(0, OW, width)
    ])  # fmt: skip


def row_panels(rows: range, row_bytes: int, panel_bytes: int, shared_bytes: int = 0) -> list[range]:
    """Split rows of `row_bytes` each into panels of about equal length.

    Each panel takes `shared_bytes` in addition. If all rows take at most an eighth of a panel, too
    little for two threads, they are one panel; otherwise there are at least two.
    """
    if not rows:
        return []
    most = len(rows)
    if most * row_bytes > panel_bytes // 8:
        most = max(1, min(-(-most // 2), (panel_bytes - shared_bytes) // row_bytes))
    length = -(-len(rows) // -(-len(rows) // most))
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def columns_of_panel(row_bytes: int, OW: int, panel_bytes: int) -> int:
    """How many of the OW columns of a row of `row_bytes` fit in a panel."""
    return max(1, min(OW, OW * panel_bytes // max(1, row_bytes)))


@dataclass(frozen=True)
class SameTaps:
    """Rows of x that the same rows of the kernel read, in successive output rows.

    Output row p reads row h of x through row i of the kernel if p SH + i DH = h; each pair (p, i)
    adds w_i gy_p to the gradient of the lowered row. When i decreases by SH / gcd(SH, DH), p
    increases by DH / gcd(SH, DH), the number of phases. For KH = 3, SH = 2, DH = 1, rows h = 4 and
    6 have the pairs (1, 2), (2, 0) and (2, 2), (3, 0): the same rows of the kernel and successive
    rows of gy.

    Attributes:
        rows: the rows, within a panel of x.
        taps: rows of the kernel by increasing p, counted from the last one: of KH = 3 rows, 2 and 0
            are slice(0, 3, 2).
        depth: number of taps.
        count: number of rows of x.
        first: the first row of gy of the first row of x, rows of gy ordered phase by phase; each
            further row of x starts one row later.
    """

    rows: slice
    taps: slice
    depth: int
    count: int
    first: int


@functools.lru_cache(maxsize=256)  # for the same reason as `panels`
def by_taps(window: Window, rows: range, OH: int) -> tuple[tuple[SameTaps, ...], tuple[int, ...]]:
    """Group rows of x by the taps that read them; also return the indices of rows not read."""
    KH, SH, DH, step = window.kernel[0], window.stride[0], window.dilation[0], phases(window)
    groups: dict[tuple[int, ...], list[int]] = {}
    unread = []
    for h in rows:
        taps = [i for i in range(KH) if not (h - i * DH) % SH and 0 <= (h - i * DH) // SH < OH]
        if taps:
            p = (h - taps[-1] * DH) // SH
            groups.setdefault((*taps, p % step), []).append(h)
        else:
            unread.append(h - rows.start)
    found = []
    for (*taps, phase), hs in groups.items():
        # the phases before this one have OH // step rows each, or one more
        before = phase * (OH // step) + min(phase, OH % step)
        found.append(
            SameTaps(
                slice(hs[0] - rows.start, hs[-1] - rows.start + 1, SH * step),
                slice(KH - 1 - taps[-1], KH - taps[0], SH * step // DH),
                len(taps),
                len(hs),
                before + (hs[0] - taps[-1] * DH) // SH // step,
            )
        )
    return tuple(found), tuple(unread)
