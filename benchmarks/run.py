"""Time tinynet and PyTorch on the same networks, weights, data and threads, in one run.

    python benchmarks/run.py                                 # every workload, some minutes
    python benchmarks/run.py --workloads lenet chain --json results.json --plot results.png
    python benchmarks/run.py --growth                        # also the growth of cost
    python benchmarks/run.py --peers                         # tinynet alone

The exit status is 1 if a peer's results differ from tinynet's, and 2 for a wrong option.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import pathlib
import sys
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option(
        "--workloads", nargs="+", metavar="NAME", help="a family or one of its batches; default all"
    )
    option("--peers", nargs="*", metavar="NAME", help="torch, torch-channels-last; default both")
    option("--threads", type=int, metavar="N", help="threads of every side; default all CPUs")
    option("--repeats", type=int, metavar="N", help="turns per side (default 9, quick 3)")
    option("--seconds", type=float, metavar="S", help="seconds per turn (default 0.5, quick 0.02)")
    option("--json", metavar="FILE", help="write all measurements to this file")
    option("--plot", metavar="FILE", help="plot to this .png or .svg (needs matplotlib)")
    option("--quick", action="store_true", help="a short run, whose figures mean little")
    option("--growth", action="store_true", help="also measure by batch, image side and depth")
    option("--no-workloads", action="store_true", help="with --growth: measure nothing else")
    option("--no-memory", action="store_true", help="skip peak memory")
    option("--no-profile", action="store_true", help="skip profiles of rows that miss a target")
    return parser


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse options that would fail only after minutes."""
    if args.repeats is not None and args.repeats < 1:
        parser.error(f"--repeats is {args.repeats}; it must be at least 1")
    if args.seconds is not None and not args.seconds > 0:
        parser.error(f"--seconds is {args.seconds}; it must be greater than 0")
    for path in filter(None, (args.json, args.plot)):
        if not pathlib.Path(path).absolute().parent.is_dir():
            parser.error(f"{path}: folder does not exist")
    if args.plot:
        if pathlib.Path(args.plot).suffix not in (".png", ".svg"):
            parser.error(f"--plot {args.plot}: the name must end in .png or .svg")
        if importlib.util.find_spec("matplotlib") is None:
            parser.error('--plot needs matplotlib: pip install -e ".[bench]"')


def main() -> int:
    parser = options()
    args = parser.parse_args()
    from benchmarks import threads

    try:
        count = threads.available() if args.threads is None else args.threads
        threads.limit(count)
        # imports NumPy
        from benchmarks import sides, workloads

        chosen = [] if args.no_workloads else workloads.chosen(args.workloads)
        peers = list(dict.fromkeys(sides.PEERS if args.peers is None else args.peers))
        sides.check_peers(peers)
    except ValueError as error:
        parser.error(str(error))
    _check(parser, args)
    return _run(args, count, chosen, peers)


def _run(args: argparse.Namespace, count: int, chosen: list[Any], peers: list[str]) -> int:
    from benchmarks import floor, growth, machine, measure, profile, report, sides, targets

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    present, left_out = [sides.load(sides.OURS, count)], {}
    for name in peers:
        try:
            present.append(sides.load(name, count))
        except ImportError as error:
            left_out[name] = str(error)
            print(f"skipped: {name} ({error})")
    names = [side.name for side in present[1:]]
    settings = measure.Settings(
        count,
        args.repeats or (3 if args.quick else 9),
        args.seconds or (0.02 if args.quick else 0.5),
        args.quick,
        not args.no_memory,
    )
    facts = machine.describe(count, {s.library: s.version for s in present})
    rates = floor.measure(count, 0.1 if args.quick else 1.0)
    facts["gemm_gflops"] = round(rates.gemm / 1e9, 1)
    facts["memory_gb_per_s"] = round(rates.memory / 1e9, 1)
    print(report.machine(facts), end="\n\n", flush=True)

    results = []
    for workload in chosen:
        say(workload.name)
        results.append(measure.full(workload, present, settings, rates))
    grown = growth.measure(present, settings, say) if args.growth else {}
    verdicts = targets.verdicts(results)
    if (verdict := targets.growth_verdict(grown)) is not None:
        verdicts.append(verdict)
    missed = {r["workload"] for r in verdicts if r["hit"] is False and r["what"] != "memory"}
    profiles = []
    for workload in () if args.no_profile else chosen:
        if workload.name in missed:
            say(f"profile of {workload.name}")
            profiles.append(profile.profile(workload, 2 if args.quick else 50, count))

    everything = {
        "machine": facts, "settings": dataclasses.asdict(settings), "left_out": left_out,
        "workloads": results, "growth": grown, "targets": verdicts, "profiles": profiles,
    }  # fmt: skip
    _show(everything, names)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(everything, indent=1) + "\n")
    if args.plot and (results or grown):
        from benchmarks import plot

        plot.save(args.plot, results, grown, names, facts)
    return _status([*results, *(point for points in grown.values() for point in points)])


def _show(everything: dict[str, Any], peers: list[str]) -> None:
    from benchmarks import report, workloads

    results = everything["workloads"]
    if results:
        print(report.times(results, peers), end="\n\n")
        print(report.resources(results, peers), end="\n\n")
    for kind, points in everything["growth"].items():
        print(report.growth(points, workloads.GROWTH[kind][0]), end="\n\n")
    if peers:
        print(report.targets(everything["targets"]))
    if everything["profiles"]:
        print("\nProfiles of the rows that miss a target, in milliseconds:\n")
        print(report.profiles(everything["profiles"]))
    if everything["settings"]["quick"]:
        print("\nquick run: the figures do not measure speed")


def _status(results: list[dict[str, Any]]) -> int:
    """The exit status: 1 if a peer's results differ, with a line for each; else 0."""
    wrong = [
        f"{result['name']}: {peer}'s results differ (by {check['difference']:.2g})"
        for result in results
        for peer, check in result["agreement"].items()
        if not check["equal"]
    ]
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    # import from this checkout, and not from this folder: its profile.py would hide Python's own
    sys.path[:] = [str(HERE.parent), *(p for p in sys.path if pathlib.Path(p).resolve() != HERE)]
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit("stopped by Ctrl-C") from None
