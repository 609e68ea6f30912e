"""evaluating: a model's evaluation mode for a while, with no trace left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinynet import random
from tinynet.autograd import no_grad
from tinynet.nn.module import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Within it `model` is in evaluation mode and nothing is recorded.

    Afterwards each module's mode and the random generator's state are what they were before, also
    if the block raised.
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
