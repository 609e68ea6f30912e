"""The columns of im2col at 1/KH of their size: strips, under the three convolutions.

The column of an output cell is its window of x, KH KW C numbers, as a vector. Written out, columns
are KH KW times the input. A *strip* is a row of x unrolled along the width alone,

    strip[h, c, j, q, n] = x[c, h, q SW + j DW, n],

KW times the input; and in memory, the columns of output row p are the KH strips of its rows of x,
one after the other. The next output row's begin SH strips later and, if SH < KH, share the others.
So the columns are a view of the strips that overlaps itself: a matrix for each output row, of which
no copy is made. Where rows have few cells, and on a GPU, whose library would copy them anyhow, a
product for each row would be too small: there columns are written out as one matrix.

With dilation those strips lie DH apart. Then output rows are taken in classes, p, p + step, ...,
whose strips are each DH-th: within a class all is as without dilation.

Sizes, and the memory order with N innermost: `windows`. Arrays are padded, and with groups G the
channels c are those of one group.

Source: M. Cho and D. Brand, MEC: memory-efficient convolution for deep neural network (ICML 2017),
arXiv:1706.06873.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from tinynet.backend import array_module, device_of
from tinynet.memory import as_strided, block_bytes, workspace
from tinynet.ops.windows import Window, window_view


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


SHORTEST = 256  # cells of a row, from which on it is worth a product of its own


def too_short(row: int, like: Any) -> bool:
    """Whether `row`, OW N, is too few cells for a product of their own: on a GPU any number is."""
    return row < SHORTEST or device_of(like) != "cpu"


def blocks(x: Any, window: Window, OH: int, OW: int) -> tuple[Block, ...]:
    """All output cells of x (C, H, W, N), in blocks whose `columns` are made at a time.

    A block is some rows of a class, or a part of a row.
    """
    C, _, _, N = x.shape
    strip = C * window.kernel[1] * OW * N * x.itemsize
    return _blocks(window, OH, OW, strip, too_short(OW * N, x), block_bytes(x))


# Kept, as `meetings` is: it depends on sizes alone, which are the same in every step.
@functools.lru_cache(maxsize=256)
def _blocks(
    window: Window, OH: int, OW: int, strip: int, short: bool, limit: int
) -> tuple[Block, ...]:
    KH = window.kernel[0]
    if short:
        found = row_blocks(range(OH), KH * strip, limit)
        return tuple([Block(rows.start, 1, len(rows), 0, OW) for rows in found])
    step = window.row_step
    advance = window.stride[0] * step // window.dilation[0]  # strips from one row to the next
    width = columns_at_a_time(KH * strip, OW, limit)
    return tuple([
        Block(first + step * rows.start, step, len(rows), left, min(left + width, OW))
        for first in range(min(step, OH))
        for rows in row_blocks(
            range(len(range(first, OH, step))), advance * strip, limit, (KH - advance) * strip
        )
        for left in range(0, OW, width)
    ])  # fmt: skip


def row_blocks(rows: range, size: int, limit: int, fixed: int = 0) -> list[range]:
    """Rows of `size` bytes each, in blocks of about equal length.

    A block also takes `fixed` bytes whatever its length. All rows are one block, if that is less
    than 3/8 of `limit` (see `block_bytes`) and so not worth two threads; else two blocks or more,
    of up to three times `limit`: so much is in the cache still when it is read.
    """
    most, at_most = len(rows), 3 * limit  # rows in a block, and its bytes
    if most * size > at_most // 8:
        most = max(1, min(-(-most // 2), (at_most - fixed) // size))
    length = -(-len(rows) // -(-len(rows) // most)) if rows else 1
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def columns_at_a_time(size: int, OW: int, limit: int) -> int:
    """How many of the OW columns of a row of `size` bytes fit in a block."""
    return max(1, min(OW, 3 * OW * limit // max(1, size)))


def columns(x: Any, window: Window, OW: int, block: Block, groups: int) -> Any:
    """v[p, g, (i, c, j), (q, n)] = x[c of g, p SH + i DH, q SW + j DW, n] for p, q of a block.

    A view of strips: read-only, and valid until the next call. Short rows are written out as a
    single one, v[0, g, (c, i, j), (p, q, n)].
    """
    (KH, KW), (SH, SW), (DH, DW) = window.kernel, window.stride, window.dilation
    C, H, _, N = x.shape
    sc, sh, sw, sn = x.strides
    K, cells = C // groups * KH * KW, (block.right - block.left) * N
    if too_short(OW * N, x):
        OH = (H - DH * (KH - 1) - 1) // SH + 1
        view = window_view(x, window, OH, OW)[:, :, :, block.rows]
        copy = workspace("columns", view.shape, view)
        copy[...] = view
        return copy.reshape(1, groups, K, block.count * cells)
    strips = as_strided(x, (H, C, KW, OW, N), (sh, sc, sw * DW, sw * SW, sn))
    advance = SH * block.step // DH
    top, height = block.first * SH, (block.count - 1) * advance + KH
    strips = strips[top : top + (height - 1) * DH + 1 : DH, :, :, block.left : block.right]
    strips = strips.reshape(height, groups, C // groups, *strips.shape[2:]).swapaxes(0, 1)
    copy = workspace("columns", strips.shape, strips)
    copy[...] = strips
    return as_strided(
        copy, (block.count, groups, K, cells),
        (advance * copy.strides[1], copy.strides[0], cells * copy.itemsize, copy.itemsize),
    )  # fmt: skip


def beside(col: Any, y: Any, block: Block, N: int) -> Any:
    """The block of y (G, C, OH, OW N) as (rows, G, C, cells), in the rows of its `columns`."""
    part = y[:, :, block.rows, block.cells(N)]
    if len(col) < block.count:
        G, C, rows, cells = part.shape
        part = part.reshape(G, C, 1, rows * cells)  # whole rows in one piece: a view
    return part.transpose(2, 0, 1, 3)


def col2im(x: Any, strips: Any, window: Window, width: int) -> None:
    """The adjoint of unrolling: add strips (rows, G, C/G KW, width N) into x (C, rows, W, N).

    A cell of x is in as many strips as windows cover it along the width. Copying gave each of them
    its value, so its gradient is the sum of theirs: += and not =.
    """
    C, height, _, N = x.shape
    KW, SW, DW = window.kernel[1], window.stride[1], window.dilation[1]
    strips = strips.reshape(height, C, KW, width, N).swapaxes(0, 1)
    for j in range(KW):
        x[:, :, j * DW : j * DW + SW * (width - 1) + 1 : SW] += strips[:, :, j]


# Which rows of gy and of the kernel a row of x belongs to. Row h was read by output row p through
# row i of the kernel if p SH + i DH = h: each pair (p, i) adds w_i gy_p to the gradient of its
# strip. As i goes down by SH / gcd(SH, DH), p goes up by DH / gcd(SH, DH), the step of the classes.
# For KH = 3, SH = 2, DH = 1, rows h = 4 and 6 have the pairs (1, 2), (2, 0) and (2, 2), (3, 0): the
# same rows of the kernel, and neighbouring rows of gy. Those are one `Meeting`.


def side_by_side(gt: Any, window: Window) -> Any:
    """A copy of gt (G, OH, OC/G, OW N), class by class: rows that meet in a row of x become
    neighbours, each with all its channels."""
    step, xp = window.row_step, array_module(gt)
    if step == 1:
        return xp.ascontiguousarray(gt)
    return xp.ascontiguousarray(xp.concatenate([gt[:, p::step] for p in range(step)], axis=1))


@dataclass(frozen=True)
class Meeting:
    """Rows of x, `count` of them, to which the same rows of the kernel led.

    Attributes:
        rows: which of a piece of x.
        taps: the kernel's rows, counted from its last one, as p goes up: of KH = 3 rows, 2 and 0
            are slice(0, 3, 2).
        number: how many taps.
        count: how many rows of x.
        place: where the first one's rows of gy begin in `side_by_side`; the next one's do one on.
    """

    rows: slice
    taps: slice
    number: int
    count: int
    place: int

    def neighbours(self, gt: Any, cells: slice) -> Any:
        """v[g, h, (p, o), (q, n)] = gy[o of g, p, q, n] for each row h and its p: a view."""
        G, OH, OC, row = gt.shape
        shape = (G, OH - self.number + 1, self.number * OC, row)
        size = gt.itemsize  # and not gt.strides, which may be anything along an axis of length 1
        strides = (OH * OC * row * size, OC * row * size, row * size, size)
        view = as_strided(gt, shape, strides)
        return view[:, self.place : self.place + self.count, :, cells]


# Kept, since it is Python alone: a thread at it holds the lock that the others wait for.
@functools.lru_cache(maxsize=256)
def meetings(window: Window, rows: range, OH: int) -> tuple[tuple[Meeting, ...], tuple[int, ...]]:
    """Some rows h of x, those alike together; and the numbers of those that no window reaches."""
    KH, SH, DH, step = window.kernel[0], window.stride[0], window.dilation[0], window.row_step
    alike: dict[tuple[int, ...], list[int]] = {}
    unreached = []
    for h in rows:
        taps = [i for i in range(KH) if not (h - i * DH) % SH and 0 <= (h - i * DH) // SH < OH]
        if taps:
            p = (h - taps[-1] * DH) // SH
            alike.setdefault((*taps, p % step), []).append(h)
        else:
            unreached.append(h - rows.start)
    found = []
    for (*taps, first), hs in alike.items():
        # the classes before this one have OH // step rows each, or one more
        before = first * (OH // step) + min(first, OH % step)
        found.append(
            Meeting(
                slice(hs[0] - rows.start, hs[-1] - rows.start + 1, SH * step),
                slice(KH - 1 - taps[-1], KH - taps[0], SH * step // DH),
                len(taps),
                len(hs),
                before + (hs[0] - taps[-1] * DH) // SH // step,
            )
        )
    return tuple(found), tuple(unreached)
