"""FlatParameters: several parameters updated as one flat array.

An update makes about a dozen array calls. Parameter by parameter, a network of many small ones
pays for a dozen calls each; on all of them at once, each call streams through megabytes. So
parameters are joined in runs of about `BLOCK` entries, which stay in the cache from the first call
to the last.

Only the state of the optimizer is stored flat. Parameters and gradients remain ordinary arrays,
which may be replaced at any time: gradients are copied to the flat array, unless a run has only
one, and the updates are subtracted from each parameter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tinynet import backend, memory
from tinynet.autograd import raw
from tinynet.dtypes import float16, widened
from tinynet.tensor import Tensor

# Long enough that the handover to another thread costs little: Adam on 670,000 entries took 2.4 ms
# on two cores, 3.1 ms with half this length, and 3.2 ms on one core.
BLOCK = 1 << 17


class FlatParameters:
    """Parameters of one dtype on one device, and their state in flat arrays.

    For parameters of float16 the state is float32, and a step is computed in float32 and rounded
    once: in float16 an eps of 1e-8 is 0, and the square of 300 infinite.

    Parameter i has the entries ends[i] to ends[i + 1] of a flat array.
    """

    def __init__(self, params: list[Tensor]) -> None:
        self.params = params
        self.shapes = [p.shape for p in params]
        self.ends = [0, *itertools.accumulate(p.numel() for p in params)]
        self.steps = [0] * len(params)  # for each the updates of its state; 0 without state
        self.carried: list[dict[str, float]] = [{} for _ in params]  # see `Optimizer._carried`
        self.dtype, self.device = params[0].dtype, params[0].device
        # an empty array of their device and the dtype of the state
        self.like = widened(params[0]._data.reshape(-1)[:0])
        self.slots: dict[str, Any] = {}  # the state arrays by name

    def takes(self, data: Any) -> bool:
        """Whether an array has the dtype and device of these parameters."""
        return data.dtype == self.dtype and backend.device_of(data) == self.device

    def slot(self, name: str) -> Any:
        """The state array of that name, initially zeros."""
        if name not in self.slots:
            self.slots[name] = backend.zeros((self.ends[-1],), self.like)
        return self.slots[name]

    def view(self, flat: Any, i: int, start: int = 0) -> Any:
        """A view of the part of a flat array that belongs to parameter i, in its shape.

        The flat array begins at entry `start` of a slot.
        """
        return flat[self.ends[i] - start : self.ends[i + 1] - start].reshape(self.shapes[i])

    def runs(self) -> Iterator[tuple[int, int]]:
        """Ranges (first, last) of adjacent parameters that are updated together.

        They have gradients, equal step counts and equal carried numbers, as Adam's bias correction
        requires. A range has at most `BLOCK` entries, or a single parameter.
        """
        first, n = 0, len(self.params)
        while first < n:
            if self.params[first]._grad is None:
                first += 1
                continue
            last = first + 1
            while (
                last < n
                and self.params[last]._grad is not None
                and self.steps[last] == self.steps[first]
                and self.carried[last] == self.carried[first]
                and self.ends[last + 1] - self.ends[first] <= BLOCK
            ):
                last += 1
            yield first, last
            first = last

    def pieces(self) -> Iterator[tuple[int, int, int, int]]:
        """(first, last, start, stop): what one call of `_update` covers, a run and its entries.

        On a CPU a run of one large, contiguous parameter is cut into pieces of `BLOCK` entries.
        On a GPU a call costs more than the cache saves, so every run is one piece.
        """
        for first, last in self.runs():
            lo, hi = self.ends[first], self.ends[last]
            size = max(hi - lo, 1)
            if last - first == 1 and backend.device_of(self.like) == "cpu":
                p = self.params[first]
                if memory.is_contiguous(p._data) and memory.is_contiguous(raw(p._grad)):
                    size = BLOCK
            for start in range(lo, hi, size):
                yield first, last, start, min(start + size, hi)

    def gather(
        self, piece: tuple[int, int, int, int], weight_decay: Any = None, negated: bool = False
    ) -> Any:
        """The gradients of a piece as one flat array; read-only.

        With weight decay w the gradient of w |p|^2 / 2, which is w p, is added for each parameter.

        Args:
            piece: as `pieces` gives it.
            weight_decay: w.
            negated: whether the gradients change their sign first.
        """
        first, last, _, _ = piece
        params = self.params[first:last]
        g = self._joined("gradients of an optimizer", piece, [raw(p._grad) for p in params])
        if weight_decay is None and not negated:
            return g
        xp = backend.array_module(g)
        decayed = memory.workspace("decayed gradients of an optimizer", g.shape, g)
        if weight_decay is None:
            return xp.negative(g, out=decayed)
        xp.multiply(self.theta(piece), weight_decay, out=decayed)
        return xp.subtract(decayed, g, out=decayed) if negated else xp.add(decayed, g, out=decayed)

    def theta(self, piece: tuple[int, int, int, int]) -> Any:
        """The parameters of a piece as one flat array; read-only."""
        arrays = [p._data for p in self.params[piece[0] : piece[1]]]
        return self._joined("parameters of an optimizer", piece, arrays)

    def _joined(self, name: str, piece: tuple[int, int, int, int], arrays: list[Any]) -> Any:
        """Join one array per parameter to a flat array in the dtype of the state.

        A single contiguous array of that dtype is returned as a view; otherwise the result is in
        memory that is reused in each step.
        """
        first, _, lo, hi = piece
        flat = [a.reshape(-1) for a in arrays]
        if len(flat) == 1:
            part = flat[0][lo - self.ends[first] : hi - self.ends[first]]
            if part.dtype == self.like.dtype:
                return part
            flat = [part]
        out = memory.workspace(name, (hi - lo,), self.like)
        return backend.array_module(out).concatenate(flat, out=out)

    def subtract(self, flat: Any, piece: tuple[int, int, int, int], shrink: Any = None) -> None:
        """p = shrink p - (its part of `flat`), in place, for each parameter of a piece."""
        first, last, lo, hi = piece
        if hi - lo < self.ends[last] - self.ends[first]:  # part of one parameter
            part = slice(lo - self.ends[first], hi - self.ends[first])
            pairs = [(self.params[first]._data.reshape(-1)[part], flat)]
        else:
            pairs = [(self.params[i]._data, self.view(flat, i, lo)) for i in range(first, last)]
        half = self.dtype is float16
        for p, decrease in pairs:
            theta = widened(p) if half else p
            if shrink is not None:
                theta *= shrink
            theta -= decrease
            if half:
                p[...] = theta
