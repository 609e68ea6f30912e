"""Without a working browser driver the tests of pages are skipped, in one line a file."""

from __future__ import annotations

import os
import types

import browser
import conftest
import pytest

DRIVERS = [(None, "no chromium-driver here: apt install"), ("#!/bin/sh\nexit 3", "does not run"),
           ("junk", "does not run")]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="the driver is a shell script")
@pytest.mark.parametrize(("driver", "says"), DRIVERS)
def test_tests_of_pages_say_why_in_one_line(monkeypatch, tmp_path, driver, says):
    path = tmp_path / "chromedriver"
    if driver is not None:
        path.write_text(driver)
        path.chmod(0o755)
    monkeypatch.setattr(browser, "PROGRAMS", ["chromium", driver and str(path)])
    monkeypatch.setattr(browser, "missing", browser.missing.__wrapped__)
    conftest.pytest_runtest_setup(types.SimpleNamespace(fixturenames=["tmp_path"]))
    conftest.pytest_runtest_setup(types.SimpleNamespace())
    with pytest.raises(pytest.skip.Exception, match=says) as skipped:
        conftest.pytest_runtest_setup(types.SimpleNamespace(fixturenames=["chromium"]))
    assert "\n" not in str(skipped.value)
