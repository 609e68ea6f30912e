"""A real browser for tests: Chromium and its driver, from Debian's packages, through selenium.

The fixture `chromium` of conftest.py starts one for each module, which takes a second or two. If
there is no browser or it does not start, the tests that use it are skipped with the reason in one
line.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import re
import shutil
import subprocess
import time

import pytest

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1300,1000",
]  # fmt: skip
PROGRAMS = [shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")]


@functools.cache
def missing():
    """The reason why no browser is available, or None."""
    for program, package in zip(PROGRAMS, ("chromium", "chromium-driver"), strict=True):
        if program is None:
            return f"no {package} here: apt install chromium chromium-driver"
    try:  # a driver that does not run would print its own tracebacks
        asked = [PROGRAMS[1], "--version"]
        subprocess.run(asked, capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return f"chromedriver does not run here: {' '.join(str(error).split())[:100]}"
    if importlib.util.find_spec("selenium") is None:
        return "no selenium here: pip install selenium"
    return None


@contextlib.contextmanager
def chromium(profile):
    """A selenium driver of Chromium, with a new profile in the given folder."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    import selenium.webdriver as selenium
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = PROGRAMS[0]
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # with the driver's path given, selenium looks for none on the network
    try:
        driver = selenium.Chrome(options=options, service=Service(PROGRAMS[1]))
    except (WebDriverException, OSError) as error:
        reason = re.split(r"[;\n]", str(error).removeprefix("Message: "))[0]
    if reason is not None:
        # not inside the handler: pytest would print the driver's own traceback
        pytest.skip(f"Chromium does not start here: {reason}")
    try:
        driver.set_page_load_timeout(60)
        yield driver
    finally:
        driver.quit()


def console(driver):
    """Console messages of the page since the last call, errors and warnings included."""
    return [entry["message"] for entry in driver.get_log("browser")]


def emulate(driver, width=1300, height=1000, dark=False):
    """Set the window's size in CSS pixels (below 500: a phone) and a light or dark scheme."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def wait(condition, seconds=20):
    """Wait until a condition holds, which may take a browser a frame or two."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not hold in time"
        time.sleep(0.02)


def overflows(driver, width):
    """Whether the page is wider than a window of `width` pixels, so that it scrolls sideways.

    Not compared with innerWidth, which on a phone grows with the page.
    """
    widest = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    return driver.execute_script(widest) > width


def click_at(driver, element, x, y):
    """A real click at (x, y), in CSS pixels from the element's upper left corner."""
    from selenium.webdriver.common.action_chains import ActionChains

    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    size = element.size
    ActionChains(driver).move_to_element_with_offset(
        element, x - size["width"] / 2, y - size["height"] / 2
    ).click().perform()


def luminance(colour):
    """The relative luminance of a colour as an rgb(...) text, as WCAG 2 defines it."""
    channels = [float(c) / 255 for c in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    """The ratio of two colours' luminances, as WCAG 2 defines it; 4.5 is enough for text."""
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)
