"""A study page open in a browser, and the step that it shows."""

from __future__ import annotations

import browser
import numpy as np

import tinynet as tn
from tinynet.study.contents import arrays
from tinynet.study.digit import load_digit
from tinynet.study.networks import NETWORKS
from tinynet.study.page import page
from tinynet.study.step import study


def made(name):
    """A step of a network on the first digit, and its model."""
    network = NETWORKS[name]
    tn.manual_seed(0)
    model = network.build()
    return study(network, model, load_digit("0", "digits", None, network.size)), model


class Page:
    """An open page, and the step that it shows."""

    def __init__(self, driver, study, model, folder):
        self.driver, self.study = driver, study
        self.arrays = arrays(study)
        self.path = folder / f"{study.network.name}.html"
        self.path.write_text(page(study, model), encoding="utf-8")

    def open(self, **window):
        browser.emulate(self.driver, **window)
        browser.console(self.driver)
        self.driver.get(self.path.as_uri())
        return self

    def is_open(self):
        """Whether the browser shows this page, in a wide window with light colours."""
        if self.driver.current_url.partition("#")[0] != self.path.as_uri():
            return False
        return self.script(
            "return innerWidth === 1300 && !matchMedia('(prefers-color-scheme: dark)').matches"
        )

    def array(self, article, role):
        return self.arrays[int(article[1:]) - 1][role][1]

    def canvas(self, article, role):
        return self.driver.find_element("css selector", f'#{article} canvas[data-role="{role}"]')

    def flat(self, article, role, *index):
        return int(np.ravel_multi_index(index, self.array(article, role).shape))

    def click(self, article, role, *index):
        """Click on a cell and return the highlighted cells, as sets of indices by role."""
        x, y, *_ = self.script(
            "return study.place(...arguments)", article, role, self.flat(article, role, *index)
        )
        browser.click_at(self.driver, self.canvas(article, role), x, y)
        return self.lit(article)

    def lit(self, article):
        lit = self.script("return study.lit(arguments[0])", article)
        return {
            role: {tuple(int(i) for i in np.unravel_index(k, self.array(article, role).shape))
                   for k in flats}
            for role, flats in lit.items() if flats
        }  # fmt: skip

    def script(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def text(self, article, part="value"):
        return self.driver.find_element("css selector", f"#{article} .readout .{part}").text

    def value(self, article):
        """The number that the readout shows for the cell."""
        return np.float32(self.text(article).rpartition("= ")[2])

    def terms(self, article):
        """The lines of the sum: the label and the numbers in each."""
        lines = self.script(
            "return document.querySelector(`#${arguments[0]} .terms`).textContent", article
        ).split("\n")
        parts = (line.split(" = ") for line in lines)
        return [
            (label, [float(n.strip("()")) for n in numbers.split(" · ")])
            for label, numbers, *_ in parts
        ]
