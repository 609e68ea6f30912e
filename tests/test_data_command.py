"""python -m tinynet.data: listing, fetching and messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_data_sets as small
from small_data_sets import Server, small_cifar, small_mnist, write

from tinynet.data.__main__ import main
from tinynet.data.files import DataSet

TOP = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "data"))


@pytest.fixture
def sets(server: Server) -> dict[str, DataSet]:
    return {"small": small_mnist(server.mirror("good")), "cifar10": small_cifar()}


def test_list(sets: dict[str, DataSet], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], sets) == 0
    assert capsys.readouterr().out.splitlines() == [
        "small: not found; to get it: python -m tinynet.data fetch small",
        "cifar10: not found; to get it: python -m tinynet.data fetch cifar10",
    ]
    folder = write(tmp_path / "data" / "mnist", small.FILES)
    batches = write(tmp_path / "other" / "cifar-10-batches-bin", small.JPEG_BATCHES)
    assert main(["list", "Small"], sets) == 0  # in any case
    assert capsys.readouterr().out == f"small: Small, verified, in {folder}\n"
    assert main(["--root", str(batches.parent), "list", "cifar10"], sets) == 0
    assert capsys.readouterr().out == f"cifar10: CIFAR-10 (JPEG copy), verified, in {batches}\n"

    (folder / "t10k-images-idx3-ubyte").write_bytes(b"broken")
    assert main(["list"], sets) == 1
    out, err = capsys.readouterr()
    assert out.startswith("cifar10: not found")  # the others are listed all the same
    assert err.startswith("error: read_idx: ")
    assert f"{folder / 't10k-images-idx3-ubyte'}: the first bytes must be 00 00" in err
    assert len(err.splitlines()) == 1


def test_fetch(
    sets: dict[str, DataSet], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pooch")
    root = tmp_path / "here"
    for arguments in (["fetch", "small", "--root", str(root)], ["fetch", "--root", f"{root}/mnist",
                                                                "small"]):  # fmt: skip
        assert main(arguments, sets) == 0
        assert capsys.readouterr() == (f"small: Small, verified, in {root / 'mnist'}\n", "")
        assert len(server.asked) == 4  # not again the second time
    assert main(["fetch", "small"], sets) == 0
    cached = tmp_path / "cache" / "tinynet" / "mnist"
    assert capsys.readouterr().out == f"small: Small, verified, in {cached}\n"

    sets["cifar10"] = small_cifar(server.mirror("403"), server.mirror("cut"))
    assert main(["fetch", "cifar10", "small"], sets) == 1
    out, err = capsys.readouterr()
    assert out == f"small: Small, verified, in {cached}\n"
    assert err.startswith("error: cifar10: every mirror failed for cifar-10-binary.tar.gz: http")
    assert os.listdir(cached.parent) == ["mnist"]  # no empty folder
    assert len(err.splitlines()) == 1
    good = server.mirror("good").rstrip("/")  # with or without the slash
    assert main(["fetch", "cifar10", "--mirror", good], sets) == 0
    assert "cifar10: CIFAR-10, verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "mnst"], "unknown data set 'mnst'; choose from mnist, fashion_mnist, cifar10"),
        (["fetch"], "fetch needs a name; choose from mnist, fashion_mnist, cifar10"),
        (["fetch", "xyz"], "unknown data set 'xyz'; choose from mnist, fashion_mnist, cifar10\n"),
        (
            ["list", "mnist", "Fashon"],
            "choose from mnist, fashion_mnist, cifar10; did you mean fashion_mnist?",
        ),
        (["get", "mnist"], "unknown command 'get'; choose from list, fetch"),
        (["mnist"], "unknown command 'mnist'; did you mean: list mnist, fetch mnist?"),
        (["MNST", "cifar10"], "'MNST'; did you mean: list mnist, fetch mnist?"),
        (["fecth", "mnist"], "unknown command 'fecth'; did you mean: fetch?"),
        (["fetch", "mnist", "--mirror", "foo"], "must look like http://host/path/, but is 'foo'"),
        (["fetch", "mnist", "--mirror", "http://"], "host/path/, but is 'http://'"),
        (["fetch", "mnist", "--mirror", ""], "host/path/, but is ''"),
    ],
)
def test_mistakes(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinynet.data", *arguments],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )


def test_as_a_command(tmp_path: Path) -> None:
    run = command("--help")
    assert run.returncode == 0
    for part in ("mnist, fashion_mnist, cifar10", "--root DIR", "--mirror URL", "$TINYNET_DATA"):
        assert part in " ".join(run.stdout.split())
    write(tmp_path / "mnist", dict.fromkeys(small.FILES, b"broken"))
    run = command("list", "mnist", "--root", str(tmp_path))
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1


def test_mnist_itself(mnist_root: Path, server: Server, tmp_path: Path) -> None:
    """The real files, from a mirror on this machine."""
    pytest.importorskip("pooch")
    for path in (mnist_root / "mnist").glob("*-ubyte.gz"):
        small.CONTENT[path.name] = path.read_bytes()
    try:
        run = command("fetch", "mnist", "--root", str(tmp_path), "--mirror", server.mirror("good"))
    finally:
        small.CONTENT.update(small.ZIPPED)
    assert run.stdout == f"mnist: MNIST, verified, in {tmp_path / 'mnist'}\n", run.stderr
    assert run.stderr == ""
    assert len(os.listdir(tmp_path / "mnist")) == 4


def test_short_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["list", "fashion", "CIFAR-10", "--root", str(tmp_path)]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["fashion_mnist", "cifar10"]


def test_a_root_that_does_not_exist(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--root", str(tmp_path / "typo")])
    assert f"--root {tmp_path / 'typo'}: no such folder" in capsys.readouterr().err
