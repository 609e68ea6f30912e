"""Peak memory of a workload above the imports and the data.

Each side runs in a fresh process. It imports everything, makes the data, and takes an Adam step of
a network with two parameters, since libraries load parts of themselves on first use. The memory
resident then is the base. Then it makes the network and the optimizer and takes a few steps. The
result is the highest resident memory since, minus the base: weights, gradients, optimizer state,
activations, workspaces, and whatever the allocator keeps.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import statistics
import subprocess
import sys

from benchmarks import sides, workloads
from benchmarks.sides import Run
from benchmarks.workloads import Workload

ROOT = pathlib.Path(__file__).resolve().parent.parent
STATUS = pathlib.Path("/proc/self/status")


def resident(peak: bool) -> int:
    """Resident bytes now, or at the peak.

    Without /proc both are the peak of `getrusage`. Linux has both, but there a process inherits its
    parent's peak in `getrusage`.

    Raises:
        ImportError: if the system has neither.
    """
    if STATUS.exists():
        found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    import resource

    peak_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_size if sys.platform == "darwin" else peak_size * 1024


def above_base(side_name: str, workload: Workload, steps: int, threads_used: int) -> int:
    """Peak bytes above the base in this process."""
    side = sides.load(side_name, threads_used)
    tiny = Workload("tiny", "train", 1, (("Linear", 1, 1),), (1,),
                    loss="binary_cross_entropy_with_logits")  # fmt: skip
    Run(side, tiny, side.tensors(tiny, tiny.batches())).step()
    prepared = side.tensors(workload, workload.batches())
    with contextlib.suppress(OSError):  # resets the peak, if the system can
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    base = resident(peak=False)
    run = Run(side, workload, prepared)
    for _ in range(steps):
        run.step()
    return max(0, resident(peak=True) - base)


def peak_bytes(
    side_name: str, workload: Workload, steps: int, threads_used: int, processes: int = 1
) -> int | None:
    """The median over fresh processes, or None if the system cannot measure it.

    The processes inherit the environment that `threads.limit` has set. The allocator's memory for
    the same arrays may differ by a quarter between processes.

    Raises:
        RuntimeError: if a process fails; shows the end of its error output.
    """
    command = [sys.executable, "-m", "benchmarks.memory", side_name, workload.name,
               str(steps), str(threads_used)]  # fmt: skip
    figures = []
    for _ in range(processes):
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if out.returncode:
            raise RuntimeError(
                f"memory of {workload.name} on {side_name}: {out.stderr.strip()[-500:]}"
            )
        figures.append(json.loads(out.stdout))
    return None if None in figures else int(statistics.median(figures))


def main() -> None:
    side_name, workload_name, steps, threads_used = sys.argv[1:]
    workload = workloads.named(workload_name)
    try:
        print(json.dumps(above_base(side_name, workload, int(steps), int(threads_used))))
    except ImportError as error:
        if error.name != "resource":
            raise
        print("null")


if __name__ == "__main__":
    main()
