"""The geometry of a sliding window, in one, two or three dimensions.

Every file that slides a window uses these sizes. They are those of images; with one spatial axis
(W) or three (D, H, W) the formulas have fewer or more indices.

    N examples; C channels, H height, W width of the input
    OC, OH, OW of the output; KH, KW of the kernel (the window)
    SH, SW stride; PH, PW padding on each side; DH, DW dilation (step between the window's taps)

Output cell (p, q) sees rows p SH + i DH, i < KH, and columns q SW + j DW, j < KW, of the padded
input. So OH = (H + 2 PH - DH (KH - 1) - 1) // SH + 1; trailing rows that no window reaches are
ignored.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

Pair = int | tuple[int, int]
Sizes = int | tuple[int, ...]
Ints = tuple[int, ...]

_ALL = slice(None)
_AXES = {"D": "depth", "H": "height", "W": "width"}
_NUMBERS = {1: "one", 2: "two", 3: "three"}


@dataclasses.dataclass(frozen=True)
class Window:
    """The validated geometry of a sliding window, with one number for each spatial axis.

    Attributes:
        kernel: number of taps.
        stride: the step from one window to the next, 1 by default.
        padding: cells added on each side, 0 by default.
        dilation: the step from one tap to the next, 1 by default.
        end: cells added at the end of each axis besides the padding, 0 by default.

    Raises:
        TypeError: for sizes that are not integers.
        ValueError: for more than three axes, for tuples of different lengths, and for a kernel,
            stride or dilation below 1, or a padding or end below 0.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.kernel)
        if n not in _NUMBERS:
            raise ValueError(f"Window: kernel is {self.kernel}; it must have one to three sizes")
        leasts = {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1, "end": 0}
        for name, least in leasts.items():
            sizes = tuple(map(operator.index, getattr(self, name))) or (least,) * n
            if len(sizes) != n or min(sizes) < least:
                raise ValueError(
                    f"Window: {name} is {sizes}; it must have length {n} and entries >= {least}"
                )
            object.__setattr__(self, name, sizes)

    @functools.cached_property
    def axes(self) -> tuple[str, ...]:
        """The letters of the spatial axes: ("H", "W") in two dimensions."""
        return tuple(_AXES)[-len(self.kernel) :]

    @functools.cached_property
    def taps_count(self) -> int:
        """KH KW, the number of cells that a window covers."""
        return math.prod(self.kernel)

    @functools.cached_property
    def pads(self) -> bool:
        """Whether cells are added to the input at all."""
        return any(self.padding) or any(self.end)

    @functools.cached_property
    def disjoint(self) -> bool:
        """Whether no two windows share an input cell."""
        sides = zip(self.kernel, self.dilation, self.stride, strict=True)
        return all(s > d * (k - 1) for k, d, s in sides)

    def tiles(self, size: tuple[int, ...]) -> bool:
        """Whether each cell of an input (H, W) is in one window, and the padding in none."""
        return (
            self.kernel == self.stride
            and not self.pads
            and all(d == 1 or k == 1 for d, k in zip(self.dilation, self.kernel, strict=True))
            and all(n % k == 0 for n, k in zip(size, self.kernel, strict=True))
        )

    def padded(self, size: Sequence[int]) -> tuple[int, ...]:
        """The size of an input (H, W) with its padding."""
        sides = zip(size, self.padding, self.end, strict=True)
        return tuple([n + 2 * p + e for n, p, e in sides])

    def rounded_up(self, size: Sequence[int]) -> Window:
        """The window with an `end` that lets its positions cover all of an input (H, W).

        The last position may pass the end, but begins in the input or in the padding before it.
        """
        return _rounded_up(self, tuple(size))

    def inside(self, size: Sequence[int]) -> tuple[slice, ...]:
        """The index of an input (C, H, W, N) of size (H, W) in the padded input."""
        return (_ALL, *[slice(p, p + n) for n, p in zip(size, self.padding, strict=True)])

    def output(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(OH, OW) for an input (N, C, H, W).

        Raises:
            ValueError: if the input has another number of axes, or the window is larger than the
                padded input; the message begins with `name`.
        """
        if len(shape) != len(self.kernel) + 2:
            raise ValueError(
                f"{name}: input has shape {tuple(shape)}; it must be "
                f"(N, C, {', '.join(self.axes)}): examples, channels, "
                f"{', '.join(_AXES[a] for a in self.axes)}"
            )
        cells = _cells(self.kernel, self.stride, self.padding, self.dilation, self.end, shape[2:])
        if not cells:
            extent = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
            size = self.padded(shape[2:])
            raise ValueError(
                f"{name}: the window of {_size_as_text(extent)} (kernel {self.kernel}, dilation "
                f"{self.dilation}) is larger than the padded input of {_size_as_text(size)} "
                f"(input {tuple(shape)}, padding {self.padding})"
            )
        return cells

    def taps(self, cells: tuple[int, ...]) -> tuple[tuple[slice, ...], ...]:
        """For each tap of the window, in reading order, the index of the cells of the padded input
        (C, H, W, N) that it reads for all output cells (OH, OW)."""
        return _taps(self.kernel, self.stride, self.dilation, cells)


# Cached, like the functions below: the sizes are the same in every step.
@functools.lru_cache(maxsize=256)
def _cells(
    kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, end: Ints, size: Ints
) -> tuple[int, ...]:
    """The output cells along each axis; () if the window is larger than the padded input."""
    sides = zip(size, kernel, stride, padding, dilation, end, strict=True)
    cells = tuple([(n + 2 * p + e - d * (k - 1) - 1) // s + 1 for n, k, s, p, d, e in sides])
    return cells if min(cells) > 0 else ()


@functools.lru_cache(maxsize=256)
def _rounded_up(window: Window, size: Ints) -> Window:
    ends = []
    sides = zip(size, window.kernel, window.stride, window.padding, window.dilation, strict=True)
    for n, k, s, p, d in sides:
        reach = d * (k - 1) + 1
        steps = -(-(n + 2 * p - reach) // s)
        if steps * s >= n + p:  # the window would see nothing but the padding after the input
            steps -= 1
        ends.append(max(0, steps * s + reach - n - 2 * p))
    return dataclasses.replace(window, end=tuple(ends))


@functools.lru_cache(maxsize=256)
def _taps(kernel: Ints, stride: Ints, dilation: Ints, cells: Ints) -> tuple[tuple[slice, ...], ...]:
    met = [
        [slice(i * d, i * d + s * (n - 1) + 1, s) for i in range(k)]
        for k, s, d, n in zip(kernel, stride, dilation, cells, strict=True)
    ]
    return tuple(itertools.product([_ALL], *met))


def _size_as_text(sizes: Sequence[int]) -> str:
    """A size in the form ``3x5``."""
    return "x".join(map(str, sizes))


def ntuple(name: str, argument: str, value: Any, n: int, least: int) -> tuple[int, ...]:
    """Expand an integer, or a sequence of n, to a tuple of n.

    Raises:
        TypeError: for anything but integers.
        ValueError: for another number of integers, or one below `least`.
    """
    # The usual cases first: isinstance with Sequence is slow.
    if type(value) is int and value >= least:
        return (value,) * n
    if type(value) is tuple and [*map(type, value)] == [int] * n and min(value) >= least:
        return value
    sizes = tuple(value) if isinstance(value, Sequence) else (value,) * n
    sizes = sizes * n if len(sizes) == 1 else sizes
    wanted = f"an integer or {_NUMBERS[n]} integers" if n > 1 else "an integer"
    shown = repr(value) if isinstance(value, str) else str(value)
    try:
        sizes = tuple(map(operator.index, sizes))
    except TypeError:
        raise TypeError(f"{name}: {argument} is {shown}; it must be {wanted}") from None
    if len(sizes) != n:
        raise ValueError(f"{name}: {argument} is {shown}; it must be {wanted}")
    if min(sizes) < least:
        raise ValueError(f"{name}: {argument} is {value}; it must be at least {least}")
    return sizes


def pair(name: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    """`ntuple` for (height, width)."""
    height, width = ntuple(name, argument, value, 2, least)
    return height, width


def make_window(
    name: str,
    kernel_size: Sizes,
    stride: Sizes = 1,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    end: Ints = (),
    *,
    n: int = 2,
) -> Window:
    """A window over `n` spatial axes; each argument but `end` is an integer or n of them.

    Equal arguments give the same object, so a layer's window is built once.

    Raises:
        ValueError: if kernel, stride or dilation is below 1 or padding below 0.
        TypeError: for anything but integers and tuples of them.
    """
    return _window(
        ntuple(name, "kernel_size", kernel_size, n, 1),
        ntuple(name, "stride", stride, n, 1),
        ntuple(name, "padding", padding, n, 0),
        ntuple(name, "dilation", dilation, n, 1),
        end,
    )


_window = functools.lru_cache(maxsize=256)(Window)
