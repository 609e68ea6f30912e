"""Profile one training step by operation, forward and backward.

    python benchmarks/profile.py --workload lenet --batch 64

The gradient by each input has its own line, such as "conv2d, by w". "engine" is the rest of a
phase: the walk through the graph and the layers' Python. So the lines add up to the step, except
for starting and stopping the clock. The clock costs about a microsecond per operation; the last
line gives the median step without it.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent


def make_clock() -> Any:
    """A watcher that counts the calls and seconds of each operation and rule by phase and name.

    The class is local because tinynet is imported only after the number of threads is set.
    """
    from tinynet.autograd import Watcher

    class Clock(Watcher):
        def __init__(self) -> None:
            self.calls: Counter[tuple[str, str]] = Counter()
            self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
            self.phase = "forward"

        def timed(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args)
            finally:
                self.calls[self.phase, name] += 1
                self.seconds[self.phase, name] += time.perf_counter() - start

        def operation(self, op: Any, args: Any, options: Any) -> Any:
            return self.timed(op.name, super().operation, op, args, options)

        def rule(self, node: Any, edge: Any, gy: Any, create_graph: bool) -> Any:
            name = f"{node.op.name}, by {node.op.inputs[0 if node.op.variadic else edge[0]]}"
            return self.timed(name, super().rule, node, edge, gy, create_graph)

        def run(self, phase: str, function: Callable[[], Any]) -> None:
            """Run a phase; the time outside its operations counts as "engine"."""
            self.phase = phase
            before = sum(self.seconds.values())
            start = time.perf_counter()
            function()
            whole = time.perf_counter() - start
            inside = sum(self.seconds.values()) - before
            rest = phase, "step" if phase == "optimizer" else "engine"
            self.calls[rest] += 1
            self.seconds[rest] += whole - inside

    return Clock()


def phases(run: Any) -> dict[str, Callable[[], Any]]:
    """The parts of one step of a `sides.Run`, in order."""
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
    """Profile a workload; times are means over `steps` steps, in seconds.

    Returns:
        "rows": phase, name, calls, seconds and share, largest first; "step": the whole step, the
        sum of "seconds" plus the clock; "plain": the median step without the clock.
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
    for part in parts.values():  # a first step, which allocates memory
        part()
    clock = make_clock()
    step = 0.0
    with clock:
        for _ in range(steps):
            start = time.perf_counter()
            for phase, part in parts.items():
                clock.run(phase, part)
            step += time.perf_counter() - start
    rows: list[dict[str, Any]] = [
        {"phase": phase, "name": name, "calls": clock.calls[phase, name] / steps,
         "seconds": seconds / steps, "share": seconds / step}
        for (phase, name), seconds in clock.seconds.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: -row["seconds"])
    return {"workload": workload.name, "batch": workload.batch, "threads": threads,
            "rows": rows, "step": step / steps, "plain": statistics.median(plain[2:])}  # fmt: skip


def show(result: dict[str, Any]) -> str:
    """The profile as a table, and the sums of the phases."""
    from benchmarks.report import table

    def line(phase: str, name: str, calls: str, seconds: float) -> list[str]:
        return [phase, name, calls, f"{seconds * 1e3:.4f}", f"{seconds / result['step']:.1%}"]

    rows = [line(r["phase"], r["name"], f"{r['calls']:g}", r["seconds"]) for r in result["rows"]]
    for phase in dict.fromkeys(r["phase"] for r in result["rows"]):
        total = sum(r["seconds"] for r in result["rows"] if r["phase"] == phase)
        rows.append(line(phase, "total", "", total))
    header = ["phase", "operation", "calls", "ms", "share"]
    step, plain = result["step"] * 1e3, result["plain"] * 1e3
    return (
        f"{result['workload']}, batch {result['batch']}, {result['threads']} threads\n\n"
        f"{table(header, rows, left=2)}\n\n"
        f"step: {step:.4f} ms, {plain:.4f} ms without the clock"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--workload", default="lenet-64", metavar="NAME", help="default: lenet-64")
    option("--batch", type=int, metavar="N", help="batch size, for a family such as lenet")
    option("--steps", type=int, default=50, metavar="N", help="steps to average over (default: 50)")
    option("--threads", type=int, metavar="N", help="default: all CPUs")
    option("--json", metavar="FILE", help="write the profile to this file")
    args = parser.parse_args()
    if args.steps < 1:
        parser.error(f"--steps is {args.steps}; it must be at least 1")
    if args.json and not pathlib.Path(args.json).absolute().parent.is_dir():
        parser.error(f"{args.json}: folder does not exist")
    from benchmarks import threads

    try:
        count = threads.available() if args.threads is None else args.threads
        threads.limit(count)
        # imports NumPy
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
    # import from this checkout, and not from this folder, as in run.py
    sys.path[:] = [str(HERE.parent), *(p for p in sys.path if pathlib.Path(p).resolve() != HERE)]
    raise SystemExit(main())
