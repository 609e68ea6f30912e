"""Hypothesis profiles, and the fixtures that several test modules share.

Profiles: `default`, `ci` (the same examples each time) and `long`.

The environment variable HYPOTHESIS_PROFILE selects one; if CI is set, the default is `ci`. A
failure prints a decorator to paste above the test: @reproduce_failure(...).
"""

import io
import os
import pathlib
import signal

import browser
import cupy_standin
import pytest
import small_data_sets
from hypothesis import settings

from tinynet import backend

settings.register_profile("default", deadline=None, print_blob=True, max_examples=40)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("long", settings.get_profile("default"), max_examples=1000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


def pytest_runtest_setup(item):
    """Skip the tests of pages without a browser: from one place, so that pytest says it once."""
    if "chromium" in getattr(item, "fixturenames", ()) and (reason := browser.missing()):
        pytest.skip(reason)


@pytest.fixture(params=["cpu", "cuda"])
def device(request, monkeypatch):
    """Each device in turn; "cuda" is the strict stand-in for CuPy."""
    if request.param == "cuda":
        monkeypatch.setitem(backend.devices._settings, "cuda works", False)
        cupy_standin.install(monkeypatch)
    return request.param


@pytest.fixture
def default_device(device, monkeypatch):
    """Each device in turn, and new tensors are made there."""
    monkeypatch.setitem(backend.devices._settings, "device", device)
    return device


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, here and in the programs that the test starts.

    If a shell starts pytest in the background, pytest and its children ignore it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def gpu():
    """ "cuda" on a real GPU; the test is skipped if there is none."""
    reason = backend.probe()
    if reason is not None:
        pytest.skip(reason)
    return "cuda"


@pytest.fixture
def terminal():
    """A text stream that says that it is a terminal."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    return Terminal()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser's driver; the test is skipped if there is no browser."""
    with browser.chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(scope="module")
def server():
    """A local server of small data sets."""
    with small_data_sets.serve() as server:
        yield server


@pytest.fixture(scope="session")
def mnist_root():
    """The folder of the shared data; the test is skipped where it is not."""
    shared = pathlib.Path(__file__).parents[2] / "shared" / "data"
    root = pathlib.Path(os.environ.get("TINYNET_DATA") or shared)
    if not (root / "mnist").is_dir():
        pytest.skip("MNIST is not there: set TINYNET_DATA to the folder that holds mnist/")
    return root
