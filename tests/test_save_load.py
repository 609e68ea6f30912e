"""tn.save and tn.load: states are restored exactly, or an error says what is wrong."""

from __future__ import annotations

import io
import json
import math
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from states import same

import tinynet as tn
from tinynet import models
from tinynet.io.files import write_atomically
from tinynet.io.safetensors_file import DTYPES
from tinynet.io.saving import state_from_bytes, state_to_bytes
from tinynet.training import CheckpointError

arrays = hnp.arrays(
    st.sampled_from(sorted(DTYPES)).map(np.dtype), hnp.array_shapes(min_dims=0, min_side=0)
)
views = st.one_of(
    arrays,
    arrays.map(lambda a: a.T),
    arrays.map(lambda a: a[..., ::-1] if a.ndim else a),
    arrays.map(lambda a: a.astype(a.dtype.newbyteorder(">")).astype(a.dtype.newbyteorder("="))),
)
leaves = st.one_of(
    views, st.none(), st.booleans(), st.integers(), st.integers(0, 2**128 - 1), st.floats(),
    st.text(st.characters(), max_size=8),
)  # fmt: skip
keys = st.one_of(
    st.text(st.characters(), max_size=8),
    st.sampled_from(["", ".", "a.b", "$array", "__metadata__", "a~2"]),
    st.integers(),
)
states = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(keys, inner, max_size=3),
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@given(states)
@example({"a.b": np.zeros(1), "a": {"b": np.ones(1)}, "": np.zeros(2)})
def test_any_state_comes_back_exactly(state):
    found = state_from_bytes(state_to_bytes(state), "here")
    assert found.keys() == state.keys()
    assert all(same(found[key], state[key]) for key in state)
    if not all(isinstance(value, np.ndarray) for value in state.values()):
        assert list(found) == list(state)  # weights alone come in the order of the file


@given(st.dictionaries(st.text(max_size=5), views, max_size=4))
def test_weights_come_back_through_the_library_alone(weights):
    from safetensors.numpy import load

    if "" not in weights and "__metadata__" not in weights:
        found = load(state_to_bytes(weights))
        assert found.keys() == weights.keys()
        assert all(same(found[k], np.asarray(weights[k], order="C")) for k in weights)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_transposed_strided_and_foreign_bytes(tmp_path, dtype):
    w = np.arange(24).reshape(2, 3, 4).astype(dtype)
    given_ = {
        "F": np.asfortranarray(w), "T": w.T, "strided": w[:, ::2, ::-1],
        "swapped": w.astype(w.dtype.newbyteorder()), "empty": w[:0], "0-d": np.array(w[1, 1, 1]),
        "broadcast": np.broadcast_to(w, (2, 2, 3, 4)),
    }  # fmt: skip
    tn.save(given_, tmp_path / "w.safetensors")
    found = tn.load(tmp_path / "w.safetensors")
    for name, array in given_.items():
        assert found[name].dtype == np.dtype(dtype)
        assert found[name].shape == array.shape
        assert np.array_equal(found[name], array), name
        found[name][...] = 0  # writable, and nobody else's


def test_scalars_of_numpy_become_numbers(tmp_path):
    tn.save({"a": np.float32(0.1)}, tmp_path / "s")
    assert same(tn.load(tmp_path / "s"), {"a": float(np.float32(0.1))})


def test_tensors_are_saved_as_arrays(tmp_path, device):
    x = tn.randn(3, 2, device=device, requires_grad=True)
    tn.save({"x": x, "y": (x * 2)._data}, tmp_path / "t")
    found = tn.load(tmp_path / "t")
    assert np.array_equal(found["x"], x.detach().numpy())
    assert np.array_equal(found["y"], 2 * found["x"])


def test_weights_to_pytorch_and_back(tmp_path):
    torch = pytest.importorskip("torch")
    theirs_file = pytest.importorskip("safetensors.torch")
    model = models.LeNet()
    state = model.state_dict()
    tn.save(state, tmp_path / "ours.safetensors")
    theirs = theirs_file.load_file(tmp_path / "ours.safetensors")
    assert theirs.keys() == state.keys()
    assert all(np.array_equal(theirs[k].numpy(), state[k]) for k in state)

    module = torch.nn.Linear(3, 2)
    theirs_file.save_file(module.state_dict(), tmp_path / "theirs.safetensors")
    ours = tn.nn.Linear(3, 2)
    ours.load_state_dict(tn.load(tmp_path / "theirs.safetensors"))
    assert np.array_equal(ours.weight.detach().numpy(), module.weight.detach().numpy())

    tn.save(module.state_dict(), tmp_path / "copied.safetensors")  # their tensors, as they are
    assert np.array_equal(
        tn.load(tmp_path / "copied.safetensors")["bias"], module.bias.detach().numpy()
    )
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        small = torch.arange(256, dtype=torch.uint8).repeat_interleave(2)
        small = (small if name == "bfloat16" else small[::2]).view(getattr(torch, name))
        state = {"h": small.reshape(2, -1).contiguous(), "f": torch.ones(3, dtype=torch.float64)}
        theirs_file.save_file(state, tmp_path / "half")
        found = tn.load(tmp_path / "half")
        assert (found["h"].dtype, found["f"].dtype) == (np.float32, np.float64)
        np.testing.assert_array_equal(found["h"], state["h"].float().numpy())
        ours = tn.nn.Module()
        ours.h = tn.nn.Parameter(tn.zeros(2, found["h"].shape[1]))
        ours.load_state_dict({"h": state["h"]})  # their tensor itself
        np.testing.assert_array_equal(ours.h.detach().numpy(), found["h"])


def test_sixteen_and_eight_bits_by_their_definition(tmp_path):
    """A file made by hand: bfloat16 1.5, e4m3 448 (its largest) and 2^-9 (its smallest)."""
    kinds = {"b": ("BF16", b"\xc0\x3f"), "e": ("F8_E4M3", b"\x7e\x01"), "i": ("I8", b"\xff"),
             "h": ("F8_E5M2", b"\xc2")}  # fmt: skip
    header, payload = {}, b""
    for name, (kind, content) in kinds.items():
        ends = [len(payload), len(payload) + len(content)]
        shape = [2] if name == "e" else [1]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": ends}
        payload += content
    text = json.dumps(header).encode()
    (tmp_path / "small").write_bytes(len(text).to_bytes(8, "little") + text + payload)
    found = tn.load(tmp_path / "small")
    lists = {name: a.tolist() for name, a in found.items()}
    assert lists == {"b": [1.5], "e": [448.0, 2.0**-9], "i": [-1], "h": [-3.0]}


def test_a_weight_of_two_layers_is_loaded_by_either_name():
    def tied():
        net = tn.nn.Sequential(tn.nn.Linear(2, 2), tn.nn.Linear(2, 2))
        net[1].weight = net[0].weight
        return net

    source, target = tied(), tied()
    for left_out in ("0.weight", "1.weight"):
        state = {name: a for name, a in source.state_dict().items() if name != left_out}
        target[0].weight.data = target[0].weight.data * 0
        assert target.load_state_dict(state) == ([], [])
        assert np.array_equal(target[1].weight.detach().numpy(), source[0].weight.detach().numpy())
    with pytest.raises(ValueError, match=r"1 missing: 1\.bias|2 missing"):
        target.load_state_dict({"0.weight": np.ones((2, 2)), "0.bias": np.ones(2)})


def test_file_objects(tmp_path):
    state = {"w": np.arange(3.0), "epoch": 2}
    file = io.BytesIO()
    assert tn.save(state, file) is None
    file.seek(0)
    assert same(tn.load(file), state)
    tn.save(state, tmp_path / "file")
    with open(tmp_path / "file", "rb") as opened:
        assert same(tn.load(opened), state)
    with pytest.raises(CheckpointError, match="the file object is not a complete"):
        tn.load(io.BytesIO(b"abc"))
    with pytest.raises(TypeError, match="save: the file takes text; open it with mode 'wb'"):
        tn.save(state, io.StringIO())
    with pytest.raises(TypeError, match="load: the file gives text; open it with mode 'rb'"):
        tn.load(io.StringIO("abc"))


# --- what cannot be saved ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ([1], "save: obj is a list; it must be a dict, such as model.state_dict"),
        ({"a": {"b": [object()]}}, r"save: a\.b\.0 is a object; a state is made of"),
        ({"a": {1.5: 2}}, "save: a has the key 1.5; keys are strings or integers"),
        ({True: 2}, "save: obj has the key True"),
        ({"a": np.zeros(2, complex)}, "save: a is an array of complex128, which a safetensors"),
        ({"a": np.array(["b"])}, "save: a is an array of <U1"),
        ({"a": np.array([None])}, "save: a is an array of object"),
        ({"a": np.longdouble(1)}, "save: a is a longdouble"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, obj, message):
    with pytest.raises(TypeError, match=message):
        tn.save(obj, tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_a_state_that_contains_itself_is_refused(tmp_path):
    loop: dict = {}
    loop["loop"] = loop
    with pytest.raises(ValueError, match=r"save: loop\.loop.*deeper than 64 levels"):
        tn.save(loop, tmp_path / "x")


def test_more_text_than_the_format_takes_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="more than 40 MB of numbers and text"):
        tn.save({"a": "x" * 40_000_000}, tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"save: folder .*nowhere' does not exist"):
        tn.save({}, tmp_path / "nowhere" / "x")
    with pytest.raises(FileNotFoundError):
        tn.load(tmp_path / "x")


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'tinynet\[train\]'"):
        tn.save({}, tmp_path / "x")


# --- what cannot be read -------------------------------------------------------------------------


def made_file(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def one(dtype="U8", shape=(1,), offsets=(0, 1), **more):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}, **more}


SAID = {"tinynet": json.dumps({"format": 1, "version": "9"})}
HOSTILE = {
    "nothing": b"",
    "zeros": bytes(8),
    "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "a header of 99 MB": struct.pack("<Q", 99_000_000) + b"{}",
    "an empty array of 2^62 columns": made_file(one("F32", (0, 2**62), (0, 0))),
    "an empty array of 2^64-1 columns": made_file(one("F32", (0, 2**64 - 1), (0, 0))),
    "2^80 numbers": made_file(one("F32", (2**40, 2**40), (0, 0))),
    "a terabyte": made_file(one("F32", (2**38,), (0, 2**40)), b"1234"),
    "70 dimensions": made_file(one("U8", [1] * 70), b"a"),
    "a negative size": made_file(one(shape=(-1,)), b"a"),
    "a type that NumPy has not": made_file(one("F8_E8M0"), b"a"),
    "a type that nobody has": made_file(one("X7"), b"a"),
    "a boolean that is 7": made_file(one("BOOL"), b"\7"),
    "a hole": made_file(one(offsets=(1, 2)), b"ab"),
    "bytes too many": made_file(one(), b"ab"),
    "overlap": made_file({**one(), "b": one()["a"]}, b"a"),
    "a list": made_file([]),
    "a deep header": made_file(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a newer format": made_file({"__metadata__": {"tinynet": '{"format": 2, "version": "9.0"}'}}),
    "no format": made_file({"__metadata__": {"tinynet": "{}"}}),
    "a format in words": made_file({"__metadata__": {"tinynet": '{"format": "1", "version": 1}'}}),
    "a deep format": made_file({"__metadata__": {"tinynet": "[" * 100_000}}),
    "no digest": made_file({"__metadata__": SAID}),
    "another digest": made_file({"__metadata__": {**SAID, "sha256": "0" * 64}}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    path = tmp_path / "w.safetensors"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(CheckpointError, match=r"w\.safetensors"):
        tn.load(path)


def test_a_newer_format_says_both_versions(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(HOSTILE["a newer format"])
    with pytest.raises(CheckpointError) as caught:
        tn.load(path)
    assert "is in format 2, written by tinynet 9.0" in str(caught.value)
    assert f"tinynet {tn.__version__} reads formats up to 1: update it" in str(caught.value)


@pytest.mark.parametrize(
    "tree",
    ["[]", "1", '{"a": {"$array": "b"}}', "{", "[" * 100_000, '{"$array": "w"}', '{"a": 1}',
     '{"a": {"$what": 1}}', '{"a": {"$tuple": 1}}', '{"a": {"$dict": [1]}}',
     '{"a": {"$array": []}}', '{"a": {"$array": "w"}, "b": {"$array": "w"}}',
     '{"$dict": [[[], {"$array": "w"}]]}', '{"a": {"$array": "w", "$tuple": []}}'],
)  # fmt: skip
def test_a_state_that_was_never_saved(tree):
    from tinynet.io import safetensors_file

    data = safetensors_file.to_bytes({"w": np.zeros(2)}, {"state": tree})
    with pytest.raises(CheckpointError, match="here: its state is malformed"):
        state_from_bytes(data, "here")


# --- files ---------------------------------------------------------------------------------------


def test_the_order_that_survives_a_power_cut(tmp_path, monkeypatch):
    """Sync the bytes, rename, then sync the folder."""
    calls = []
    fsync, replace = os.fsync, os.replace
    kinds = {tmp_path.stat().st_ino: "folder"}

    def noted_fsync(descriptor):
        calls.append(f"fsync {kinds.get(os.fstat(descriptor).st_ino, 'file')}")
        calls.append(os.fstat(descriptor).st_size) if calls[-1] == "fsync file" else None
        fsync(descriptor)

    def noted_replace(a, b):
        calls.append("replace")
        replace(a, b)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_atomically(str(tmp_path / "f"), bytes(100))
    assert calls == ["fsync file", 100, "replace", "fsync folder"]


@pytest.mark.parametrize("fails", ["fdopen", "fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, fails):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def broken(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, broken)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_the_files_permissions_are_those_of_any_new_file(tmp_path):
    tn.save({}, tmp_path / "saved")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "saved").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of groups and others")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_permissions_of_an_old_file_stay(tmp_path, mode):
    path = tmp_path / "saved"
    tn.save({"a": 1}, path)
    path.chmod(mode)
    tn.save({"a": 2}, path)
    assert path.stat().st_mode & 0o777 == mode
    assert tn.load(path) == {"a": 2}


def test_a_link_stays_a_link(tmp_path):
    tn.save({"a": 1}, tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    tn.save({"a": 2}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert tn.load(tmp_path / "real") == {"a": 2}


# --- fuzz ----------------------------------------------------------------------------------------


def mutated(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Truncated, extended, bits flipped, numbers changed, false sizes, parts moved."""
    b = bytearray(data)
    header = 8 + struct.unpack("<Q", data[:8])[0]
    at = int(rng.integers(len(b)))
    kind = int(rng.integers(9))
    if kind == 0:
        del b[at:]
    elif kind == 1:
        b += rng.bytes(int(rng.integers(1, 64)))
    elif kind == 2:
        for i in rng.integers(len(b), size=rng.integers(1, 4)):
            b[i] ^= 1 << int(rng.integers(8))
    elif kind == 3:  # another length of the header
        claimed = int(rng.choice([0, 1, header, header - 9, 2**20, 99_999_999, 2**40, 2**63]))
        b[:8] = struct.pack("<Q", claimed)
    elif kind == 4:  # another digit somewhere in the header
        digits = [i for i in range(8, header) if chr(b[i]).isdigit()]
        i = int(rng.choice(digits))
        b[i : i + 1] = str(int(rng.choice([0, 7, 10**6, 10**12, 2**62, 10**30]))).encode()
        b[:8] = struct.pack("<Q", header - 8 + len(b) - len(data))
    elif kind == 5:  # bytes taken out or put in
        b[at : at + int(rng.integers(1, 9))] = rng.bytes(int(rng.integers(0, 9)))
    elif kind == 6:  # the beginning of one, the end of another
        b[at:] = other[at:]
    elif kind == 7:  # characters of JSON in the header
        for i in rng.integers(8, header, size=rng.integers(1, 3)):
            b[i] = int(rng.choice(list(b'{}[]",:0-e\\n ')))
    else:
        b[at : at + 8] = bytes(8) if rng.integers(2) else b"\xff" * 8
    return bytes(b)


def fuzz(count: int) -> tuple[int, int]:
    """The number of damaged files refused and read; raises for a wrong result or another error."""
    from safetensors.numpy import save

    model = tn.nn.Sequential(tn.nn.Linear(3, 2), tn.nn.BatchNorm1d(2))
    state = {
        "model": model.state_dict(), "random": np.random.default_rng(0).bit_generator.state,
        "run": {"epoch": 3, "best": 0.5, "options": {"lr": [1e-3, math.inf]}}, 0: (True, None),
    }  # fmt: skip
    weights = {"w": np.arange(6.0).reshape(2, 3), "n": np.arange(3), "b": np.array([True, False])}
    files = [state_to_bytes(state), state_to_bytes(weights), save(weights)]
    rng = np.random.default_rng(11)
    wrong = read = 0
    for k in range(count):
        data = files[k % 3]
        changed = mutated(data, rng, files[(k + 1) % 3])
        try:
            found = state_from_bytes(changed, "fuzzed")
        except CheckpointError:
            wrong += 1
            continue
        read += 1
        # Where nothing asks for a digest, numbers may be others, but not more than the bytes.
        assert b'"tinynet"' not in changed or (
            same(found, state) or same({k: found.get(k) for k in weights}, weights)
        )
        assert sum(a.nbytes for a in found.values() if isinstance(a, np.ndarray)) <= len(changed)
    return wrong, read


FUZZ = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import test_save_load as t
t.fuzz(30)  # everything is imported and warm
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, [size + 64 * 2**20] * 2)
print(*t.fuzz(int(sys.argv[2])))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is limited on Linux")
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_damaged_files_in_64_mb(count):
    command = [sys.executable, "-c", FUZZ, os.path.dirname(__file__), str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    refused, read = map(int, done.stdout.split())
    assert refused + read == count
    assert refused > 0.7 * count
    assert read > count / 100  # of the plain file, whose numbers nothing guards
