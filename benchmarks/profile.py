"""Say where the time of one training step goes: by operation, forward and backward.

    python benchmarks/profile.py --workload lenet --batch 64

An operation's own time is that of its function less that of the operations it calls; the gradient
by one input is a line of its own, named after the input ("by w"). "engine" is what a phase takes
beside its operations: recording nodes, walking the graph back, the layers' Python. So the lines
add up to the step, but for what starts and stops the clock. The clock around each operation takes
time too, about a microsecond a call: the median step without it stands at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent


def find_package() -> None:
    """As in run.py: import from this checkout, and never from this folder."""
    sys.path[:] = [str(HERE.parent), *(p for p in sys.path if pathlib.Path(p).resolve() != HERE)]


@dataclass
class Row:
    """What one operation took in one phase.

    Attributes:
        calls: how often it ran.
        own: seconds, without the operations that it calls.
        whole: seconds with them.
    """

    calls: int = 0
    own: float = 0.0
    whole: float = 0.0


@dataclass
class Clock:
    """Own and whole times of functions that call each other.

    Attributes:
        rows: by (phase, name).
        phase: which is running.
        inner: for each function that is running, the time of those that it called.
    """

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    phase: str = "forward"
    inner: list[float] = field(default_factory=list)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time added to its row."""

        @functools.wraps(function)
        def wrapper(*args: Any, **options: Any) -> Any:
            self.inner.append(0.0)
            start = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                whole = time.perf_counter() - start
                called = self.inner.pop()
                if self.inner:
                    self.inner[-1] += whole
                row = self.rows.setdefault((self.phase, name), Row())
                row.calls += 1
                row.own += whole - called
                row.whole += whole

        return wrapper

    def run(self, phase: str, function: Callable[[], Any]) -> Any:
        """Run a phase; what it takes beside its operations is its own row, "engine"."""
        self.phase = phase
        return self.timed("engine" if phase != "optimizer" else "step", function)()


@contextlib.contextmanager
def operations_timed(clock: Clock) -> Iterator[None]:
    """Within it every operation and every rule goes by the clock; afterwards all is as before."""
    from tinynet import ops

    restore: list[tuple[Any, str, Any]] = []
    try:
        for name, op in ops.registry().items():
            restore.append((op, "forward", op.forward))
            op.forward = clock.timed(name, op.forward)
            for argument, rule in op.rules.items():
                restore.append((rule, "function", rule.function))
                rule.function = clock.timed(f"{name}, by {argument}", rule.function)
        yield
    finally:
        for owner, attribute, function in reversed(restore):
            setattr(owner, attribute, function)


def phases(run: Any) -> dict[str, Callable[[], Any]]:
    """The parts of one step of a `sides.Run`, in their order."""
    kept: dict[str, Any] = {}

    def forward() -> None:
        x, y = next(run.supply)
        kept["loss"] = run.loss(run.model(x), y)

    def backward() -> None:
        run.optimizer.zero_grad()
        kept.pop("loss").backward()

    if run.workload.kind == "train":
        return {"forward": forward, "backward": backward, "optimizer": run.optimizer.step}
    if run.workload.kind == "infer":
        return {"forward": run.step}

    def chain() -> None:
        kept["loss"] = run.chain_forward()

    return {"forward": chain, "backward": lambda: run.chain_backward(kept.pop("loss"))}


def profile(workload: Any, steps: int, threads: int) -> dict[str, Any]:
    """The mean over `steps` steps, in seconds.

    Returns:
        "rows": phase, name, calls, own, whole, largest own time first; "step": the whole, to
        which "own" adds up but for the clock; "plain": the median of a step without the clock.
    """
    from benchmarks import sides

    side = sides.load(sides.OURS, threads)
    run = sides.Run(side, workload, side.tensors(workload, workload.batches()))
    plain = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        run.step()
        plain.append(time.perf_counter() - start)
    run.restart()
    parts = phases(run)
    for part in parts.values():  # the first step asks for memory
        part()
    clock = Clock()
    step = 0.0
    with operations_timed(clock):
        for _ in range(steps):
            start = time.perf_counter()
            for phase, part in parts.items():
                clock.run(phase, part)
            step += time.perf_counter() - start
    rows: list[dict[str, Any]] = [
        {"phase": phase, "name": name, "calls": row.calls / steps, "own": row.own / steps,
         "whole": row.whole / steps, "share": row.own / step}
        for (phase, name), row in clock.rows.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: -row["own"])
    return {"workload": workload.name, "batch": workload.batch, "threads": threads,
            "rows": rows, "step": step / steps, "plain": statistics.median(plain[2:])}  # fmt: skip


def show(result: dict[str, Any]) -> str:
    """The profile as a table, and the sums of the phases."""
    from benchmarks.report import table

    def line(phase: str, name: str, calls: str, own: float, whole: float) -> list[str]:
        share = own / result["step"]
        return [phase, name, calls, f"{own * 1e3:.4f}", f"{share:.1%}", f"{whole * 1e3:.4f}"]

    rows = [line(r["phase"], r["name"], f"{r['calls']:g}", r["own"], r["whole"])
            for r in result["rows"]]  # fmt: skip
    for phase in dict.fromkeys(r["phase"] for r in result["rows"]):
        own = sum(r["own"] for r in result["rows"] if r["phase"] == phase)
        rows.append(line(phase, "all of it", "", own, own))
    header = ["phase", "operation", "calls", "own ms", "share", "with what it calls ms"]
    step, plain = result["step"] * 1e3, result["plain"] * 1e3
    return (
        f"{result['workload']}, batch {result['batch']}, {result['threads']} threads\n\n"
        f"{table(header, rows, left=2)}\n\n"
        f"the step {step:.4f} ms, and {plain:.4f} ms without the clock"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--workload", default="lenet-64", metavar="NAME", help="default lenet-64")
    option("--batch", type=int, metavar="N", help="any, of a family such as lenet")
    option("--steps", type=int, default=50, metavar="N", help="to average over (default 50)")
    option("--threads", type=int, metavar="N", help="default all CPUs")
    option("--json", metavar="FILE", help="write the profile")
    args = parser.parse_args()
    if args.steps < 1:
        parser.error(f"--steps is {args.steps}; it must be at least 1")
    if args.json and not pathlib.Path(args.json).absolute().parent.is_dir():
        parser.error(f"{args.json}: there is no such folder")
    from benchmarks import threads

    try:
        count = threads.available() if args.threads is None else args.threads
        threads.limit(count)
        # only now what imports NumPy
        from benchmarks import workloads

        workload = workloads.named(args.workload, args.batch)
    except ValueError as error:
        parser.error(str(error))
    result = profile(workload, args.steps, count)
    print(show(result))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    find_package()
    raise SystemExit(main())
