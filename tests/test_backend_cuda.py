"""`tinynet.backend` with a GPU, simulated by the strict stand-in for CuPy."""

from __future__ import annotations

import sys

import cupy_standin
import numpy as np
import pytest

from tinynet import backend


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in for CuPy, and a backend that has not probed it yet."""
    monkeypatch.setitem(backend.devices._settings, "cuda works", False)
    monkeypatch.setitem(backend.devices._settings, "device", "cpu")
    return cupy_standin.install(monkeypatch)


@pytest.fixture
def x(cupy):
    return cupy.asarray(np.arange(6, dtype=np.float32).reshape(2, 3))


def test_backend_finds_module_and_device(x):
    host = np.ones(2)
    assert backend.array_module(x, 2.0).__name__ == "cupy"
    assert backend.array_module(host, 2.0) is backend.array_module(1) is np
    assert (backend.device_of(x), backend.device_of(host)) == ("cuda", "cpu")
    assert backend.is_array(x)
    assert not backend.is_array(x.tolist())


def test_backend_names_the_devices_of_mixed_operands(x):
    with pytest.raises(backend.DeviceError) as caught:
        backend.array_module(np.ones((4, 1)), 2.0, x)
    assert "argument 0 (4, 1) on cpu" in str(caught.value)
    assert "argument 2 (2, 3) on cuda" in str(caught.value)
    with pytest.raises(backend.DeviceError):
        backend.index_add(x, (0,), np.ones(3, np.float32))


def test_backend_moves_arrays(cupy, x):
    host = backend.to_numpy(x)
    assert type(host) is np.ndarray
    there = backend.to_device(host, "cuda")
    assert type(there) is cupy.ndarray
    assert there.dtype == np.float32
    assert backend.to_device(there, "cuda") is there
    assert backend.to_device(host, "cpu") is host
    assert np.array_equal(backend.to_device(there, "cpu"), host)
    made = backend.asarray([1.0, 2.0], device="cuda")
    assert (type(made), made.dtype) == (cupy.ndarray, np.float32)
    assert backend.asarray(made) is made
    assert backend.asarray(made, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("add_at", [True, False])
def test_backend_adds_into_repeated_indices(cupy, monkeypatch, add_at):
    cupy_standin.install(monkeypatch, add_at=add_at)
    calls = []
    scatter = cupy_standin.scatter_add
    monkeypatch.setattr(
        sys.modules["cupyx"], "scatter_add", lambda *a: calls.append(a) or scatter(*a)
    )
    target = cupy.zeros((3, 2), "float32")
    backend.index_add(target, cupy.asarray([0, 2, 0]), cupy.ones((3, 2), "float32"))
    assert target.tolist() == [[2, 2], [0, 0], [1, 1]]
    assert len(calls) == (0 if add_at else 1)


@pytest.mark.parametrize("name", ["erf", "expit"])
def test_backend_special_keeps_float16(name):
    # of which SciPy's expit, and CuPy's, makes float64
    assert backend.special(name, np.zeros(2, "float16")).dtype == np.float16


def test_backend_probe_is_content(cupy):
    assert backend.probe() is None
    assert backend.check_device("cuda") == "cuda"
    backend.set_default_device("cuda")
    assert backend.default_device() == "cuda"
    assert type(backend.asarray(1.0)) is cupy.ndarray


FAILURES = [
    ({"importable": False}, "CuPy is not installed"),
    ({"devices": 0}, "no CUDA device"),
    ({"driver_error": "cudaErrorInsufficientDriver: too old\nmore"}, "no working CUDA driver"),
    ({"kernel_error": "cannot open source file vector_types.h\nmore"}, "does not compile or run"),
    ({"matmul_error": "CUBLAS_STATUS_NOT_INITIALIZED\nmore"}, "a matrix product on the GPU fails"),
]


@pytest.mark.parametrize(("options", "text"), FAILURES, ids=[next(iter(o)) for o, _ in FAILURES])
def test_backend_probe_says_what_fails_in_one_line(cupy, monkeypatch, options, text):
    cupy_standin.install(monkeypatch, **options)
    reason = backend.probe()
    assert reason is not None
    for cause in options.values():
        if isinstance(cause, str):
            assert cause.splitlines()[0] in reason
    for ask in (backend.check_device, backend.set_default_device):
        with pytest.raises(backend.DeviceError, match=text) as caught:
            ask("cuda")
        assert str(caught.value) == f"device 'cuda' cannot be used: {reason}"
        assert "\n" not in str(caught.value)
    assert backend.devices._settings == {"device": "cpu", "cuda works": False}
    assert backend.default_device() == "cpu"


@pytest.mark.parametrize(("name", "text"), [("arange", "wrong sum"), ("ones", "wrong result")])
def test_backend_probe_checks_the_numbers(cupy, monkeypatch, name, text):
    monkeypatch.setattr(cupy, name, lambda shape, dtype: cupy.zeros(shape, dtype))
    assert text in backend.probe()


def test_a_device_that_worked_is_not_probed_again(cupy, monkeypatch):
    backend.check_device("cuda")
    monkeypatch.setattr(backend.devices, "probe", lambda: "must not be asked")
    assert backend.check_device("cuda") == "cuda"
    with pytest.raises(ValueError, match="not known"):
        backend.check_device("gpu")
