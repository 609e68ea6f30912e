"""The floor of a step: the time that its arithmetic and memory traffic alone take on this machine.

    floor = 2 M / G + B / R

M is the number of multiply-adds in matrix products: for each linear and convolution layer (J
outputs from K terms each) N J K forward, as many backward for the weights, and as many for the
input except in the first layer. G is the rate of a 1024x1024 float32 product in flops per second,
and R the rate of copying 64 MiB in bytes read and written per second, both on all threads.

B is the unavoidable traffic in bytes if every layer is one pass and leaves nothing in the cache for
the next (4 bytes per number; activations are part of the layer before):

    forward     each layer reads its input and writes its output
    backward    it reads the gradient of its output, writes that of its input (not the first),
                and reads its input again if it has weights
    parameters  read forward and backward, gradient written; Adam reads parameter, gradient and
                two moments and writes three of them: 10 numbers per parameter

Inference is the forward and one reading of the parameters. For the chain M = 0; each of its
operations reads two arrays and writes one forward, and reads one and writes one backward.

The floor is an estimate rather than a bound: the second term is too large if the step fits in the
cache, and small products never reach the rate of large ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.networks import sizes
from benchmarks.workloads import OPERATIONS, Workload

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Rates:
    """The machine's rates, per second.

    Attributes:
        gemm: floating-point operations of a large product.
        memory: bytes read and written by a large copy.
    """

    gemm: float
    memory: float


def _best(function: Callable[[], object], seconds: float) -> float:
    """The shortest time of a call, among calls that take about `seconds` in total."""
    function()
    shortest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def measure(threads: int, seconds: float) -> Rates:
    """Measure this machine's rates with `threads` threads."""
    n = 1024
    a, b = np.random.default_rng(0).random((2, n, n), "float32")
    c = np.empty((n, n), "float32")
    gemm = 2 * n**3 / _best(lambda: np.matmul(a, b, out=c), seconds)
    source, target = np.ones((2, threads, (64 << 20) // FLOAT // threads), "float32")
    parts = list(zip(source, target, strict=True))

    def copy() -> None:
        # NumPy copies on one thread and releases Python's lock
        workers = [threading.Thread(target=np.copyto, args=(t, s)) for s, t in parts[1:]]
        for worker in workers:
            worker.start()
        np.copyto(parts[0][1], parts[0][0])
        for worker in workers:
            worker.join()

    return Rates(gemm, 2 * source.nbytes / _best(copy, seconds))


def multiply_adds(workload: Workload) -> int:
    """M of one step."""
    total = 0
    for number, layer in enumerate(sizes(workload.layers, workload.shape)):
        times = 1 if workload.kind == "infer" else (3 if number else 2)
        total += times * layer.multiply_adds
    return total * workload.batch


def traffic(workload: Workload) -> int:
    """B of one step."""
    if workload.kind == "chain":
        return OPERATIONS * (3 + 2) * 8 * FLOAT
    numbers = parameters = 0
    for number, layer in enumerate(sizes(workload.layers, workload.shape)):
        numbers += layer.inputs + layer.outputs
        parameters += layer.parameters
        if workload.kind == "train":
            numbers += layer.outputs
            numbers += layer.inputs if layer.parameters else 0
            numbers += layer.inputs if number else 0
    each = 10 if workload.kind == "train" else 1
    return FLOAT * (numbers * workload.batch + each * parameters)


def floor(workload: Workload, rates: Rates) -> float:
    """The floor of one step, in seconds."""
    return 2 * multiply_adds(workload) / rates.gemm + traffic(workload) / rates.memory
