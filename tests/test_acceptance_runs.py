"""The last three of the fifteen checks of `test_acceptance`: devices, data, runs that go on."""

from __future__ import annotations

import gzip
import io
import math
import subprocess
import sys

import numpy as np
import pytest
from test_lenet import losses, step

import tinynet as tn
import tinynet.functional as F
from tinynet import backend, data, models, nn, optim
from tinynet.data.idx import DataError, unpack


def test_check_13_backend() -> None:
    """Import time and contents; one line for a device that cannot be used. The operations on a
    strict stand-in for CuPy: test_ops_on_cuda, test_lenet."""
    import test_house

    test_house.test_importing_tinynet_imports_numpy_alone()
    code = "import numpy, time; t = time.perf_counter(); import tinynet; "
    code += "print(time.perf_counter() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3)]
    assert min(seconds) < 0.5
    if backend.probe() is not None:
        with pytest.raises(tn.DeviceError) as error:
            tn.zeros(1, device="cuda")
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.gpu
def test_check_13_backend_on_a_gpu(gpu, tmp_path) -> None:
    np.testing.assert_allclose(losses(gpu, "adam"), losses("cpu", "adam"), rtol=1e-4)
    model = models.LeNet().to(gpu)
    np.savez(tmp_path / "w.npz", **model.state_dict())
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        models.LeNet().load_state_dict(dict(saved))


def test_check_14_data(tmp_path) -> None:
    """Damaged files are refused; arrays are fresh float32 in [0, 1]; the first loss is a guess's.

    Mirrors, interrupted downloads, getting a file again: test_data_download.
    """
    good = b"\0\0\x08\1\0\0\0\5" + bytes(range(5))
    whole = gzip.compress(good)
    path = tmp_path / "labels-idx1-ubyte.gz"
    path.write_bytes(whole)
    assert unpack(path).array().tolist() == [0, 1, 2, 3, 4]
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    for damaged in (whole[:-9], whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(damaged)
        with pytest.raises(DataError):
            unpack(path)
    images, labels = data.digits(train=True)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert images.flags.writeable
    assert (images.min(), images.max()) == (0, 1)
    assert len(images) + len(data.digits(train=False)[0]) == 1797
    tn.manual_seed(0)
    images, labels = data.digits(train=True, size=28)
    first = F.cross_entropy(models.LeNet()(tn.tensor(images[:256])), tn.tensor(labels[:256]))
    assert first.item() == pytest.approx(math.log(10), rel=0.1)


def test_check_14_mnist_in_one_epoch(mnist_root) -> None:
    """MNIST: counts, the first loss, and 97 % of the test digits: half an epoch is enough."""
    tn.manual_seed(0)
    images, labels = data.mnist(mnist_root, train=True)
    assert images.shape == (60_000, 1, 28, 28)
    model = models.LeNet()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    half = data.DataLoader(images[:30_000], labels[:30_000], batch_size=64, shuffle=True)
    for k, (x, y) in enumerate(half):
        loss = step(model, optimizer, tn.tensor(x), tn.tensor(y))
        assert k > 0 or loss.item() == pytest.approx(math.log(10), rel=0.1)
    images, labels = data.mnist(mnist_root, train=False)
    assert len(images) == 10_000
    with tn.no_grad():
        parts = [model(tn.tensor(images[i : i + 500])).argmax(1).numpy()
                 for i in range(0, 10_000, 500)]  # fmt: skip
    assert (np.concatenate(parts) == labels).mean() >= 0.97


def trained(epochs: range, state: bytes | None = None) -> tuple[nn.Module, optim.Optimizer, bytes]:
    """A network with dropout after these epochs, and all that is needed to go on, as an .npz."""
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((40, 6)).astype("float32"), rng.integers(0, 2, 40)
    if state is None:
        rng = np.random.default_rng(1)
        model.load_state_dict({k: 0.3 * rng.standard_normal(v.shape)
                               for k, v in model.state_dict().items()})  # fmt: skip
    else:
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            model.load_state_dict({k[2:]: saved[k] for k in saved if k.startswith("m.")})
            slots: dict[int, dict[str, np.ndarray]] = {}
            for key in (k for k in saved if k.startswith("o.")):
                _, number, name = key.split(".")
                slots.setdefault(int(number), {})[name] = saved[key]
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": slots, "param_groups": groups})
    for epoch in epochs:
        tn.manual_seed(100 + epoch)  # of the dropout masks
        loader = data.DataLoader(x, y, batch_size=16, shuffle=True, seed=3)
        loader.set_epoch(epoch)
        for bx, by in loader:
            step(model, optimizer, tn.tensor(bx), tn.tensor(by))
    arrays = {f"m.{k}": np.asarray(v) for k, v in model.state_dict().items()}
    for number, slots in optimizer.state_dict()["state"].items():
        arrays |= {f"o.{number}.{name}": np.asarray(v) for name, v in slots.items()}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return model, optimizer, file.getvalue()


def test_check_15_resume() -> None:
    """Two epochs are one, a file without pickles, and one more: bitwise, Adam and dropout included.

    Interrupted runs: test_resume; killed in the middle of a save, full disks: test_resume_killed;
    the files: test_checkpoint, test_save_load; a log without carriage returns: test_progress.
    """
    _, _, half = trained(range(1))
    _, _, resumed = trained(range(1, 2), half)
    _, _, straight = trained(range(2))
    with np.load(io.BytesIO(resumed)) as a, np.load(io.BytesIO(straight)) as b:
        assert set(a) == set(b)
        assert any(k.startswith("o.0.") for k in a)
        for key in a:
            assert a[key].dtype == b[key].dtype
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)


def test_check_15_transposed_weights_survive_a_round_trip(tmp_path) -> None:
    """As an .npz and as safetensors."""
    layer = nn.Linear(3, 3, bias=False)
    w = np.arange(9, dtype="float32").reshape(3, 3).T
    layer.load_state_dict({"weight": w})
    file = io.BytesIO()
    np.savez(file, **layer.state_dict())
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        states = [dict(saved)]
    tn.save(layer.state_dict(), tmp_path / "w.safetensors")
    states.append(tn.load(tmp_path / "w.safetensors"))
    for state in states:
        again = nn.Linear(3, 3, bias=False)
        again.load_state_dict(state)
        np.testing.assert_array_equal(again.weight.detach().numpy(), w)
