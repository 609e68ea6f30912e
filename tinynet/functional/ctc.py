"""ctc_loss: the probability that a sequence of frames reads as a sequence of labels."""

from __future__ import annotations

from typing import Any

from tinynet.autograd import Value, raw
from tinynet.backend import constant, is_array
from tinynet.functional.losses import reduced
from tinynet.functions.arguments import integer
from tinynet.functions.public import function, shown
from tinynet.functions.stacking import stack
from tinynet.ops import softmax
from tinynet.ops.arithmetic import where
from tinynet.ops.shape import pad
from tinynet.tensor import Tensor

NEVER = -1e30  # ln 0, as a number whose differences are numbers


@function
def ctc_loss(
    log_probs: Tensor,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """loss = -ln P(target), the sum of P(path) = prod_t p_t(path_t) over all paths that read so.

    A path has a label or a blank for each frame t. It reads as the target if that is left when
    repeated labels become one and then blanks go: "a a - a b" reads "a a b".

    With the target's labels between blanks, z = (-, z_1, -, z_2, ..., -) of length 2 L + 1, let
    a_t(s) be ln of the probability of reading z_1 ... z_s in t frames. Then::

        a_t(s) = ln p_t(z_s) + ln(e^a_{t-1}(s) + e^a_{t-1}(s-1) + e^a_{t-1}(s-2))

    where the last term is there only if z_s is a label other than z_{s-2}; and P(target) is the sum
    of the last two entries of e^a_T.

    `log_probs` is normalised again, which changes no logarithm of probabilities, so that its
    gradient is PyTorch's: p_t(c) minus the probability that frame t is read as c.

    Args:
        log_probs: (T, N, C) or (T, C): logarithms of probabilities, from `log_softmax`.
        targets: labels (N, S), of which each row's first `target_lengths` count; or all of them one
            after another, (sum of target_lengths,).
        input_lengths: N numbers of frames, at most T.
        target_lengths: N numbers of labels.
        blank: the class of the blank.
        reduction: "mean" divides each loss by its number of labels first; "sum" or "none".
        zero_infinity: take 0 instead of Inf for a target that is too long for its frames. The
            gradient of such a loss is 0 in either case.

    Source: A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, Connectionist temporal
    classification, ICML 2006, section 4.1.
    """
    if log_probs.dtype.kind != "f":
        raise TypeError(f"ctc_loss: log_probs is {log_probs.dtype}; convert it with .float()")
    if log_probs.ndim not in (2, 3) or log_probs.shape[0] == 0:
        raise ValueError(
            f"ctc_loss: log_probs has shape {tuple(log_probs.shape)}; it must be (T, N, C) or "
            "(T, C) with T > 0"
        )
    alone = log_probs.ndim == 2
    x: Any = log_probs.unsqueeze(1) if alone else log_probs
    narrow = x.dtype.itemsize == 2
    frames, count, classes = x.shape
    blank = integer("ctc_loss", "blank", blank)
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank is {blank}; it must be one of the {classes} classes")
    inputs = _lengths("input_lengths", input_lengths, count)
    labels = _rows(targets, _lengths("target_lengths", target_lengths, count), classes)
    for n, t in enumerate(inputs):
        if t > frames:
            raise ValueError(
                f"ctc_loss: input_lengths[{n}] is {t}, but log_probs has {frames} frames"
            )
    x = softmax.log_softmax(x.float() if narrow else x, dim=2)
    losses = _losses(x, labels, inputs, blank)
    infinite = raw(losses) > -0.1 * NEVER
    losses = where(infinite, 0.0 if zero_infinity else float("inf"), losses)
    if reduction == "mean":
        lengths = [float(max(len(row), 1)) for row in labels]
        losses = losses / constant(lengths, losses._data, losses.dtype)
    if alone:
        losses = losses.reshape(())
    out = reduced("ctc_loss", losses, reduction)
    return out.to(log_probs.dtype) if narrow else out


def _losses(x: Any, labels: list[list[int]], inputs: list[int], blank: int) -> Any:
    """-ln P for each row of labels, from x (T, N, C)."""
    frames, count, _ = x.shape
    width = 2 * max(map(len, labels)) + 1
    z, skips, ends = [], [], []
    for row in labels:
        full = [blank] * width
        full[1 : 2 * len(row) : 2] = row
        z.append(full)
        skips.append([
            0.0 if s > 1 and full[s] not in (blank, full[s - 2]) else NEVER for s in range(width)
        ])  # fmt: skip
        ends.append([0.0 if s in (2 * len(row), 2 * len(row) - 1) else NEVER for s in range(width)])
    like = x._data
    index = type(x).result_type(constant([z], like, "int64"))
    emitted = x.gather(2, index.expand(frames, count, width)).clamp(min=NEVER).unbind(0)
    skip = constant(skips, like, x.dtype)
    start = [[0.0] + [NEVER] * (width - 1)] * count  # before the first frame
    a: Any = type(x).result_type(constant(start, like, x.dtype))
    for t in range(max(inputs)):
        before = pad(a, widths=((0, 0), (2, 0)), value=NEVER)
        terms = stack([a, before[:, 1:-1], before[:, :-2] + skip])
        new = softmax.logsumexp(terms, dim=0) + emitted[t]
        over = [[t >= n] for n in inputs]
        a = where(constant(over, like, "bool"), a, new) if any(t >= n for n in inputs) else new
    return -softmax.logsumexp(a + constant(ends, like, x.dtype), dim=1)


def _lengths(name: str, lengths: Any, count: int) -> list[int]:
    if isinstance(lengths, Value) or is_array(lengths):
        if raw(lengths).dtype.kind not in "iu":
            raise TypeError(f"ctc_loss: {name} is {shown(lengths)}; it must hold integers")
        lengths = raw(lengths).reshape(-1).tolist()
    found = list(lengths) if isinstance(lengths, list | tuple) else [lengths]
    found = [integer("ctc_loss", name, n) for n in found]
    if len(found) != count or min(found, default=0) < 0:
        raise ValueError(
            f"ctc_loss: {name} is {shown(found)}; it must be {count} numbers, at least 0"
        )
    return found


def _rows(targets: Any, lengths: list[int], classes: int) -> list[list[int]]:
    """The labels of each example."""
    if not isinstance(targets, Value) and not is_array(targets):
        raise TypeError(f"ctc_loss: targets is {shown(targets)}; it must be a Tensor")
    t = raw(targets)
    if t.dtype.kind not in "iu" or t.ndim not in (1, 2):
        raise TypeError(
            f"ctc_loss: targets is {shown(targets)}; it must hold labels (N, S), or all of them in "
            "one axis"
        )
    if t.ndim == 2:
        if t.shape[0] != len(lengths) or max(lengths, default=0) > t.shape[1]:
            raise ValueError(
                f"ctc_loss: targets has shape {tuple(t.shape)}, but there are {len(lengths)} "
                f"examples with up to {max(lengths, default=0)} labels"
            )
        rows = [row[:n] for row, n in zip(t.tolist(), lengths, strict=True)]
    else:
        if t.shape[0] != sum(lengths) and not (len(lengths) == 1 and t.shape[0] >= lengths[0]):
            raise ValueError(
                f"ctc_loss: targets has {t.shape[0]} labels, but target_lengths add up to "
                f"{sum(lengths)}"
            )
        flat, rows = t.tolist(), []
        for n in lengths:
            rows.append(flat[:n])
            flat = flat[n:]
    for row in rows:
        for label in row:
            if not 0 <= label < classes:
                raise ValueError(
                    f"ctc_loss: a label is {label}; it must be one of the {classes} classes"
                )
    return rows
