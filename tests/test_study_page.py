"""The study page without a browser: its numbers, the content of the file, wrong inputs."""

from __future__ import annotations

import base64
import copy
import html
import json
import linecache
import pathlib
import re

import numpy as np
import pytest
from html_tree import Reader
from hypothesis import given
from hypothesis import strategies as st

import tinynet as tn
from tinynet import ops
from tinynet.study.answers import answers
from tinynet.study.contents import arrays, embedded
from tinynet.study.digit import Digit, load_digit
from tinynet.study.listing import listing
from tinynet.study.networks import NETWORKS
from tinynet.study.notation import formula, number
from tinynet.study.page import page
from tinynet.study.replay import RTOL, Replay
from tinynet.study.step import RATE, by_one_rule, study
from tinynet.testing.differences import judge

ROOT = pathlib.Path(tn.__file__).parent.parent


def made(name, digit=None):
    """A step of a network on a digit, by default the data set's first, and its model."""
    network = NETWORKS[name]
    tn.manual_seed(0)
    model = network.build()
    return study(network, model, digit or load_digit("0", "digits", None, network.size)), model


@pytest.fixture(scope="module", params=list(NETWORKS))
def shown(request):
    """A study, its model and its page."""
    one, model = made(request.param)
    return one, model, page(one, model)


@pytest.fixture(scope="module")
def lenet():
    return made("lenet")[0]


def operation(one, name):
    return next(o for o in one.operations if o.name == name)


# --- the numbers ---


def test_the_step_is_the_model_s_own(shown):
    """Bitwise equal output, and the gradients that backward leaves in the parameters."""
    one, model, _ = shown
    x = tn.tensor(one.digit.image.reshape(one.network.shape))
    output = model(x)
    assert np.array_equal(one.output.value, output.data)
    loss = one.network.loss(output, one.digit.label)
    assert one.loss == loss.item()
    loss.backward()
    for name, parameter in model.named_parameters():
        assert np.array_equal(one.quantities[name].gradient, parameter.grad.data), name


def test_the_step_lowers_the_loss(shown):
    one, _, _ = shown
    assert one.loss_after < one.loss


def test_finite_differences_agree(shown):
    """On every tensor, to RTOL of its largest gradient; at a kink the rule lies between."""
    one, _, _ = shown
    kinks = 0
    for quantity in one.quantities.values():
        if quantity.gradient is None or quantity is one.operations[-1].output:
            assert not quantity.checks
            continue
        scale = abs(quantity.gradient).max()
        outcomes = [check.verdict.outcome for check in quantity.checks]
        assert set(outcomes) <= {"equal", "constant", "kink"}, quantity.key
        assert outcomes.count("equal") >= min(3, np.count_nonzero(quantity.gradient)), quantity.key
        for check in quantity.checks:
            assert check.engine32 == quantity.gradient[check.index]
            assert abs(check.engine32 - check.engine64) <= 1e-4 * scale
            if check.verdict.outcome == "kink":
                kinks += 1
                low, high = sorted((check.verdict.left, check.verdict.right))
                assert low - RTOL * scale <= check.engine64 <= high + RTOL * scale
            else:
                assert check.difference <= RTOL * scale, (quantity.key, check)
    assert (kinks > 0) == (one.network.name == "lenet")


def test_a_wrong_gradient_would_be_noticed(lenet):
    quantity = lenet.quantities["conv2.weight"]
    check = quantity.checks[0]
    line = lenet.replay.line(
        list(lenet.quantities).index("conv2.weight"),
        int(np.ravel_multi_index(check.index, quantity.value.shape)),
    )
    scale = float(abs(quantity.gradient).max())
    assert judge(line, check.engine64, scale, RTOL).passed
    assert judge(line, check.engine64 * 1.001, scale, RTOL).outcome == "wrong"


def test_replaying_without_a_change_gives_the_loss(shown):
    one, _, _ = shown
    replay = Replay(one.replay.graph)
    assert all(replay.loss_with(s.id, 0, 0.0) == replay.loss for s in replay.graph.steps)


def test_a_tensor_s_gradient_is_the_sum_over_its_uses(shown):
    one, _, _ = shown
    total = {}
    for o in one.operations:
        for name, tensor in o.inputs.items():
            if tensor.gradient is not None:
                total[tensor.key] = total.get(tensor.key, 0) + by_one_rule(o, name)
    for key, g in total.items():
        np.testing.assert_allclose(g, one.quantities[key].gradient, rtol=1e-6, atol=1e-9)


def test_by_hand_are_the_equations_of_the_example(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    from mlp_by_hand import forward_backward_by_hand

    one, _ = made("mlp_by_hand")
    value = {key: q.value.astype("float64") for key, q in one.quantities.items()}
    W, b = ({l: value[f"{letter}{l}"] for l in (1, 2)} for letter in "Wb")  # noqa: E741
    J, dW, db = forward_backward_by_hand(W, b, value["x"], np.eye(10)[:, [one.digit.label]])
    assert one.loss == pytest.approx(J, rel=1e-6)
    for layer in (1, 2):
        for letter, by_hand in (("W", dW), ("b", db)):
            g = one.quantities[f"{letter}{layer}"].gradient
            np.testing.assert_allclose(g, by_hand[layer], rtol=1e-4, atol=1e-6)


# --- the answers ---


def test_the_four_questions_are_answered_with_numbers_of_the_step(lenet):
    told = {a.id: a for a in answers(lenet)}
    assert {"why-col2im", "why-bias", "why-tie", "why-softmax"} <= set(told)
    first, pool = operation(lenet, "conv2d"), operation(lenet, "max_pool2d")

    role, flat = told["why-col2im"].show.split()
    gx = lenet.quantities["x"].gradient
    n, c, h, w = np.unravel_index(int(flat), gx.shape)
    gcol = arrays(lenet)[0]["gcol"][1]
    copies = [gcol[i * 5 + j, (h - i) * 24 + w - j] for i in range(5) for j in range(5)
              if 0 <= h - i < 24 and 0 <= w - j < 24]  # fmt: skip
    assert role == "gx"
    assert len(copies) == 25
    assert sum(copies, np.float64(0)) == pytest.approx(gx[n, c, h, w], rel=1e-4)
    assert f"gx[{n},{c},{h},{w}] = {number(gx[n, c, h, w])}" in told["why-col2im"].text

    gb = lenet.quantities["conv1.bias"].gradient
    gy = first.output.gradient
    o = int(told["why-bias"].show.split()[1])
    assert f"gb[{o}] = Σ gy[:,{o},:,:] = {number(gb[o])}" in told["why-bias"].text
    assert gy[:, o].astype("float64").sum() == pytest.approx(gb[o], rel=1e-4)

    x, gx = pool.inputs["x"].value, pool.inputs["x"].gradient
    place = np.unravel_index(int(told["why-tie"].show.split()[1]), x.shape)
    n, c, h, w = (int(i) for i in place)
    window = x[n, c, h // 2 * 2 : h // 2 * 2 + 2, w // 2 * 2 : w // 2 * 2 + 2]
    assert (window == window.max()).sum() > 1
    assert np.argmax(window) == h % 2 * 2 + w % 2
    g = pool.output.gradient[n, c, h // 2, w // 2]
    assert gx[place] == g != 0
    slopes = re.search(r"it is (\S+) to the left and (\S+) to the right", told["why-tie"].text)
    assert sorted(map(float, slopes.groups())) == pytest.approx(sorted((0, g)), abs=1e-6)

    rows = re.findall(r"<tr.*?</tr>", told["why-softmax"].text)[1:]
    for digit, row in enumerate(rows):
        cells = [float(t) for t in re.findall(r">([-\d.e]+)</t[dh]>", row)]
        assert cells[0] == digit
        assert cells[3] - cells[4] == pytest.approx(cells[5], rel=1e-6)
        assert cells[6] == pytest.approx(cells[5], rel=1e-5)
        assert cells[4] == (digit == lenet.digit.label)


def test_the_tie_s_slopes_are_the_pooling_s_own():
    """On black paper everything ties: other kinks must not show in the slopes of this one."""
    one, _ = made("lenet", Digit(np.zeros((1, 28, 28), "float32"), 3, "black paper"))
    tie = next(a for a in answers(one) if a.id == "why-tie")
    g = float(re.search(r"shares of gy = (\S+) among", tie.text)[1])
    slopes = re.search(r"it is (\S+) to the left and (\S+) to the right", tie.text).groups()
    assert sorted(map(float, slopes)) == sorted((0, g))
    assert g != 0
    assert "-0 " not in tie.text


def test_the_page_says_what_the_network_guesses(shown):
    one, _, text = shown
    output = one.output.value.reshape(-1)
    assert f"The network predicts {output.argmax()}" in text
    if one.network.name == "lenet":
        p = np.exp(output - output.max())
        assert f"with probability {p.max() / p.sum():.3g}." in text


def test_the_update_of_one_weight_is_the_optimiser_s(shown):
    one, model, text = shown
    key, entry, w, g, after = re.search(
        r"For one of them, (\S+?)\[([\d,]+)\]: w = (\S+), gw = (\S+), and w - α gw = (\S+?)\.</p>",
        text,
    ).groups()
    stepped = copy.deepcopy(model)
    for name, parameter in stepped.named_parameters():
        parameter.grad = tn.Tensor(one.quantities[name].gradient)
    tn.optim.SGD(stepped.parameters(), lr=RATE).step()
    entry = tuple(map(int, entry.split(",")))
    assert np.float32(w) == dict(model.named_parameters())[key].data[entry]
    assert np.float32(g) == one.quantities[key].gradient[entry]
    assert np.float32(after) == dict(stepped.named_parameters())[key].data[entry] != np.float32(w)


# --- the file ---


def test_a_share_of_a_gradient_is_not_named_like_the_whole():
    one, model = made("mlp_by_hand")
    square = operation(one, "mul")
    text = page(one, model)
    article = text[text.index(f'id="b{square.number}"') :].partition("</article>")[0]
    shares = re.findall(r"this use&#x27;s share of ∂J/∂a⁽²⁾.*?: ([\w ]+)\) <span", article)
    assert shares == ["in the table below", "see the table under ga"]


def test_the_page_shows_what_it_speaks_of(shown):
    """The helpers that do the work, the symbols, and the kinks of other operations as such."""
    one, _, text = shown
    if one.network.name == "lenet":
        for line in (
            "col = im2col(x, window)", "y = product(_by_group(w, groups), _by_group(col, groups))",
            "gcol = product(wt, gyt)", "return col2im(gcol, x_shape, window)",
            "x[tap] += col[:, k]",
        ):  # fmt: skip
            assert f'<pre class="computing">{line}' in text
        assert "xp.greater(gate, 0, out=positive)" in text
        assert "here SH=1 SW=1 DH=1 DW=1 PH=0 PW=0: x[n,c,p+i,q+j]" in text
        assert "x[n,c,2p+i,2q+j]" in text
        assert "a kink of the loss, from relu or max_pool2d further on: the slope is" in text
    assert ("<b>SH, SW</b>: the stride" in text) == (one.network.name == "lenet")
    assert "<b>⟨u, v⟩</b>" in text
    assert not re.search(r"[> ]-0(?![.\d])", text.partition('id="numbers"')[0])
    assert "soft-max" not in text.lower()


def test_the_file_parses_and_holds_all_that_it_needs(shown):
    _, _, text = shown
    reader = Reader(text)
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in reader.tags:
        assert tag not in ("iframe", "img", "object", "embed", "base")
        assert "src" not in attributes
        target = attributes.get("href")
        if target is not None:
            assert target == "data:," or target[1:] in ids, f"{target} leads nowhere"
        for pointer in (attributes.get("data-show") or "").split(" ")[:1]:
            assert not pointer or pointer in ids
    policy = next(a for t, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none';")
    assert len(text.encode()) < 5e6


def test_each_operation_stands_there_forward_and_backward(shown):
    one, _, text = shown
    articles = re.findall(r'<article id="([fb]\d+)"', text)
    count = len(one.operations)
    assert articles == [f"f{n}" for n in range(1, count + 1)] + [
        f"b{n}" for n in range(count, 0, -1)
    ]
    for o in one.operations:
        forward = text[text.index(f'id="f{o.number}"') :].partition("</article>")[0]
        backward = text[text.index(f'id="b{o.number}"') :].partition("</article>")[0]
        assert f"</span> {o.name} <span" in forward
        assert html.escape(str(tuple(o.output.value.shape))) in forward
        assert "<b>Derivation.</b>" in backward
        numbers = {name for name, tensor in o.inputs.items() if tensor.is_number}
        for role in (*o.inputs.keys() - numbers, "y"):
            assert f'data-role="{role}"' in forward
        for name, tensor in o.inputs.items():
            if tensor.gradient is not None:
                assert f'data-role="g{name}"' in backward
                assert f'id="b{o.number}-{name}"' in backward
        assert f'href="#f{o.number}"' in text[: text.index("<main")]


def test_every_line_of_source_is_the_file_s(shown):
    _, _, text = shown
    found = re.findall(
        r'<p class="place">([^<]+):(\d+)</p><pre class="computing">(.*?)</pre>', text
    )
    assert len(found) > 20
    for file, line, source in found:
        assert linecache.getline(str(ROOT / file), int(line)).strip() == html.unescape(source)


@pytest.mark.parametrize("name", ops.registry())
def test_every_operation_has_lines_to_show(name):
    op = ops.registry()[name]
    for function in (op.forward, *(rule.function for rule in op.rules.values())):
        assert listing(function).computing


def test_the_arrays_in_the_file_are_the_step_s(shown):
    one, _, text = shown
    data = json.loads(re.search(r'id="numbers">(.*?)</script>', text, re.DOTALL)[1])
    for o, roles, there in zip(one.operations, arrays(one), data["operations"], strict=True):
        assert there["name"] == o.name
        assert there["roles"].keys() == roles.keys()
        for role, (_, array) in roles.items():
            found = data["arrays"][there["roles"][role]]
            floats = np.frombuffer(base64.b64decode(found["data"]), "<f4").reshape(found["shape"])
            assert floats.shape == array.shape
            assert np.array_equal(floats, array), (o.name, role)


def test_the_tables_are_the_checks(shown):
    one, _, text = shown
    for o in one.operations:
        for key, name in {q.key: n for n, q in reversed(o.inputs.items())}.items():
            for check in one.quantities[key].checks:
                entry = f"{name}[{','.join(map(str, check.index))}]"
                row = re.search(
                    rf'id="b{o.number}-.*?>{re.escape(entry)}</th>(.*?)</tr>', text, re.DOTALL
                )[1]
                cells = [float(c) for c in re.findall(r"<td>([-+.\de]+)</td>", row)]
                assert np.float32(cells[0]) == np.float32(check.engine32)
                assert cells[1] == pytest.approx(check.engine64, rel=1e-9)
                assert cells[2] == pytest.approx(check.verdict.slope.value, rel=1e-9)
                assert cells[3] == pytest.approx(check.difference, rel=0.06, abs=1e-300)


def test_what_float32_does_not_hold_is_refused():
    with pytest.raises(TypeError, match="float32"):
        embedded("x", np.array([0.1]))


@given(st.text(alphabet=st.sampled_from("gyxw_^(){}<>&,=.` dsum0T1-[]`*\"'"), max_size=60))
def test_formulas_lose_no_letter_and_nothing_escapes(text):
    made = formula(text)
    Reader(f"<p>{made}</p>")
    plain = html.unescape(re.sub(r"</?(sub|sup|code)>", "", made)).replace("Σ", "sum")
    assert re.sub(r"[^\w]|_", "", plain) == re.sub(r"[^\w]|_", "", text)
