"""The automatic differentiation engine.

`value` and `engine` are the core: record an operation, walk the graph back. `accumulate` adds what
operations with several outputs need. `gradients` has `backward` and `grad`. `guards` checks
operands and writes error messages, `versions` notices changes in place. `hooks` are functions that
users attach; `function` has operations in PyTorch's form. `watcher` lets other code observe a run,
as `anomaly` does. `modes` holds the switches. `functional` has Jacobians and Hessians.
"""

from tinynet.autograd import functional
from tinynet.autograd.anomaly import AnomalyError, detect_anomaly, set_detect_anomaly
from tinynet.autograd.engine import Node, Op, Rule
from tinynet.autograd.function import Function
from tinynet.autograd.gradients import backward, grad
from tinynet.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    modes,
    no_grad,
    set_grad_enabled,
)
from tinynet.autograd.value import Value, raw
from tinynet.autograd.watcher import Watcher

__all__ = [
    "AnomalyError", "Function", "Node", "Op", "Rule", "Value", "Watcher", "backward",
    "detect_anomaly", "enable_grad", "functional", "grad", "inference_mode", "is_grad_enabled",
    "modes", "no_grad", "raw", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
