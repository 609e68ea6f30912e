"""The benchmarks as a user runs them, and the parts whose mistakes would make results wrong.

No test depends on timings.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import floor, networks, report, run, sides, targets, timing, workloads  # noqa: E402

TORCH = importlib.util.find_spec("torch") is not None


def start(name, *options, env=None):
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / name, *options],
        capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.fixture
def without_torch(tmp_path):
    """An environment in which importing torch fails as if it were not installed."""
    message = "raise ImportError(\"No module named 'torch'\", name='torch')"
    (tmp_path / "torch.py").write_text(message)
    return {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


@pytest.mark.parametrize("name", ["run.py", "profile.py"])
def test_it_explains_itself(name):
    out = start(name, "--help")
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith("usage")


@pytest.mark.parametrize(
    ("name", "options", "known"),
    [
        ("run.py", ["--workloads", "nonsense"], ["'nonsense'", "chain", "lenet-64", "cifar"]),
        ("run.py", ["--peers", "nonsense"], ["'nonsense'", "torch, torch-channels-last"]),
        ("run.py", ["--threads", "1000"], ["threads is 1000", "1 to "]),
        ("run.py", ["--threads", "0"], ["threads is 0", "1 to "]),
        ("run.py", ["--repeats", "0"], ["at least 1"]),
        ("run.py", ["--seconds", "-1"], ["greater than 0"]),
        ("run.py", ["--json", "no/such/folder/file.json"], ["folder does not exist"]),
        ("run.py", ["--plot", "picture.gif"], [".png or .svg"]),
        ("profile.py", ["--workload", "nonsense"], ["'nonsense'", "chain", "lenet-64"]),
        ("profile.py", ["--threads", "1000"], ["threads is 1000", "1 to "]),
        ("profile.py", ["--workload", "lenet", "--batch", "0"], ["at least 1"]),
        ("profile.py", ["--workload", "lenet-64", "--batch", "3"], ["has batch 64"]),
    ],
)
def test_what_is_not_known_is_named_with_what_is(name, options, known):
    out = start(name, *options)
    assert out.returncode == 2
    assert "Traceback" not in out.stderr
    assert not out.stdout
    for text in known:
        assert text in out.stderr


def test_tinynet_alone_is_reported_where_there_is_no_torch(tmp_path, without_torch):
    path = tmp_path / "results.json"
    out = start("run.py", "--workloads", "mlp-2-10-1", "--quick", "--threads", "1",
                "--json", path, env=without_torch)  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "skipped: torch (" in out.stdout
    assert "skipped: torch-channels-last (" in out.stdout
    everything = json.loads(path.read_text())
    assert set(everything["left_out"]) == set(sides.PEERS)
    (result,) = everything["workloads"]
    assert set(result["times"]) == {"tinynet"}
    assert result["times"]["tinynet"]["median"] > 0
    assert result["ratios"] == result["agreement"] == {}
    assert result["multiply_adds"] > 0
    assert everything["machine"]["threads"] == 1
    assert set(result["memory"]) == {"tinynet"}
    if sys.platform == "linux":
        assert 0 <= result["memory"]["tinynet"] < 50e6


@pytest.mark.long
@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed (extra 'peers')")
def test_a_run_beside_torch(tmp_path):
    path = tmp_path / "results.json"
    out = start("run.py", "--workloads", "mlp-2-10-1", "--quick", "--threads", "1", "--no-memory",
                "--json", path)  # fmt: skip
    assert out.returncode == 0, out.stderr
    everything = json.loads(path.read_text())
    assert {
        "machine", "settings", "left_out", "workloads", "growth", "targets", "profiles",
    } == set(everything)  # fmt: skip
    assert {"cpu", "cpus", "threads", "numpy", "numpy_blas", "torch", "tinynet"} <= set(
        everything["machine"]
    )
    (result,) = everything["workloads"]
    assert set(result["times"]) == {"tinynet", "torch"}  # the memory order of no image
    for spread in (*result["times"].values(), *result["ratios"].values()):
        assert 0 < spread["q1"] <= spread["median"] <= spread["q3"]
    assert result["agreement"]["torch"]["equal"]
    assert result["floor_seconds"] > 0
    (verdict,) = [row for row in everything["targets"] if row["measured"] is not None]
    assert (verdict["workload"], verdict["target"]) == ("mlp-2-10-1", 0.4)
    assert verdict["hit"] == (verdict["measured"] <= 0.4)
    profiled = [profile["workload"] for profile in everything["profiles"]]
    assert profiled == ([] if verdict["hit"] else ["mlp-2-10-1"])
    assert ("Profiles of the rows" in out.stdout) == bool(profiled)


def test_every_row_of_the_table_has_its_workload():
    assert len(targets.TARGETS) == 12
    assert {target.workload for target in targets.TARGETS} <= set(workloads.WORKLOADS)
    assert {row["hit"] for row in targets.verdicts([])} == {None}


def made_up(name, ratio):
    """The result of `measure.full` for a workload with this ratio in everything."""
    spread = {"median": ratio, "q1": 0.9 * ratio, "q3": 1.1 * ratio}
    return {
        "name": name,
        "times": dict.fromkeys(("tinynet", *sides.PEERS), spread),
        "ratios": dict.fromkeys(sides.PEERS, spread),
        "memory": dict.fromkeys(("tinynet", *sides.PEERS), 1_500_000),
        "memory_ratios": dict.fromkeys(sides.PEERS, ratio),
        "agreement": {key: {"equal": False, "difference": 0.25} for key in sides.PEERS},
        "floor_seconds": 0.1,
    }


@pytest.mark.parametrize(("ratio", "hit"), [(0.5, True), (0.51, False)])
def test_a_target_is_hit_or_missed_and_the_table_says_so(ratio, hit):
    rows = targets.verdicts([made_up("lenet-32", ratio)])
    measured = {row["what"]: row["hit"] for row in rows if row["workload"] == "lenet-32"}
    assert measured == {"time": hit, "channels_last": True, "memory": True}
    line = report.targets(rows).splitlines()[2]
    assert line.split() == ["lenet-32", "time", "0.5", f"{ratio:.2f}", "hit" if hit else "MISSED"]
    assert "not measured" in report.targets(rows)
    text = report.times([made_up("lenet-32", ratio)], sides.PEERS)
    assert "NO, by 0.2" in text
    assert "1.5" in report.resources([made_up("lenet-32", ratio)], sides.PEERS)


def test_profiles_side_by_side():
    def profile(name, times):
        rows = [{"phase": phase, "name": op, "seconds": t} for (phase, op), t in times.items()]
        return {"workload": name, "rows": rows, "step": sum(times.values()), "plain": 0.004}

    text = report.profiles([
        profile("a", {("optimizer", "step"): 0.002, ("forward", "relu"): 0.008,
                      ("backward", "sum"): 0.0001}),
        profile("b", {("forward", "relu"): 0.0001, ("forward", "tanh"): 0.02}),
    ])  # fmt: skip
    assert text.splitlines()[2:] == [
        "forward    tanh                       -   20.0",
        "forward    relu                   8.000  0.100",
        "optimizer  step                   2.000      -",
        "           all others, the clock  0.100  0.000",
        "           the step, mean          10.1   20.1",
        "           median, no clock       4.000  4.000",
    ]


def test_time_per_image_is_compared_between_batches_64_and_1024():
    def points(large):
        return {"batch": [{"size": 64, "per_item": {"tinynet": 1e-4}},
                          {"size": 1024, "per_item": {"tinynet": large}}]}  # fmt: skip

    assert targets.growth_verdict(points(1.05e-4))["hit"]
    assert not targets.growth_verdict(points(1.2e-4))["hit"]
    assert targets.growth_verdict({}) is None


@pytest.mark.parametrize("peers", [(), sides.PEERS])
def test_a_plot(tmp_path, peers):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed (extra 'train')")
    from benchmarks import plot

    results = [made_up("lenet-32", 0.5), made_up("chain", 0.7)]
    growth = {"depth": [{**result, "size": size, "per_item": {"tinynet": 1e-4, "torch": 2e-4}}
                        for size, result in zip((2, 64), results, strict=True)]}  # fmt: skip
    for point in growth["depth"]:
        point["times"] = {name: point["times"][name] for name in point["per_item"]}
    facts = {"cpu": "one", "threads": 1, "numpy": "2"}
    plot.save(str(tmp_path / "p.svg"), results, growth, peers, facts)
    assert "<svg" in (tmp_path / "p.svg").read_text()


def run_of(workload, batches=None, state=None):
    side = sides.load("tinynet", 1)
    return sides.Run(side, workload, side.tensors(workload, batches or workload.batches()), state)


@pytest.mark.parametrize("name", ["chain", "mlp-2-10-1", "mlp-784-32", "lenet-inference-1"])
def test_different_data_or_weights_are_not_taken_for_the_same_work(name):
    workload = workloads.WORKLOADS[name]
    state = None
    if workload.layers:
        state = sides.load("tinynet", 1).model(workload).state_dict()
    run = run_of(workload, state=state)
    results = timing.first_results(run)
    # after a restart, in another run, and with the weights that every run draws
    for same in (run, run_of(workload, state=state), run_of(workload)):
        again = timing.agreement(results, timing.first_results(same))
        assert again == {"difference": 0.0, "equal": True}
    other_data = timing.first_results(run_of(workload, workload.batches(seed=1), state))
    assert not timing.agreement(results, other_data)["equal"]
    if state:
        scaled = {key: value * 1.01 for key, value in state.items()}
        other_weights = timing.first_results(run_of(workload, state=scaled))
        assert not timing.agreement(results, other_weights)["equal"]


def test_nan_is_no_agreement():
    nan, one = [np.array([np.nan])], [np.array([1.0])]
    for a, b in ((nan, nan), (nan, one), ([np.ones(2)], [np.ones(3)])):
        assert not timing.agreement(a, b)["equal"]


def test_other_work_makes_the_exit_status_1(capsys):
    def result(equal):
        return {"name": "lenet-64", "agreement": {"torch": {"equal": equal, "difference": 0.5}}}

    assert run._status([result(True)]) == 0
    assert run._status([result(True), result(False)]) == 1
    assert "lenet-64: torch's results differ" in capsys.readouterr().err


def test_the_work_of_lenet_by_hand():
    layers = list(networks.sizes(networks.LENET, (1, 28, 28)))
    assert sum(layer.parameters for layer in layers) == 34_622
    conv1, conv2 = 6 * 24 * 24 * 25, 16 * 8 * 8 * 6 * 25
    linear = 256 * 120 + 120 * 10
    lenet = workloads.WORKLOADS["lenet-64"]
    assert floor.multiply_adds(lenet) == 64 * (2 * conv1 + 3 * (conv2 + linear))
    inference = workloads.WORKLOADS["lenet-inference-256"]
    assert floor.multiply_adds(inference) == 256 * (conv1 + conv2 + linear)
    rates = floor.Rates(gemm=2e9, memory=1e9)
    expected = floor.multiply_adds(lenet) / 1e9 + floor.traffic(lenet) / 1e9
    assert floor.floor(lenet, rates) == pytest.approx(expected)


@pytest.mark.parametrize("workload", ["lenet", "chain", "lenet-inference"])
def test_the_parts_of_a_profile_are_within_the_whole(tmp_path, workload):
    path = tmp_path / "profile.json"
    out = start("profile.py", "--workload", workload, "--batch", "2", "--steps", "2",
                "--threads", "1", "--json", path)  # fmt: skip
    assert out.returncode == 0, out.stderr
    result = json.loads(path.read_text())
    total = sum(row["seconds"] for row in result["rows"])
    assert 0.8 * result["step"] < total <= result["step"] * (1 + 1e-9)
    assert all(row["seconds"] >= 0 for row in result["rows"])
    names = {(row["phase"], row["name"]) for row in result["rows"]}
    if workload == "lenet":
        assert {("forward", "conv2d"), ("backward", "conv2d, by w"), ("optimizer", "step")} <= names
    assert "tanh" in out.stdout or "conv2d" in out.stdout


def test_a_table_is_aligned():
    text = report.table(["name", "ms"], [["a", "1.5"], ["longer", "10.25"]])
    assert text.splitlines() == [
        "name       ms",
        "------  -----",
        "a         1.5",
        "longer  10.25",
    ]
