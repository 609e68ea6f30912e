"""Hypothesis strategies for arrays, shapes, geometries and networks that tend to break array code.

This is the only file here that needs Hypothesis. Hypothesis draws the shape, the memory order and a
seed for the numbers, since drawing hundreds of floats one by one is slow and shrinks badly.

Source: D. MacIver, Z. Hatfield-Dodds et al., Hypothesis: a new approach to property-based testing,
J. Open Source Software 4 (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from tinynet import nn
from tinynet.random import manual_seed
from tinynet.testing.definitions import output_size

LAYOUTS = ("C", "F", "transposed", "negative", "sliced", "offset")
KINDS = ("normal", "separated", "positive", "tied", "near_tied")


def with_layout(a: np.ndarray, layout: str) -> np.ndarray:
    """Return an array equal to `a` with another memory layout.

    Args:
        a: any array.
        layout: "C" or "F" order; "transposed", a view whose axes are rotated by one; "negative", a
            view with negative strides along all axes; "sliced", every second entry along each axis
            of a larger array; "offset", a block inside a larger array.
    """
    if layout == "C" or a.ndim == 0:
        return np.array(a, order="C")
    if layout == "F":
        return np.array(a, order="F")
    if layout == "transposed":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)
    backwards = (slice(None, None, -1),) * a.ndim
    if layout == "negative":
        return np.ascontiguousarray(a[backwards])[backwards]
    # surrounding values that would show up if they were read
    if layout == "sliced":
        block = np.full([2 * n + 1 for n in a.shape], 77, a.dtype)
        view = block[tuple(slice(1, None, 2) for _ in a.shape)]
    elif layout == "offset":
        block = np.full([n + 3 for n in a.shape], 77, a.dtype)
        view = block[tuple(slice(2, n + 2) for n in a.shape)]
    else:
        raise ValueError(f"with_layout: layout is {layout!r}; it must be one of {LAYOUTS}")
    view[...] = a
    return view


def contents(shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw float64 numbers of one kind.

    Args:
        shape: shape of the result.
        kind: "normal"; "separated": all entries at least 1/80 from each other and from 0, so max,
            |x| and ReLU have no kink nearby; "positive": from 0.3 to 2.5; "tied": few distinct
            values, including 0, each many times; "near_tied": like "separated", but with pairs that
            differ by only 1e-4, which is still far more than a difference step.
        rng: the generator to draw from.
    """
    n = int(np.prod(shape))
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "positive":
        return rng.uniform(0.3, 2.5, shape)
    if kind == "tied":
        return rng.choice([-1.0, 0.0, 0.0, 0.5], shape)
    if kind not in KINDS:
        raise ValueError(f"contents: kind is {kind!r}; it must be one of {KINDS}")
    gap = max(0.05, 4.0 / max(n, 1))
    order = rng.permutation(n)
    values = (order - n // 2 + 0.5 + rng.uniform(-0.125, 0.125, n)) * gap
    if kind == "near_tied":
        place = np.argsort(order)  # the place of the k-th smallest
        values[place[1::2]] = values[place[0 : 2 * (n // 2) : 2]] + 1e-4
    return values.reshape(shape)


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> Any:
    """Shapes, including axes of size 0 and 1."""
    return st_numpy.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )


@st.composite
def arrays(
    draw: Callable[..., Any], shape: Any = None, kind: str = "normal", dtype: str = "float64"
) -> np.ndarray:
    """Arrays of one kind in any memory layout; shape is a tuple or a strategy, by default any."""
    if shape is None:
        shape = shapes()
    shape = shape if isinstance(shape, tuple) else draw(shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    a = contents(shape, kind, rng).astype(dtype)
    return with_layout(a, draw(st.sampled_from(LAYOUTS)))


@st.composite
def broadcastable_shapes(
    draw: Callable[..., Any],
    count: int = 2,
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 4,
) -> tuple[tuple[int, ...], ...]:
    """`count` shapes that broadcast with each other: (), missing axes, sizes 1 and 0."""
    found = draw(
        st_numpy.mutually_broadcastable_shapes(
            num_shapes=count, max_dims=max_dims, min_side=min_side, max_side=max_side
        )
    )
    return tuple(found.input_shapes)


@dataclass(frozen=True)
class Geometry:
    """A sliding window that fits its input; names as in `tinynet.window`."""

    N: int
    C: int
    H: int
    W: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    OC: int = 1
    groups: int = 1

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.N, self.C, self.H, self.W

    @property
    def w_shape(self) -> tuple[int, int, int, int]:
        return self.OC, self.C // self.groups, *self.kernel

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """(N, OC, OH, OW)"""
        return self.N, self.OC, *output_size((self.H, self.W), **self.window)

    @property
    def window(self) -> dict[str, tuple[int, int]]:
        """kernel, stride, padding and dilation, by name."""
        return {k: getattr(self, k) for k in ("kernel", "stride", "padding", "dilation")}


def _pair(least: int, most: int) -> Any:
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def _windows(draw: Callable[..., Any], half_padding: bool, dilated: bool) -> dict[str, Any]:
    """The fields of a `Geometry` but for its channels."""
    kernel, stride = draw(_pair(1, 3)), draw(_pair(1, 3))
    dilation = draw(_pair(1, 2)) if dilated else (1, 1)
    most = [k // 2 if half_padding else 2 for k in kernel]
    padding = tuple(draw(st.integers(0, m)) for m in most)
    sizes = []
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        least = max(d * (k - 1) + 1 - 2 * p, 1)
        sizes.append(draw(st.integers(least, least + 3)))  # often with rows left over
    window = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return {"N": draw(st.integers(0, 2)), "H": sizes[0], "W": sizes[1], **window}


@st.composite
def convolutions(draw: Callable[..., Any]) -> Geometry:
    """Convolutions that fit: stride, padding, dilation, groups, N = 0, rows left over."""
    groups = draw(st.integers(1, 3))
    C, OC = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    return Geometry(C=C, OC=OC, groups=groups, **draw(_windows(False, True)))


@st.composite
def poolings(draw: Callable[..., Any], dilated: bool = True) -> Geometry:
    """Poolings that fit, overlapping or with gaps; the padding is at most half of the kernel."""
    C = draw(st.integers(1, 2))
    return Geometry(C=C, OC=C, **draw(_windows(True, dilated)))


@st.composite
def networks(draw: Callable[..., Any]) -> tuple[nn.Module, np.ndarray]:
    """A small network of smooth layers in float64, and an input for it.

    Up to three linear layers, possibly after a convolution, a normalisation and an average pooling.
    It has no kinks, so `check_grads` passes to second order.

    Returns:
        (model, x): x is (N, features) or (N, C, H, W).
    """
    seed = draw(st.integers(0, 2**32 - 1))
    manual_seed(seed)
    smooth = st.sampled_from((nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus))
    N, layers = draw(st.integers(2, 3)), []
    if draw(st.booleans()):
        C, OC = draw(st.integers(1, 2)), draw(st.integers(1, 3))
        H, W = draw(_pair(4, 5))
        x_shape: tuple[int, ...] = (N, C, H, W)
        layers += [nn.Conv2d(C, OC, 2, padding=draw(st.integers(0, 1))), draw(smooth)()]
        if draw(st.booleans()):
            layers.append(nn.BatchNorm2d(OC, track_running_stats=False))
        layers += [nn.AdaptiveAvgPool2d((2, 1)), nn.Flatten()]
        size = OC * 2
    else:
        size = draw(st.integers(1, 4))
        x_shape = (N, size)
    for _ in range(draw(st.integers(1, 3))):
        out = draw(st.integers(1, 4))
        layers += [nn.Linear(size, out), draw(smooth)()]
        if out > 2 and draw(st.booleans()):
            layers.append(nn.LayerNorm(out, eps=1e-2))
        size = out
    x = np.random.default_rng(seed).standard_normal(x_shape)
    return nn.Sequential(*layers).double(), x
