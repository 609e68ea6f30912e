"""The study page in a real browser: the cells that a click highlights, recomputed in Python."""

from __future__ import annotations

import base64
import io
import itertools

import browser
import numpy as np
import pytest
from test_study_page import made

from tinynet.study.contents import arrays
from tinynet.study.networks import NETWORKS
from tinynet.study.page import page

webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium: pip install selenium")


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


@pytest.fixture(scope="module")
def pages(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    return {name: Page(chromium, *made(name), folder) for name in NETWORKS}


@pytest.fixture
def lenet(pages):
    """The page of LeNet, wide and light; reopened only if the previous test changed it."""
    page = pages["lenet"]
    if not page.is_open():
        page.open()
    yield page
    assert browser.console(page.driver) == []


def entries(page, article, role, cells):
    """Labels as the page writes them, with the numbers of the arrays."""
    array = page.array(article, role)
    return {f"{role}[{','.join(map(str, c))}]": float(array[c]) for c in cells}


@pytest.mark.parametrize("name", list(NETWORKS))
def test_it_opens_quickly_and_without_a_word_in_the_console(pages, name, record_property):
    opened = pages[name].open()
    assert browser.console(opened.driver) == []
    seconds = opened.script("return performance.getEntriesByType('navigation')[0].duration") / 1000
    record_property("seconds", seconds)
    assert 0 < seconds < 10  # a third of a second on an idle machine
    fetched = opened.script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert fetched == []


def test_the_browser_forbids_every_request(pages):
    opened = pages["mlp_by_hand"].open()
    opened.script("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'")
    log = browser.console(opened.driver)
    assert any("Content Security Policy" in entry for entry in log), log


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_number_that_a_picture_draws_is_the_array_s(pages, name):
    opened = pages[name].open()
    for number, roles in enumerate(opened.arrays, 1):
        for role, (key, array) in roles.items():
            drawn = opened.script("return study.numbers(arguments[0])", key)
            assert np.array_equal(np.float32(drawn), array.reshape(-1)), (number, role)


def test_a_pixel_of_a_picture_has_the_colour_of_its_number(lenet):
    """Orange above 0, blue below, the ground at 0: read back from the screen."""
    from PIL import Image

    canvas = lenet.canvas("f1", "y")
    lenet.script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    browser.wait(lambda: lenet.script("return arguments[0].width > 1", canvas))
    data = lenet.script("return arguments[0].toDataURL()", canvas).partition(",")[2]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), float)
    y = lenet.array("f1", "y")
    top = abs(y).max()
    for index in ((0, 0, 3, 4), (0, 3, 12, 12), (0, 5, 20, 7)):
        flat = lenet.flat("f1", "y", *index)
        px, py, *_ = lenet.script("return study.place('f1', 'y', arguments[0])", flat)
        end = np.array([0xC3, 0x4A, 0x00]) if y[index] > 0 else np.array([0x0B, 0x5F, 0xB0])
        expected = 255 + abs(y[index]) / top * (end - 255)
        assert abs(picture[int(py), int(px)] - expected).max() <= 1.5, index


@pytest.mark.parametrize(("article", "o", "p", "q"), [("f1", 2, 3, 4), ("f4", 9, 7, 0)])
def test_a_cell_of_a_convolution_lights_its_window_its_filter_and_its_bias(lenet, article, o, p, q):
    lit = lenet.click(article, "y", 0, o, p, q)
    C = lenet.array(article, "x").shape[1]
    taps = list(itertools.product(range(C), range(5), range(5)))
    OW = lenet.array(article, "y").shape[3]
    x = {(0, c, p + i, q + j) for c, i, j in taps}
    w = {(o, c, i, j) for c, i, j in taps}
    assert lit == {"x": x, "w": w, "b": {(o,)}, "col": {(r, p * OW + q) for r in range(len(taps))}}
    y = lenet.array(article, "y")[0, o, p, q]
    assert lenet.text(article).startswith(f"y[0,{o},{p},{q}] = Σ w·x over the window + b = ")
    assert lenet.value(article) == y
    known = entries(lenet, article, "x", x) | entries(lenet, article, "w", w)
    known |= entries(lenet, article, "b", {(o,)})
    terms = lenet.terms(article)
    assert len(terms) == len(taps) + 1
    for label, numbers in terms:
        assert [np.float32(known[one]) for one in label.split(" · ")] == list(np.float32(numbers))
    assert sum(np.prod(numbers) for _, numbers in terms) == pytest.approx(y, abs=1e-6)


@pytest.mark.parametrize(
    ("article", "c", "h", "w"),
    [("b1", 0, 14, 14), ("b1", 0, 0, 0), ("b1", 0, 27, 2), ("b4", 3, 6, 1)],
)
def test_a_pixel_s_gradient_lights_every_window_that_covers_it(lenet, article, c, h, w):
    """col2im: all (p, q) with p + i = h and q + j = w."""
    OC, OH, OW = lenet.array(article, "gy").shape[1:]
    covers = [(h - p, w - q, p, q) for p in range(OH) for q in range(OW)
              if 0 <= h - p < 5 and 0 <= w - q < 5]  # fmt: skip
    lit = lenet.click(article, "gx", 0, c, h, w)
    gcol = {((c * 5 + i) * 5 + j, p * OW + q) for i, j, p, q in covers}
    assert lit == {
        "gy": {(0, o, p, q) for _, _, p, q in covers for o in range(OC)},
        "w": {(o, c, i, j) for i, j, _, _ in covers for o in range(OC)},
        "gcol": gcol,
    }
    gx = lenet.array(article, "gx")[0, c, h, w]
    assert lenet.value(article) == gx
    terms = dict(lenet.terms(article)) if len(covers) > 1 else None
    if terms is not None:
        expected = entries(lenet, article, "gcol", gcol)
        assert {label: np.float32(n[0]) for label, n in terms.items()} == {
            label: np.float32(n) for label, n in expected.items()
        }
        assert sum(n[0] for n in terms.values()) == pytest.approx(gx, abs=1e-7)
    note = lenet.text(article, "note")
    assert note.startswith(f"{len(covers)} window")


MAP = range(8)  # the rows or columns of a map of the second convolution


@pytest.mark.parametrize(
    ("article", "role", "index", "lit"),
    [
        (
            "b4",
            "gw",
            (9, 3, 1, 2),
            {"gy": (0, 9, MAP, MAP), "x": (0, 3, range(1, 9), range(2, 10))},
        ),
        ("b4", "gb", (6,), {"gy": (0, 6, MAP, MAP)}),
        ("b4", "gcol", (7, 11), {"gy": (0, range(16), 1, 3), "w": (range(16), 0, 1, 2)}),
        ("f10", "y", (0, 3), {"x": (0, range(120)), "w": (3, range(120)), "b": (3,)}),
        ("b10", "gx", (0, 77), {"gy": (0, range(10)), "w": (range(10), 77)}),
        ("b10", "gw", (8, 100), {"gy": (0, 8), "x": (0, 100)}),
        ("b11", "gx", (0, 4), {"gy": (0,), "p": (0, 4), "q": (0, 4), "x": (0, 4)}),
    ],
)
def test_a_sum_lights_its_terms(lenet, article, role, index, lit):
    """A weight's gradient: its map and what it met; a bias's: its map; linear: a row or column."""
    axes = {r: [k if isinstance(k, range) else [k] for k in cells] for r, cells in lit.items()}
    expected = {r: set(itertools.product(*cells)) for r, cells in axes.items()}
    assert lenet.click(article, role, *index) == expected
    number = lenet.array(article, role)[index]
    assert lenet.value(article) == number
    total = sum(np.prod(numbers) for _, numbers in lenet.terms(article))
    assert total == pytest.approx(number, abs=1e-6)


def test_a_pooled_cell_lights_its_window_and_a_gradient_says_who_won(lenet):
    lit = lenet.click("f3", "y", 0, 1, 4, 7)
    window = {(0, 1, 8 + i, 14 + j) for i in range(2) for j in range(2)}
    assert lit == {"x": window, "argmax": {(0, 1, 4, 7)}}
    x, gy = lenet.array("b3", "x"), lenet.array("b3", "gy")
    for n, c, h, w in window:
        lit = lenet.click("b3", "gx", n, c, h, w)
        assert lit["gy"] == {(0, 1, 4, 7)}
        first = np.argmax(x[0, 1, 8:10, 14:16]) == (h - 8) * 2 + w - 14
        assert lenet.value("b3") == (gy[0, 1, 4, 7] if first else 0)
        assert ("takes all of gy" in lenet.text("b3", "note")) == first


def test_the_answers_show_their_cells(lenet):
    for answer in ("why-col2im", "why-bias", "why-tie", "why-softmax"):
        button = lenet.driver.find_element("css selector", f"#{answer} button")
        article, role, flat = button.get_attribute("data-show").split()
        lenet.script("arguments[0].click()", button)
        assert lenet.lit(article), answer
        assert lenet.value(article) == lenet.array(article, role).flat[int(flat)]
        assert lenet.script("return document.activeElement.dataset.role") == role


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_operation_tells_what_its_cells_are_made_of(pages, name):
    """The sum that is written out for a cell of each picture of y and of each gradient is the
    number in the array."""
    opened = pages[name].open()
    for operation in opened.study.operations:
        roles = ["y", *(f"g{n}" for n, q in operation.inputs.items() if q.gradient is not None)]
        for role in roles:
            article = f"{'f' if role == 'y' else 'b'}{operation.number}"
            array = opened.array(article, role)
            flat = int(abs(array).argmax())
            # not by a click: some cells are smaller than a pointer can tell apart
            opened.script("study.select(...arguments)", article, role, flat)
            lit = opened.lit(article)
            assert lit, (article, role)
            assert opened.value(article) == array.reshape(-1)[flat]
            terms = opened.driver.find_elements("css selector", f"#{article} .readout .terms")
            if terms and operation.name != "max_pool2d":
                total = sum(np.prod(numbers) for _, numbers in opened.terms(article))
                assert total == pytest.approx(array.reshape(-1)[flat], rel=1e-4, abs=1e-6)
    assert browser.console(opened.driver) == []


def test_the_keyboard_moves_the_cursor_and_lets_go(lenet):
    canvas = lenet.canvas("f3", "y")
    lenet.click("f3", "y", 0, 2, 5, 5)
    for key, index in (
        (webdriver.Keys.ARROW_RIGHT, (0, 2, 5, 6)), (webdriver.Keys.ARROW_DOWN, (0, 2, 6, 6)),
        (webdriver.Keys.PAGE_DOWN, (0, 3, 6, 6)), (webdriver.Keys.ARROW_LEFT, (0, 3, 6, 5)),
        (webdriver.Keys.PAGE_UP, (0, 2, 6, 5)), (webdriver.Keys.ARROW_UP, (0, 2, 5, 5)),
        (webdriver.Keys.END, (0, 5, 11, 11)), (webdriver.Keys.ARROW_DOWN, (0, 5, 11, 11)),
        (webdriver.Keys.HOME, (0, 0, 0, 0)), (webdriver.Keys.ARROW_LEFT, (0, 0, 0, 0)),
    ):  # fmt: skip
        canvas.send_keys(key)
        assert lenet.script("return study.cursor('f3', 'y')") == lenet.flat("f3", "y", *index)
        assert lenet.text("f3").startswith(f"y[{','.join(map(str, index))}] ")
        assert lenet.value("f3") == lenet.array("f3", "y")[index]
    canvas.send_keys(webdriver.Keys.ESCAPE)
    assert lenet.lit("f3") == {}
    assert not lenet.driver.find_elements("css selector", "#f3 .value")


def test_tab_leads_to_the_skip_link_then_on_and_the_focus_is_seen(pages):
    opened = pages["mlp_by_hand"].open()
    webdriver.ActionChains(opened.driver).send_keys(webdriver.Keys.TAB).perform()
    link = opened.driver.switch_to.active_element
    assert link.get_attribute("class") == "skip"
    assert link.location["x"] >= 0
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert opened.script(outline) == "solid"
    link.send_keys(webdriver.Keys.ENTER)
    assert opened.script("return location.hash") == "#main"
    for _ in range(40):
        webdriver.ActionChains(opened.driver).send_keys(webdriver.Keys.TAB).perform()
        if opened.script("return document.activeElement.tagName") == "CANVAS":
            break
    assert opened.script("return document.activeElement.dataset.role") == "a"
    assert opened.script(outline) == "solid"
    assert opened.lit("f1") == {} or opened.value("f1") == opened.array("f1", "a").flat[0]


def test_pointing_shows_and_leaving_lets_go_but_a_click_stays(lenet):
    lenet.canvas("f6", "y").send_keys(webdriver.Keys.ESCAPE)
    x, y, *_ = lenet.script("return study.place('f6', 'y', 5)")
    canvas, mouse = lenet.canvas("f6", "y"), webdriver.ActionChains(lenet.driver)
    lenet.script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    size = canvas.size
    mouse.move_to_element_with_offset(canvas, x - size["width"] / 2, y - size["height"] / 2)
    mouse.perform()
    assert lenet.value("f6") == lenet.array("f6", "y").flat[5]
    heading = lenet.driver.find_element("css selector", "#f6 h3")
    webdriver.ActionChains(lenet.driver).move_to_element(heading).perform()
    browser.wait(lambda: lenet.lit("f6") == {})
    lenet.click("f6", "y", 0, 1, 2, 3)
    webdriver.ActionChains(lenet.driver).move_to_element(heading).perform()
    assert lenet.lit("f6")["argmax"] == {(0, 1, 2, 3)}


def test_the_buttons_move_the_cursor_on_a_phone(pages):
    opened = pages["lenet"].open(width=390, height=844)
    lit = opened.click("f1", "y", 0, 3, 10, 10)
    assert (0, 0, 10, 10) in lit["x"]
    button = opened.driver.find_element("css selector", '#f1 [data-move="0 1"]')
    assert button.is_displayed()
    assert min(button.size.values()) >= 30
    button.click()
    assert opened.text("f1").startswith("y[0,3,10,11] ")
    assert browser.console(opened.driver) == []


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize("width", [320, 390, 800, 1300])
def test_the_page_never_scrolls_sideways(pages, name, width):
    opened = pages[name].open(width=width, height=844)
    assert not browser.overflows(opened.driver, width)
    opened.script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert not browser.overflows(opened.driver, width)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_dark(pages, dark):
    opened = pages["lenet"].open(dark=dark)
    ground = opened.script("return getComputedStyle(document.body).backgroundColor")
    assert (browser.luminance(ground) < 0.1) == dark
    card = opened.script("return getComputedStyle(document.querySelector('#f1')).backgroundColor")
    for selector in ("body", ".formula", ".quiet", "#f1 a", ".place"):
        ink = opened.script(
            "return getComputedStyle(document.querySelector(arguments[0])).color", selector
        )
        for behind in (ground, card):
            assert browser.contrast(ink, behind) >= 4.5, (selector, ink, behind)


def test_the_pictures_follow_when_the_scheme_changes(pages):
    opened = pages["lenet"].open()
    canvas = opened.canvas("f1", "x")
    opened.script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    corner = "return [...arguments[0].getContext('2d').getImageData(4, 4, 1, 1).data]"
    browser.wait(lambda: opened.script(corner, canvas) == [255, 255, 255, 255])
    browser.emulate(opened.driver, dark=True)
    browser.wait(lambda: opened.script(corner, canvas) == [0x10, 0x11, 0x13, 255])


def test_the_graph_leads_to_the_operations_and_folds(lenet):
    for operation in lenet.study.operations:
        box = lenet.driver.find_elements("css selector", f'nav svg a[href="#f{operation.number}"]')
        assert box, operation.number
    parts = lenet.driver.find_elements("css selector", "nav details details")
    assert len(parts) == 5
    box = lenet.driver.find_element("css selector", 'nav svg .operation a[href="#f2"]')
    lenet.script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()
    browser.wait(lambda: lenet.script("return location.hash") == "#f2")
    top = "return document.querySelector('#f2').getBoundingClientRect().top"
    browser.wait(lambda: 0 <= lenet.script(top) < 100)
    drawing = parts[0].find_element("css selector", "svg")
    assert drawing.is_displayed()
    summary = parts[0].find_element("css selector", "summary")
    lenet.script("arguments[0].scrollIntoView({block: 'center'})", summary)
    summary.click()
    assert not drawing.is_displayed()
    summary.click()
