"""Many parameters as one flat array: what makes a step quick.

An update is a dozen operations on each number. Done array by array, a network's many small
parameters cost a dozen calls each; done on all numbers at once, every call reads and writes
megabytes. Here parameters stand side by side, in runs of about `BLOCK` numbers: a dozen calls a
run, which keep to a few megabytes from the first call to the last.

Only the optimizer's own numbers are kept flat. Parameters and gradients stay ordinary arrays,
which may be replaced at any time: gradients are copied in, but for one that is a run by itself,
and parameters are subtracted from one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tinynet import backend, memory
from tinynet.autograd import raw
from tinynet.tensor import Tensor

# Long enough that handing it to another thread costs little beside it: Adam on 670,000 numbers took
# 2.4 ms on two cores, against 3.1 with half of this length and 3.2 on one.
BLOCK = 1 << 17


class FlatParameters:
    """Parameters of one dtype on one device, with flat arrays of state beside them.

    Attributes:
        params: the parameters.
        device: of each.
        shapes: of each.
        ends: number i is at ends[i] to ends[i + 1] of a flat array.
        steps: how many updates the state of each has had; 0 where there is no state.
        slots: the state, flat arrays by name, in the dtype and on the device of the parameters.
    """

    def __init__(self, params: list[Tensor]) -> None:
        self.params = params
        self.shapes = [p.shape for p in params]
        self.ends = [0, *itertools.accumulate(p.numel() for p in params)]
        self.steps = [0] * len(params)
        self.like = params[0]._data[:0] if params[0].ndim else params[0]._data.reshape(1)[:0]
        self.device = params[0].device
        self.slots: dict[str, Any] = {}

    def takes(self, data: Any) -> bool:
        """Whether it is of the dtype and on the device of these parameters."""
        return data.dtype == self.like.dtype and backend.device_of(data) == self.device

    def slot(self, name: str) -> Any:
        """The flat array of that name, zeros when it is first asked for."""
        if name not in self.slots:
            self.slots[name] = backend.zeros((self.ends[-1],), self.like)
        return self.slots[name]

    def view(self, flat: Any, i: int, start: int = 0) -> Any:
        """The part of a flat array that belongs to parameter i, in its shape.

        Args:
            flat: an array whose first entry belongs at `start`.
            i: the parameter's number.
            start: 0 for a slot.
        """
        return flat[self.ends[i] - start : self.ends[i + 1] - start].reshape(self.shapes[i])

    def runs(self) -> Iterator[tuple[int, int]]:
        """Neighbours first, ..., last - 1 that are updated alike.

        They have a gradient and have had equally many updates, which Adam's bias correction asks
        for; and they have about `BLOCK` numbers together, or there is one of them.
        """
        first, n = 0, len(self.params)
        while first < n:
            if self.params[first].grad is None:
                first += 1
                continue
            last = first + 1
            while (
                last < n
                and self.params[last].grad is not None
                and self.steps[last] == self.steps[first]
                and self.ends[last + 1] - self.ends[first] <= BLOCK
            ):
                last += 1
            yield first, last
            first = last

    def pieces(self) -> Iterator[tuple[int, int, int, int]]:
        """What is updated at a time: a run, and where its numbers begin and end.

        A run of one large parameter comes in several pieces, `BLOCK` numbers each, where all that
        belongs to it lies in one order. On a GPU each call costs more than a cache saves, so there
        every run is one piece.
        """
        for first, last in self.runs():
            lo, hi = self.ends[first], self.ends[last]
            size = max(hi - lo, 1)
            if last - first == 1 and backend.device_of(self.like) == "cpu":
                p = self.params[first]
                if memory.is_contiguous(p._data) and memory.is_contiguous(raw(p.grad)):
                    size = BLOCK
            for start in range(lo, hi, size):
                yield first, last, start, min(start + size, hi)

    def gather(self, piece: tuple[int, int, int, int], weight_decay: Any = None) -> Any:
        """The gradients of a piece as one flat array, which is not to be changed.

        With a weight decay w the gradient by parameter p is that of the loss plus w p, the
        gradient of w |p|^2 / 2.
        """
        first, last, _, _ = piece
        params = self.params[first:last]
        g = self._joined("gradients of an optimizer", piece, [raw(p.grad) for p in params])
        if weight_decay is None:
            return g
        theta = self._joined("parameters of an optimizer", piece, [p._data for p in params])
        decayed = memory.workspace("decayed gradients of an optimizer", g.shape, g)
        backend.array_module(g).multiply(theta, weight_decay, out=decayed)
        decayed += g
        return decayed

    def _joined(self, name: str, piece: tuple[int, int, int, int], arrays: list[Any]) -> Any:
        """An array for each parameter of a piece as one, flat, in the parameters' dtype.

        Of one parameter alone it is a view, if the array is contiguous and of that dtype; all else
        is copied to memory that is used again in each step.
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
        """p = shrink p - its part of `flat`, in place, for every parameter of a piece."""
        for p, view in self._parts(piece, flat):
            if shrink is not None:
                p *= shrink
            p -= view

    def _parts(self, piece: tuple[int, int, int, int], flat: Any) -> list[tuple[Any, Any]]:
        """Each parameter of a piece and its part of `flat`, in one shape."""
        first, last, lo, hi = piece
        if hi - lo < self.ends[last] - self.ends[first]:  # a part of one, which is contiguous
            part = slice(lo - self.ends[first], hi - self.ends[first])
            return [(self.params[first]._data.reshape(-1)[part], flat)]
        return [(self.params[i]._data, self.view(flat, i, lo)) for i in range(first, last)]
