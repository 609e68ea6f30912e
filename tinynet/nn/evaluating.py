"""evaluating: run a model in evaluation mode and restore its state afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinynet import random
from tinynet.autograd import no_grad
from tinynet.nn.module import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Context manager that puts `model` in evaluation mode and disables recording.

    On exit, also by an exception, it restores each module's mode and the state of the random
    generator.
    """
    modes = [(module, module.training) for module in model.modules()]
    bits = random.generator().bit_generator
    state = bits.state
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        bits.state = state
        for module, mode in modes:
            module.training = mode
