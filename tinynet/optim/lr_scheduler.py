"""Schedules: the learning rate of each group as a function of the epoch.

A schedule is one function without memory, `rate(base_lr, epoch, group)`: the rate of epoch 7 does
not depend on earlier epochs, so resuming needs only the number 7 (and what other schedules of the
same optimizer did to the rates; see `schedule`). An epoch is whatever happens
between two calls of `step`, for example a batch.

    optimizer = SGD(net.parameters(), lr=0.1)
    warm_up = LinearLR(optimizer, start_factor=0.1, total_iters=5)
    cosine = CosineAnnealingLR(optimizer, T_max=95)
    schedule = SequentialLR(optimizer, [warm_up, cosine], milestones=[5])
    for epoch in range(100):
        ...                                             # an epoch of optimizer.step()
        schedule.step()

The initial rate is the one that the optimizer had when its first schedule was created; its groups
store it as "initial_lr". To combine schedules, use `SequentialLR` or `ChainedScheduler` and step
only that.
"""

from tinynet.optim.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tinynet.optim.cycles import CyclicLR, OneCycleLR
from tinynet.optim.decays import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tinynet.optim.joined import ChainedScheduler, SequentialLR
from tinynet.optim.plateau import ReduceLROnPlateau
from tinynet.optim.schedule import LRScheduler

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
