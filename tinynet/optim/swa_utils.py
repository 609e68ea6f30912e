"""Averages of weights: AveragedModel, SWALR, update_bn; as in `torch.optim.swa_utils`.

    averaged = AveragedModel(net)                             # or with get_ema_multi_avg_fn(0.999)
    schedule = SWALR(optimizer, swa_lr=0.05)
    for epoch in range(100):
        ...                                                   # an epoch of optimizer.step()
        averaged.update_parameters(net)
        schedule.step()
    update_bn(loader, averaged)

Source: P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov and A. Wilson, Averaging weights leads to
wider optima and better generalization, arXiv:1803.05407.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from tinynet import backend, dtypes
from tinynet.autograd import no_grad
from tinynet.creation import as_tensor
from tinynet.nn.module import Module
from tinynet.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tinynet.optim.optimizer import Optimizer
from tinynet.optim.schedule import LRScheduler, check_optimizer, factor, per_group, whole
from tinynet.tensor import Tensor

Average = Callable[[Any, Any, Any], Any]


def get_swa_avg_fn() -> Average:
    """The plain mean: a + (w - a) / (n + 1) after n weights."""

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return averaged + (current - averaged) / (int(num_averaged) + 1)

    return average


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: d a + (1 - d) w."""
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay is {decay}; it must be from 0 to 1")

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return averaged * decay + current * (1.0 - decay)

    return average


def get_swa_multi_avg_fn() -> Average:
    """`get_swa_avg_fn` for lists of tensors, changed in place."""
    return _multi(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Average:
    """`get_ema_avg_fn` for lists of tensors, changed in place."""
    return _multi(get_ema_avg_fn(decay))


def _multi(average: Average) -> Average:
    def update(averaged: list[Tensor], current: list[Tensor], num_averaged: Any) -> None:
        for a, w in zip(averaged, current, strict=True):
            a.copy_(average(a, w, num_averaged))

    return update


class AveragedModel(Module):
    """A copy of a network whose parameters are an average of the network's over time.

    Args:
        model: the network, of which a copy is made.
        device: where to keep the average.
        avg_fn: ``avg_fn(average, parameter, number of parameters averaged)``, the new average; by
            default `get_swa_avg_fn`.
        multi_avg_fn: the same for lists of tensors, which it changes in place.
        use_buffers: average floating-point buffers too, instead of copying the latest.

    Attributes:
        module: the copy.
        n_averaged: how many times `update_parameters` was called, a tensor.
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Average | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(backend.full_on((), 0, dtypes.int64)))
        if device is not None:
            self.to(device)
        self.multi_avg_fn = multi_avg_fn or _multi(avg_fn or get_swa_avg_fn())
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the parameters of the network into the average."""
        mine: list[Tensor] = list(self.module.parameters())
        theirs: list[Tensor] = list(model.parameters())
        latest = list(zip(self.module.buffers(), model.buffers(), strict=True))
        if self.use_buffers:
            mine += [a for a, _ in latest if a.dtype.kind == "f"]
            theirs += [b for _, b in latest if b.dtype.kind == "f"]
            latest = [(a, b) for a, b in latest if a.dtype.kind != "f"]
        moved = [w.detach().to(a.device) for a, w in zip(mine, theirs, strict=True)]
        if self.n_averaged.item() == 0:
            for a, w in zip(mine, moved, strict=True):
                a.copy_(w)
        else:
            self.multi_avg_fn([a.detach() for a in mine], moved, self.n_averaged)
        for buffer, new in latest:
            buffer.copy_(new.to(buffer.device))
        self.n_averaged.add_(1)


class SWALR(LRScheduler):
    """Goes from the rate that it finds to `swa_lr` within `anneal_epochs`, and stays there.

    It may take over from another schedule of the same optimizer.

    Args:
        optimizer: the optimizer whose rates are set.
        swa_lr: the last rate, or a list with one per group.
        anneal_epochs: the number of epochs to get there.
        anneal_strategy: "cos" for half a wave, "linear" for a line.
        last_epoch: see `LRScheduler`.
    """

    chainable = False

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SWALR", optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"SWALR: anneal_strategy is {anneal_strategy!r}; it must be 'cos' or 'linear'"
            )
        self.anneal_epochs = whole("SWALR", "anneal_epochs", anneal_epochs)
        self.anneal_strategy = anneal_strategy
        given = per_group("SWALR", "swa_lr", swa_lr, optimizer)
        self.swa_lrs = [factor("SWALR", "swa_lr", v, -math.inf, math.inf) for v in given]
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch: int) -> float:
        """How far an epoch is on the way, from 0 to 1."""
        t = max(0.0, min(1.0, epoch / max(1, self.anneal_epochs)))
        return t if self.anneal_strategy == "linear" else (1.0 - math.cos(math.pi * t)) / 2.0

    def _next(self, now: float, base: float, group: int) -> float:
        epoch, end = self.last_epoch, self.swa_lrs[group]
        if self.anneal_epochs == 0:
            epoch = max(1, epoch)
        before, share = self._share(epoch - 1), self._share(epoch)
        start = end if before == 1 else (now - before * end) / (1.0 - before)
        return end * share + start * (1.0 - share)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch normalisations anew, from a loader.

    An average of weights has other activations than any of the networks that it comes from.

    Args:
        loader: its batches are inputs, or tuples or lists that begin with one.
        model: the network, run once over all of them.
        device: where to move inputs to.
    """
    norms = [m for m in model.modules() if isinstance(m, BatchNorm1d | BatchNorm2d | BatchNorm3d)]
    norms = [m for m in norms if m.track_running_stats]
    if not norms:
        return
    momenta = [m.momentum for m in norms]
    modes = [(m, m.training) for m in model.modules()]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # the mean over all batches
    model.train()
    try:
        for batch in loader:
            x = as_tensor(batch[0] if isinstance(batch, tuple | list) else batch)
            model(x if device is None else x.to(device))
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        for module, mode in modes:
            module.training = mode
