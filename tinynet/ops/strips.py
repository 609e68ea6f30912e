"""The columns of im2col at 1/KH of their size: strips, under the three convolutions.

The column of an output cell is its window of x, KH KW C numbers, as a vector. Written out, columns
are KH KW times the input. A *strip* is a row of x unrolled along the width alone,

    strip[h, c, j, q, n] = x[c, h, q SW + j DW, n],

KW times the input; and in memory, the columns of output row p are the KH strips of its rows of x,
one after the other. The next output row's are the same but for SH of them. So the columns are a
view of the strips that overlaps itself, of which no copy is made: a matrix for each output row.

With dilation those strips lie DH apart. Then output rows are taken in classes, p, p + step, ...,
whose strips are each DH-th: within a class all is as without dilation.

Sizes, and the memory order with N innermost: `windows`. Arrays are padded, and with groups G the
channels c are those of one group.

Source: M. Cho and D. Brand, MEC: memory-efficient convolution for deep neural network (ICML 2017),
arXiv:1706.06873.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynet.backend import array_module, as_strided, block_bytes, workspace
from tinynet.ops.windows import Window


@dataclass(frozen=True)
class Block:
    """Output cells: rows first, first + step, ..., `count` of them, and columns left to right."""

    first: int
    step: int
    count: int
    left: int
    right: int

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.step * (self.count - 1) + 1, self.step)

    def cells(self, N: int) -> slice:
        """Its columns in a flat (OW, N)."""
        return slice(self.left * N, self.right * N)


def blocks(x: Any, window: Window, OH: int, OW: int) -> list[Block]:
    """All output cells of x (C, H, W, N), in blocks whose `columns` are made at a time.

    A block is some rows of a class, or a part of a row.
    """
    step, KH = window.row_step, window.kernel[0]
    strip = x.shape[0] * window.kernel[1] * OW * x.shape[3] * x.dtype.itemsize
    width = max(1, min(OW, 3 * OW * block_bytes(x) // max(1, strip * KH)))
    return [
        Block(first + step * rows.start, step, len(rows), left, min(left + width, OW))
        for first in range(min(step, OH))
        for rows in row_blocks(range(len(range(first, OH, step))), strip, x, (KH - 1) * strip)
        for left in range(0, OW, width)
    ]


def row_blocks(rows: range, size: int, like: Any, more: int = 0) -> list[range]:
    """Rows of `size` bytes, in blocks of about equal length.

    All in one block, if that is too little for two threads; else in two or more, of up to three
    times `block_bytes` with `more` bytes: so much is in the cache still when it is read.
    """
    limit, most = 3 * block_bytes(like), len(rows)
    if most * size > limit // 8:
        most = max(1, min(-(-most // 2), (limit - more) // size))
    length = -(-len(rows) // -(-len(rows) // most)) if rows else 1
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def columns(x: Any, window: Window, OW: int, block: Block, groups: int) -> Any:
    """v[p, g, (i, c, j), (q, n)] = x[c of g, p SH + i DH, q SW + j DW, n] for p, q of a block.

    A view of strips in a workspace: read-only, and valid until the next call.
    """
    (KH, KW), (SH, SW), (DH, DW) = window.kernel, window.stride, window.dilation
    C, H, _, N = x.shape
    sc, sh, sw, sn = x.strides
    strips = as_strided(x, (H, C, KW, OW, N), (sh, sc, sw * DW, sw * SW, sn))
    advance = SH * block.step // DH  # strips from one output row's columns to the next one's
    top, height = block.first * SH, (block.count - 1) * advance + KH
    strips = strips[top : top + (height - 1) * DH + 1 : DH, :, :, block.left : block.right]
    width = block.right - block.left
    strips = strips.reshape(height, groups, C // groups, KW, width, N).swapaxes(0, 1)
    copy = workspace("strips", strips.shape, strips)
    copy[...] = strips
    matrix = (KH * C // groups * KW, width * N)
    return as_strided(
        copy, (block.count, groups, *matrix),
        (advance * copy.strides[1], copy.strides[0], matrix[1] * copy.itemsize, copy.itemsize),
    )  # fmt: skip


def col2im(x: Any, strips: Any, window: Window, OW: int) -> None:
    """The adjoint of unrolling: add strips (rows, G, C/G KW, OW N) into rows of x (C, rows, W, N).

    A cell of x is in as many strips as windows cover it along the width. Copying gave each of them
    its value, so its gradient is the sum of theirs: += and not =.
    """
    C, height, _, N = x.shape
    KW, SW, DW = window.kernel[1], window.stride[1], window.dilation[1]
    strips = strips.reshape(height, C, KW, OW, N).swapaxes(0, 1)

    for j in range(KW):
        x[:, :, j * DW : j * DW + SW * (OW - 1) + 1 : SW] += strips[:, :, j]


# The adjoint. Row h of x got its gradient from the output rows p that looked at it, each through
# one row i of the kernel: all p, i with p SH + i DH = h. As i goes down by SH / gcd(SH, DH), p goes
# up by DH / gcd(SH, DH), the step of the classes.


def side_by_side(gt: Any, window: Window) -> Any:
    """gt (G, OH, OC/G, OW N), class by class: rows that meet in a row of x become neighbours.

    In a workspace, valid until the next call.
    """
    step = window.row_step
    out = workspace("side_by_side", gt.shape, gt)
    return array_module(gt).concatenate([gt[:, p::step] for p in range(step)], axis=1, out=out)


@dataclass(frozen=True)
class Meeting:
    """Rows of x, `count` of them, to which the same rows of the kernel led.

    Attributes:
        rows: which of a piece of x.
        taps: the kernel's rows, counted from its last: as p goes up.
        count: how many rows of x.
        place: where the first one's rows of gy begin in `side_by_side`; the next one's do one on.
    """

    rows: slice
    taps: slice
    count: int
    place: int

    def neighbours(self, gt: Any) -> Any:
        """v[g, h, (p, o), (q, n)] = gy[o of g, p, q, n] for each row h and its p: a view."""
        G, OH, OC, cells = gt.shape
        n = len(range(self.taps.start, self.taps.stop, self.taps.step))
        sg, sp, so, sc = gt.strides
        view = as_strided(gt, (G, OH - n + 1, n * OC, cells), (sg, sp, so, sc))
        return view[:, self.place : self.place + self.count]


def meetings(window: Window, rows: range, OH: int) -> tuple[list[Meeting], list[int]]:
    """Some rows h of x, those alike together; and the numbers of those that no window reaches."""
    KH, SH, DH, step = window.kernel[0], window.stride[0], window.dilation[0], window.row_step
    place = {p: k for k, p in enumerate(p for first in range(step) for p in range(first, OH, step))}
    alike: dict[tuple[int, ...], list[int]] = {}
    unreached = []
    for h in rows:
        taps = [i for i in range(KH) if not (h - i * DH) % SH and 0 <= (h - i * DH) // SH < OH]
        if taps:
            p = (h - taps[-1] * DH) // SH
            alike.setdefault((*taps, p % step), []).append(h)
        else:
            unreached.append(h - rows.start)
    found = [
        Meeting(
            slice(hs[0] - rows.start, hs[-1] - rows.start + 1, SH * step),
            slice(KH - 1 - taps[-1], KH - taps[0], SH * step // DH),
            len(hs),
            place[(hs[0] - taps[-1] * DH) // SH],
        )
        for (*taps, _), hs in alike.items()
    ]
    return found, unreached
