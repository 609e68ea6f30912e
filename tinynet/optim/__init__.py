"""Optimizers and schedules, by the names of `torch.optim`.

Reading order: sgd, adam and rmsprop for the formulas, optimizer and flat for the step through all
parameters, then lr_scheduler and swa_utils.
"""

from tinynet.optim import lr_scheduler, swa_utils
from tinynet.optim.adagrad import Adadelta, Adagrad
from tinynet.optim.adam import Adam, AdamW
from tinynet.optim.adam_family import Adamax, NAdam, RAdam
from tinynet.optim.asgd import ASGD
from tinynet.optim.lbfgs import LBFGS
from tinynet.optim.optimizer import Optimizer
from tinynet.optim.rmsprop import RMSprop
from tinynet.optim.rprop import Rprop
from tinynet.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
