"""Which part of a row-wise convolution is computed at a time: sizes alone, no arrays.

A *panel*, as in GotoBLAS, is what is packed and multiplied at a time because it fits in the cache:
here the columns of some output cells, or the gradients of some rows of the input. Sizes:
`tinynet.window`.

Source: K. Goto and R. van de Geijn, Anatomy of high-performance matrix multiplication, ACM
Transactions on Mathematical Software 34 (2008).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from tinynet.backend import Array
from tinynet.window import Window

PANEL_BYTES = 3 << 20  # as much is in the cache still when it is read


@dataclass(frozen=True)
class Panel:
    """Output cells: rows first, first + step, ..., `count` of them, and columns left to right.

    `between` of its lowered rows lie between the first ones of two of these output rows.
    """

    first: int
    step: int
    count: int
    left: int
    right: int
    between: int

    def of(self, y: Array, N: int) -> Array:
        """Its cells of y (G, C, OH, OW N), as (rows, G, C, cells): a view."""
        rows = slice(self.first, self.first + self.step * (self.count - 1) + 1, self.step)
        return y[:, :, rows, self.left * N : self.right * N].transpose(2, 0, 1, 3)


def phases(window: Window) -> int:
    """Output rows so many apart look at rows of x that are a multiple of the dilation apart.

    Those are a phase, as in a polyphase filter: within one all is as without dilation.
    """
    return window.dilation[0] // math.gcd(window.stride[0], window.dilation[0])


# Kept, since it is Python alone: a thread at it holds the lock that the others wait for.
@functools.lru_cache(maxsize=256)
def panels(window: Window, OH: int, OW: int, row_bytes: int, panel_bytes: int) -> tuple[Panel, ...]:
    """All output cells in panels, each some rows of a phase or a part of a row.

    Args:
        window: in two dimensions.
        OH, OW: how many output cells.
        row_bytes: the size of a lowered row.
        panel_bytes: how much fits in the cache: `PANEL_BYTES`.
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
    """Rows of `row_bytes` each, in panels of about equal length.

    A panel also takes `shared_bytes` whatever its length. All rows are one panel if they take less
    than an eighth of it, which is not worth two threads; else they are two panels or more.
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
    """Rows of x that the same rows of the kernel read, in neighbouring output rows.

    Row h of x was read by output row p through row i of the kernel if p SH + i DH = h: each pair
    (p, i) adds w_i gy_p to the gradient of its lowered row. As i goes down by SH / gcd(SH, DH), p
    goes up by DH / gcd(SH, DH), the number of phases. For KH = 3, SH = 2, DH = 1, rows h = 4 and 6
    have the pairs (1, 2), (2, 0) and (2, 2), (3, 0): the same rows of the kernel, and neighbouring
    rows of gy.

    Attributes:
        rows: which of a panel of x.
        taps: the kernel's rows, counted from its last one, as p goes up: of KH = 3 rows, 2 and 0
            are slice(0, 3, 2).
        depth: how many taps.
        count: how many rows of x.
        first: where the first one's rows of gy begin, phase by phase; the next one's do one on.
    """

    rows: slice
    taps: slice
    depth: int
    count: int
    first: int


@functools.lru_cache(maxsize=256)  # for the reason of `panels`
def by_taps(window: Window, rows: range, OH: int) -> tuple[tuple[SameTaps, ...], tuple[int, ...]]:
    """Some rows h of x by the taps that read them; and the numbers of those that none reads."""
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
