"""Optimizers and schedules, by the names of `torch.optim`.

Reading order: sgd, adam and rmsprop for the formulas, optimizer and flat for the step through all
parameters, then lr_scheduler.
"""

from tinynet.optim import lr_scheduler
from tinynet.optim.adam import Adam, AdamW
from tinynet.optim.optimizer import Optimizer
from tinynet.optim.rmsprop import RMSprop
from tinynet.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
