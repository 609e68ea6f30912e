"""Reference implementations: each formula as loops over its indices, in float64.

Tests compare the fast operations with them. They share no code with these operations and are slow:
one loop per index, with indices named as in `tinynet.window`; `_taps` has those of a window.
Arguments are NumPy arrays; pairs are (height, width).
"""

from __future__ import annotations

import math
from itertools import groupby, product
from operator import itemgetter

import numpy as np

Array = np.ndarray
Two = tuple[int, int]


def output_size(
    size: Two, kernel: Two, stride: Two, padding: Two, dilation: Two
) -> tuple[int, int]:
    """(OH, OW), the number of positions of a window, by counting them."""
    OH, OW = (
        sum(start + d * (k - 1) < n + 2 * p for start in range(0, n + 2 * p, s))
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return OH, OW


def _taps(
    size: Two, kernel: Two, stride: Two, padding: Two, dilation: Two
) -> list[tuple[int, int, int, int, int, int]]:
    """All (p, q, i, j, h, v): tap i, j of the window at p, q lies on h, v, inside the image."""
    (H, W), (SH, SW), (PH, PW), (DH, DW) = size, stride, padding, dilation
    found = []
    for p, q in np.ndindex(*output_size(size, kernel, stride, padding, dilation)):
        for i, j in np.ndindex(*kernel):
            h, v = p * SH + i * DH - PH, q * SW + j * DW - PW
            if 0 <= h < H and 0 <= v < W:
                found.append((p, q, i, j, h, v))
    return found


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Two = (1, 1),
    padding: Two = (0, 0),
    dilation: Two = (1, 1),
    groups: int = 1,
) -> Array:
    """y_nopq = b_o + sum_cij w_ocij x_{n, g C/G + c, p SH + i DH - PH, q SW + j DW - PW}.

    g is the group of the output channel o, floor(o / (OC / groups)).

    Shapes: x (N, C, H, W), w (OC, C/groups, KH, KW), b (OC,); result (N, OC, OH, OW).
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 2.
    """
    (N, _, H, W), (OC, CG, KH, KW) = x.shape, w.shape
    window = (H, W), (KH, KW), stride, padding, dilation
    y = np.zeros((N, OC, *output_size(*window)))
    for n, o in np.ndindex(N, OC):
        y[n, o] = 0.0 if b is None else b[o]
        for c, (p, q, i, j, h, v) in product(range(CG), _taps(*window)):
            y[n, o, p, q] += w[o, c, i, j] * x[n, o // (OC // groups) * CG + c, h, v]
    return y


def conv2d_input(
    gy: Array,
    w: Array,
    size: Two,
    stride: Two = (1, 1),
    padding: Two = (0, 0),
    dilation: Two = (1, 1),
    groups: int = 1,
) -> Array:
    """gx_nchw = sum of gy_nopq w_ocij over the o, p, q, i, j whose product with x_nchw is in y.

    Shapes: gy (N, OC, OH, OW), w (OC, C/groups, KH, KW); result (N, C, *size).
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    (N, OC, *_), (_, CG, KH, KW) = gy.shape, w.shape
    taps = _taps(size, (KH, KW), stride, padding, dilation)
    gx = np.zeros((N, CG * groups, *size))
    for n, o, c, (p, q, i, j, h, v) in product(range(N), range(OC), range(CG), taps):
        gx[n, o // (OC // groups) * CG + c, h, v] += gy[n, o, p, q] * w[o, c, i, j]
    return gx


def conv2d_weight(
    gy: Array,
    x: Array,
    kernel: Two,
    stride: Two = (1, 1),
    padding: Two = (0, 0),
    dilation: Two = (1, 1),
    groups: int = 1,
) -> Array:
    """gw_ocij = sum_npq gy_nopq x_{n, g C/G + c, p SH + i DH - PH, q SW + j DW - PW}.

    Shapes: gy (N, OC, OH, OW), x (N, C, H, W); result (OC, C/groups, *kernel).
    Source: V. Dumoulin and F. Visin, arXiv:1603.07285, section 4.
    """
    (N, C, H, W), OC = x.shape, gy.shape[1]
    CG, taps = C // groups, _taps((H, W), kernel, stride, padding, dilation)
    gw = np.zeros((OC, CG, *kernel))
    for n, o, c, (p, q, i, j, h, v) in product(range(N), range(OC), range(CG), taps):
        gw[o, c, i, j] += gy[n, o, p, q] * x[n, o // (OC // groups) * CG + c, h, v]
    return gw


def im2col(
    x: Array, kernel: Two, stride: Two = (1, 1), padding: Two = (0, 0), dilation: Two = (1, 1)
) -> Array:
    """col[n, c KH KW + i KW + j, p OW + q] = x_{n, c, p SH + i DH - PH, q SW + j DW - PW}.

    Shapes: x (N, C, H, W); result (N, C KH KW, OH OW).
    Source: K. Chellapilla, S. Puri and P. Simard (2006), section 2.
    """
    (N, C, H, W), (KH, KW) = x.shape, kernel
    window = (H, W), kernel, stride, padding, dilation
    OH, OW = output_size(*window)
    col = np.zeros((N, C * KH * KW, OH * OW))
    for n, c, (p, q, i, j, h, v) in product(range(N), range(C), _taps(*window)):
        col[n, (c * KH + i) * KW + j, p * OW + q] = x[n, c, h, v]
    return col


def col2im(
    col: Array,
    size: Two,
    kernel: Two,
    stride: Two = (1, 1),
    padding: Two = (0, 0),
    dilation: Two = (1, 1),
) -> Array:
    """x_nchw = sum of the entries of col that `im2col` would fill from x_nchw.

    Shapes: col (N, C KH KW, OH OW); result (N, C, *size).
    Source: the adjoint of K. Chellapilla, S. Puri and P. Simard (2006), section 2.
    """
    window, (KH, KW) = (size, kernel, stride, padding, dilation), kernel
    (N, rows, _), (_, OW) = col.shape, output_size(*window)
    C = rows // (KH * KW)
    x = np.zeros((N, C, *size))
    for n, c, (p, q, i, j, h, v) in product(range(N), range(C), _taps(*window)):
        x[n, c, h, v] += col[n, (c * KH + i) * KW + j, p * OW + q]
    return x


def max_pool2d(
    x: Array, kernel: Two, stride: Two | None = None, padding: Two = (0, 0), dilation: Two = (1, 1)
) -> Array:
    """y_ncpq = max over i, j of x_{n, c, p SH + i DH - PH, q SW + j DW - PW}, inside x only.

    Shapes: x (N, C, H, W); result (N, C, OH, OW). The stride defaults to the kernel.
    Source: D. Scherer, A. Mueller and S. Behnke (ICANN 2010).
    """
    (N, C, H, W), window = x.shape, (kernel, stride or kernel, padding, dilation)
    y = np.full((N, C, *output_size((H, W), *window)), -np.inf)
    for n, c, (p, q, _, _, h, v) in product(range(N), range(C), _taps((H, W), *window)):
        y[n, c, p, q] = max(y[n, c, p, q], x[n, c, h, v])
    return y


def avg_pool2d(
    x: Array,
    kernel: Two,
    stride: Two | None = None,
    padding: Two = (0, 0),
    count_include_pad: bool = True,
) -> Array:
    """y_ncpq = sum over i, j of x_{n, c, p SH + i - PH, q SW + j - PW}, divided by KH KW.

    Without `count_include_pad`, it divides by the number of entries inside x.

    Shapes: x (N, C, H, W); result (N, C, OH, OW). The stride defaults to the kernel.
    Source: Y. LeCun et al., Proc. IEEE 86 (1998), section II.
    """
    (N, C, H, W), window = x.shape, (kernel, stride or kernel, padding, (1, 1))
    y = np.zeros((N, C, *output_size((H, W), *window)))
    for (p, q), taps in groupby(_taps((H, W), *window), itemgetter(0, 1)):
        places = [(h, v) for *_, h, v in taps]
        count = kernel[0] * kernel[1] if count_include_pad else len(places)
        for n, c in np.ndindex(N, C):
            y[n, c, p, q] = math.fsum(x[n, c, h, v] for h, v in places) / count
    return y


def adaptive_avg_pool2d(x: Array, output_size: Two) -> Array:
    """y_ncpq = mean of x_nchw over floor(p H/OH) <= h < ceil((p+1) H/OH), columns likewise.

    Shapes: x (N, C, H, W); result (N, C, OH, OW).
    Source: K. He et al., Spatial pyramid pooling, arXiv:1406.4729, section 2.3.
    """
    (N, C, H, W), (OH, OW) = x.shape, output_size
    y = np.zeros((N, C, OH, OW))
    for n, c, p, q in np.ndindex(*y.shape):
        rows = range(math.floor(p * H / OH), math.ceil((p + 1) * H / OH))
        columns = range(math.floor(q * W / OW), math.ceil((q + 1) * W / OW))
        inside = [float(x[n, c, h, w]) for h in rows for w in columns]
        y[n, c, p, q] = math.fsum(inside) / len(inside)
    return y


def softmax(x: Array, dim: int = -1) -> Array:
    """y_c = e^(x_c) / sum_k e^(x_k) along `dim`, as long as the exponentials do not overflow.

    Shapes: x any; result like x.
    Source: J. Bridle (1990); C. Bishop, Pattern Recognition and Machine Learning, eq. 4.62.
    """
    rows = np.moveaxis(np.asarray(x, float), dim, -1)
    y = np.zeros(rows.shape)
    for at in np.ndindex(*rows.shape[:-1]):
        total = math.fsum(math.exp(v) for v in rows[at])
        y[at] = [math.exp(v) / total for v in rows[at]]
    return np.moveaxis(y, -1, dim)


def cross_entropy(x: Array, labels: Array) -> Array:
    """y_n = - ln softmax(x)_{n, t_n}, for each example and position.

    Shapes: x (N, C, ...), labels (N, ...) of integers; result (N, ...).
    Source: C. Bishop, Pattern Recognition and Machine Learning, eq. 4.108.
    """
    p = softmax(x, 1)
    y = np.zeros(labels.shape)
    for at in np.ndindex(*labels.shape):
        place = (at[0], int(labels[at]), *at[1:])
        y[at] = -math.log(p[place])
    return y


def _normalised(values: list[float], eps: float) -> list[float]:
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
    return [(v - mean) / math.sqrt(variance + eps) for v in values]


def batch_norm(x: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    """y_nc... = w_c (x_nc... - mean_c) / sqrt(var_c + eps) + b_c, var_c biased, by channel.

    Shapes: x (N, C, ...), w and b (C,); result like x.
    Source: S. Ioffe and C. Szegedy, arXiv:1502.03167, algorithm 1.
    """
    y = np.zeros(x.shape)
    for c in range(x.shape[1]):
        places = [at for at in np.ndindex(*x.shape) if at[1] == c]
        for at, v in zip(places, _normalised([float(x[at]) for at in places], eps), strict=True):
            y[at] = w[c] * v + b[c]
    return y


def layer_norm(x: Array, w: Array, b: Array, eps: float = 1e-5) -> Array:
    """y_i = w_i (x_i - mean) / sqrt(var + eps) + b_i over the last axes, var biased.

    Shapes: x (..., *w.shape), w and b of one shape; result like x.
    Source: J. Ba, J. Kiros and G. Hinton, arXiv:1607.06450, eq. 3.
    """
    y = np.zeros(x.shape)
    for lead in np.ndindex(*x.shape[: x.ndim - w.ndim]):
        places = list(np.ndindex(*w.shape))
        values = _normalised([float(x[lead + i]) for i in places], eps)
        for i, v in zip(places, values, strict=True):
            y[lead + i] = w[i] * v + b[i]
    return y
