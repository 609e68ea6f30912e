"""What the functions of each entry and of pairs promise: dtypes, edges, laws, messages."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_case import gradients
from public_pointwise import METHODS, X, Y

import tinynet as tn
from tinynet.testing import check_grads

INF, NAN = math.inf, math.nan
t = tn.tensor


def wide(*numbers: float, requires_grad: bool = False) -> tn.Tensor:
    return t(np.array(numbers), requires_grad=requires_grad)


@pytest.fixture(autouse=True)
def silent() -> Any:
    with np.errstate(all="ignore"):
        yield


# --- dtypes --------------------------------------------------------------------------------------

OPERANDS: dict[str, Any] = {
    "bool": t([True, False]),
    "uint8": t(np.array([1, 2], "uint8")),
    "int32": t(np.array([1, 2], "int32")),
    "int64": t([1, 2]),
    "float16": t(np.array([1, 2], "float16")),
    "float32": t([1.0, 2.0]),
    "float64": wide(1.0, 2.0),
    "0-d int32": t(np.array(3, "int32")),
    "0-d int64": t(3),
    "0-d float32": t(3.0),
    "0-d float64": t(np.array(3.0)),
    "True": True,
    "2": 2,
    "2.5": 2.5,
    "np.float64": np.float64(2.5),
}
# PyTorch's table: arrays with axes, then 0-d arrays, then numbers; a later one only by its kind
SUMS = """
bool + bool: bool            bool + uint8: uint8          bool + int64: int64
bool + float32: float32      bool + 0-d int32: int32      bool + 0-d float64: float64
bool + True: bool            bool + 2: int64              bool + 2.5: float32
uint8 + int32: int32         uint8 + 0-d int64: uint8     uint8 + 2: uint8
uint8 + 2.5: float32         int32 + int64: int64         int32 + 0-d int64: int32
int32 + float16: float16     int32 + float32: float32     int32 + 2.5: float32
int32 + 0-d float64: float64 int64 + float32: float32     int64 + float64: float64
int64 + 0-d float32: float32 int64 + 0-d float64: float64 int64 + True: int64
int64 + 2.5: float32         int64 + np.float64: float32  float16 + int64: float16
float16 + float32: float32   float16 + 0-d float32: float16
float16 + 2.5: float16       float32 + float64: float64   float32 + 0-d float64: float32
float32 + np.float64: float32 float64 + 0-d float32: float64
0-d int32 + 0-d float64: float64  0-d int64 + 2.5: float32  0-d float32 + 0-d float64: float64
"""
ROWS = re.findall(r"((?:0-d )?[\w.]+) \+ ((?:0-d )?[\w.]+): (\w+)", SUMS)
assert len(ROWS) == SUMS.count("+")


@pytest.mark.parametrize(("a", "b", "dtype"), ROWS)
def test_dtype_of_a_sum(a: str, b: str, dtype: str) -> None:
    x, y = OPERANDS[a], OPERANDS[b]
    for f in (operator.add, operator.mul, tn.maximum):
        assert f(x, y).dtype.name == dtype
        assert f(y, x).dtype.name == dtype
    assert tn.where(t([True, False]), x, y).dtype.name == dtype
    assert (x / y).dtype.name == (dtype if dtype[0] == "f" else "float32")
    assert (x == y).dtype.name == "bool"


def test_a_zero_d_operand_keeps_its_gradient_and_its_dtype() -> None:
    x, scale = t([1.0, 2.0], requires_grad=True), t(np.array(3.0), requires_grad=True)
    y = (x * scale).sum()
    y.backward()
    assert (y.dtype, x.grad.dtype, scale.grad.dtype) == (tn.float32, tn.float32, tn.float64)
    assert scale.grad.item() == 3


UNARY = "exp sin tan asin atan sinh log1p exp2 erf erfc sigmoid rsqrt reciprocal deg2rad".split()


@pytest.mark.parametrize("name", UNARY)
def test_integers_and_booleans_are_computed_in_float32(name: str) -> None:
    f = getattr(tn, name)
    for x in (t([True]), t([1]), t(np.array([1], "int8"))):
        y = f(x)
        assert y.dtype == tn.float32
        np.testing.assert_allclose(y.numpy(), f(wide(1.0)).numpy(), 1e-6)


def test_rounding_keeps_integers() -> None:
    for f in (tn.floor, tn.ceil, tn.trunc, tn.round, tn.sign, tn.abs, tn.square):
        assert f(t([-3, 4])).dtype.name == "int64"
    assert tn.sign(t([-3, 0])).tolist() == [-1, 0]


# --- integers ------------------------------------------------------------------------------------


@given(st.integers(-50, 50), st.integers(-9, 9).filter(bool))
def test_division_of_integers(a: int, b: int) -> None:
    """a = q b + r for both kinds of quotient, as in Python and in C."""
    x, y = t([a]), t([b])
    assert (x // y).tolist() == [a // b]
    assert (x % y).tolist() == [a % b]
    assert (a // y).tolist() == [a // b]
    assert (a % y).tolist() == [a % b]
    assert tn.div(x, y, rounding_mode="trunc").tolist() == [int(a / b)]
    assert tn.fmod(x, b).tolist() == [int(math.fmod(a, b))]
    for floats in (x.double(), x.float()):
        assert (floats // y).tolist() == [a // b]
        assert tn.div(floats, b, rounding_mode="trunc").tolist() == [int(a / b)]


@given(st.integers(-4, 4), st.integers(-3, 4))
def test_powers_of_integers(a: int, b: int) -> None:
    """1 / a^|b| is 0 unless a is 1 or -1."""
    want = a**b if b >= 0 else 1 if a == 1 else (-1) ** b if a == -1 else 0
    for y in (t([a]) ** t([b]), a ** t([b])):
        assert (y.dtype.name, y.tolist()) == ("int64", [want])
    if b >= 0:
        assert (t([a]) ** b).tolist() == [want]


def test_logic_and_bits() -> None:
    a, b = t([True, True, False]), t([True, False, False])
    assert (a ^ b).tolist() == [False, True, False]
    assert (
        (True ^ a).tolist() == (~a).tolist() == tn.logical_not(a).tolist() == [False, False, True]
    )
    assert (False | b).tolist() == (True & b).tolist() == b.tolist()
    x = t([12, 10])
    assert [(x & 6).tolist(), (x | 6).tolist(), (6 ^ x).tolist()] == [[4, 2], [14, 14], [10, 12]]
    assert [(x << 2).tolist(), (x >> 1).tolist(), (1 << t([3])).tolist()] == [[48, 40], [6, 5], [8]]
    assert [tn.gcd(x, t(8)).tolist(), tn.lcm(x, t(8)).tolist()] == [[4, 2], [24, 40]]
    assert tn.logical_xor(t([0.0, 2.0]), t([1, 3])).tolist() == [True, False]


# --- edges ---------------------------------------------------------------------------------------


def test_slopes_at_the_ends_of_a_domain() -> None:
    for f, x in ((tn.log1p, -1.0), (tn.log2, 0.0), (tn.log10, 0.0)):
        assert f(wide(x)).tolist() == [-INF]
        assert gradients(f, [x]) == [[INF]]
    for f in (tn.asin, tn.atanh, tn.erfinv):
        assert gradients(f, [-1.0, 1.0]) == [[INF, INF]]
        assert f(wide(1.1)).isnan().all()
    assert gradients(tn.acos, [-1.0, 1.0]) == [[-INF, -INF]]
    assert gradients(tn.acosh, [1.0]) == [[INF]]
    assert gradients(tn.logit, [0.0, 1.0]) == [[INF, INF]]


def test_hypot_and_atan2_at_the_origin() -> None:
    for f in (tn.hypot, tn.atan2):
        assert gradients(f, [0.0], [0.0]) == [[0], [0]]
    assert tn.hypot(t([2e38]), t([1e38])).isfinite().item()
    huge = gradients(tn.atan2, [1e200], [1e200])
    np.testing.assert_allclose(huge, [[5e-201], [-5e-201]])


def test_functions_with_steps_have_no_slope() -> None:
    for f in (tn.floor, tn.ceil, tn.trunc, tn.round, tn.sign):
        assert gradients(f, [-1.0, 0.0, 0.4, 2.0]) == [[0, 0, 0, 0]]
    assert gradients(tn.floor_divide, [1.0, 3.0], [0.5, 2.0]) == [[0, 0], [0, 0]]


def test_slopes_of_remainders() -> None:
    for f in (tn.remainder, tn.fmod):
        assert gradients(f, [6.0, 7.0], [2.0, 2.0]) == [[1, 1], [-3, -3]]
    assert (wide(-7.0) % 3.0).tolist() == [2]
    assert tn.fmod(wide(-7.0), 3.0).tolist() == [-1]
    assert (wide(1.0) // 0.1).tolist() == [9]  # 0.1 is a little more than a tenth


def test_bounds_that_are_tensors() -> None:
    x, low, high = [-2.0, 0.0, 3.0, 1.0], [-1.0, 0.0, 0.0, 5.0], [1.0, 1.0, 2.0, 4.0]
    y = tn.clamp(wide(*x), wide(*low), wide(*high))
    assert y.tolist() == [-1, 0, 2, 4]  # where low > high it is high
    assert gradients(tn.clamp, x, low, high) == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]]
    assert tn.clamp(wide(1.0), 3.0, 2.0).tolist() == [2]
    assert tn.clamp(t([1, 5]), max=2.5).tolist() == [1, 2.5]
    assert tn.clamp(wide(NAN, 1.0), wide(0.0, NAN)).isnan().all()


def test_fmax_and_fmin_pass_over_nan() -> None:
    a, b = [1.0, NAN, 2.0, NAN], [1.0, 3.0, NAN, NAN]
    for f in (tn.fmax, tn.fmin):
        np.testing.assert_array_equal(f(wide(*a), wide(*b)).numpy(), [1, 3, 2, NAN])
        assert gradients(f, a, b) == [[1, 0, 1, 1], [0, 1, 0, 0]]


def test_copysign() -> None:
    y = tn.copysign(wide(1.0, -2.0, 3.0), wide(-0.0, 0.0, -4.0))
    assert y.tolist() == [-1, 2, -3]
    assert tn.copysign(t([2]), -0.0).tolist() == [-2]
    assert gradients(tn.copysign, [1.0, -2.0, 0.0], [-1.0, -1.0, 1.0]) == [[-1, 1, 0], [0, 0, 0]]


def test_xlogy_at_zero() -> None:
    b = [0.0, -1.0, INF, NAN]
    np.testing.assert_array_equal(tn.xlogy(wide(0, 0, 0, 0), wide(*b)).numpy(), [0, 0, 0, NAN])
    assert [tn.xlogy(t([2.0]), 3.0).dtype, tn.xlogy(2, t([3.0])).dtype] == [tn.float32] * 2
    assert gradients(tn.xlogy, [0.0, 0.0], [0.0, 2.0]) == [[0, math.log(2.0)], [0, 0]]


def test_nan_to_num() -> None:
    x = wide(NAN, INF, -INF, 2.0)
    most = float(np.finfo("float64").max)
    assert tn.nan_to_num(x).tolist() == [0, most, -most, 2]
    assert tn.nan_to_num(x, 1.0, posinf=5.0, neginf=-6.0).tolist() == [1, 5, -6, 2]
    assert gradients(tn.nan_to_num, [NAN, INF, -INF, 2.0]) == [[0, 0, 0, 1]]


def test_sinc_is_smooth_at_zero() -> None:
    assert tn.sinc(t([0.0, 1.0])).tolist() == pytest.approx([1, 0], abs=1e-7)
    check_grads(tn.sinc, [wide(0.0, 1e-9, 0.02, -0.0318, 0.0319, 1.3, requires_grad=True)])
    (slope,) = gradients(tn.sinc, [1e-9])
    assert slope[0] == pytest.approx(-(math.pi**2) / 3 * 1e-9, rel=1e-12)


def test_digits_that_a_composition_would_lose() -> None:
    assert tn.log1p(t([1e-10])).item() == pytest.approx(1e-10)
    assert tn.expm1(t([1e-10])).item() == pytest.approx(1e-10)
    assert tn.erfc(wide(20.0)).item() == pytest.approx(math.erfc(20.0))
    assert tn.logit(wide(1e-300)).item() == pytest.approx(math.log(1e-300))
    assert tn.log2(t([8.0])).item() == 3
    assert tn.log10(t([1000.0])).item() == 3
    assert tn.exp2(t([100.0])).item() == 2.0**100
    assert tn.logaddexp(t([1000.0]), t([1000.0])).item() == pytest.approx(1000 + math.log(2.0))
    assert gradients(tn.expm1, [-40.0])[0] == pytest.approx([math.exp(-40.0)])
    assert gradients(tn.asinh, [1e200])[0] == pytest.approx([1e-200])


numbers = st.floats(-50, 50, width=32)


@given(numbers, numbers, st.floats(0, 1, width=32))
def test_laws(a: float, b: float, w: float) -> None:
    x, y = wide(a), wide(b)
    near = {"rel": 1e-9, "abs": 1e-9}
    assert tn.lerp(x, y, 1.0).item() == b
    assert tn.lerp(x, y, 0.0).item() == a
    assert tn.lerp(x, y, w).item() == pytest.approx(a + w * (b - a), **near)
    assert tn.lerp(x, y, wide(w)).item() == tn.lerp(x, y, w).item()
    assert (tn.trunc(x) + tn.frac(x)).item() == a
    assert tn.fmax(x, y).item() + tn.fmin(x, y).item() == a + b
    assert tn.sinh(tn.asinh(x)).item() == pytest.approx(a, **near)
    assert tn.rad2deg(tn.deg2rad(x)).item() == pytest.approx(a, **near)
    assert tn.addcmul(x, x, y, value=2).item() == a + 2 * (a * b)
    assert tn.sub(x, y, alpha=3).item() == a - 3 * b
    assert tn.rsub(x, y, alpha=3).item() == b - 3 * a
    assert tn.heaviside(x, y).item() == (b if a == 0 else float(a > 0))


def test_round_takes_the_even_neighbour() -> None:
    assert tn.round(t([0.5, 1.5, -2.5])).tolist() == [0, 2, -2]
    assert tn.round(wide(1.236, 0.125), decimals=2).tolist() == [1.24, 0.12]
    assert tn.round(wide(1250.0), decimals=-2).tolist() == [1200]


# --- comparisons ---------------------------------------------------------------------------------


def test_comparisons_and_tests() -> None:
    a, b = t([1, 2, 3]), t([1.0, 2.5, 2.0])
    for f, short in ((tn.eq, operator.eq), (tn.ne, operator.ne), (tn.lt, operator.lt),
                     (tn.le, operator.le), (tn.gt, operator.gt), (tn.ge, operator.ge)):  # fmt: skip
        assert (
            f(a, b).tolist() == short(a, b).tolist() == [short(*p) for p in zip(a, b, strict=True)]
        )
    x = t([1.0, NAN, INF, -INF])
    assert tn.isinf(x).tolist() == [False, False, True, True]
    assert [tn.isposinf(x).tolist()[2], tn.isneginf(x).tolist()[3]] == [True, True]
    assert tn.isreal(x).all()
    assert tn.isin(a, t([3, 7])).tolist() == [False, False, True]
    assert tn.isin(a, 2, invert=True).tolist() == [True, False, True]


def test_close_and_equal() -> None:
    a, b = t([1.0, NAN]), t([1.0 + 1e-6, NAN])
    assert tn.isclose(a, b).tolist() == [True, False]
    assert tn.allclose(a, b, equal_nan=True) is True
    assert tn.allclose(a, b) is False
    assert tn.isclose(t([INF, INF]), t([INF, 1.0])).tolist() == [True, False]
    assert tn.equal(a[:1], a[:1]) is True
    assert tn.equal(a[:1], a) is tn.equal(a[:1], b[:1]) is False


def test_any_and_all_along_axes() -> None:
    x = t([[1.0, 0.0, NAN], [0.0, 0.0, 2.0]])
    assert tn.any(x, 0).tolist() == [True, False, True]
    assert x.all(axis=1, keepdims=True).tolist() == [[False], [False]]
    assert x.any((0, 1)).tolist() is True
    assert t(np.array([1, 2], "uint8")).all().dtype.name == "uint8"
    with pytest.raises(IndexError, match="any: dim 2 is out of range"):
        x.any(2)


def test_where_forms() -> None:
    x = t([[1.0, -2.0], [-3.0, 4.0]])
    assert x.where(x > 0, 0.0).tolist() == [[1, 0], [0, 4]]
    assert [i.tolist() for i in tn.where(x > 0)] == [[0, 1], [0, 1]]
    y = tn.where(x > 0, 1, 2.5)
    assert (y.dtype, y.tolist()) == (tn.float32, [[1, 2.5], [2.5, 1]])


# --- in place ------------------------------------------------------------------------------------


def test_changes_in_place() -> None:
    x = t([1.0, 4.0])
    y = x
    assert x.sqrt_() is x
    x.add_(1, alpha=2).mul_(t([2.0, 0.5])).div_(2.0, rounding_mode="floor").pow_(2).neg_()
    assert y.tolist() == [-9, -1]
    y //= 2
    y %= 3
    assert x.tolist() == [1, 2]
    mask = t([True, False])
    same = mask
    mask |= t([False, True])
    mask &= ~t([True, False])
    mask ^= True
    assert same.tolist() == [True, False]
    assert t([5, 7]).clamp_(max=6).tolist() == [5, 6]
    assert t([1.0]).add_(wide(2.0)).dtype == tn.float32


@pytest.mark.parametrize(
    "call",
    [
        lambda: t([1, 2]).mul_(1.5),
        lambda: t([1, 2]).div_(2),
        lambda: t([1, 2]).exp_(),
        lambda: t([True]).add_(1),
        lambda: operator.iadd(t([1, 2]), 0.5),
    ],
)
def test_a_result_that_does_not_fit_in_place(call: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"_: the result is \w+, which a tensor of \w+ cannot"):
        call()


def test_in_place_is_refused_on_what_is_tracked() -> None:
    x = t([1.0], requires_grad=True)
    for call in (x.exp_, lambda: x.clamp_(0.0), lambda: t([1.0]).lerp_(x, 0.5)):
        with pytest.raises(RuntimeError, match=r"_: .*in place"):
            call()
    with tn.no_grad():
        x.exp_()
    assert x.item() == pytest.approx(math.e)


# --- on a GPU ------------------------------------------------------------------------------------

WITHOUT_GRADIENT: dict[str, Callable[..., Any]] = {
    "logic": lambda x, y: (x > 0) ^ (y > 0) | ~(x == y) & x.logical_and(y),
    "integers": lambda x, y: x.long() // (y.long() * 2 + 1) + x.long().gcd(y.long() << 2),
    "powers": lambda x, y: x.long() ** y.long() + x.long() ** 2,
    "trunc": lambda x, y: x.long().div(y.long() * 2 + 1, rounding_mode="trunc"),
    "tests": lambda x, y: x.isclose(y) | x.isinf() | x.isreal() & x.signbit(),
    "isin": lambda x, y: tn.isin(x, y),
    "heaviside": lambda x, y: x.heaviside(y),
    "any": lambda x, y: x.any(1) ^ y.all((0, 1)),
    "where": lambda x, y: tn.where(x > y)[1] + tn.where(x > y, 1, 0).sum(),
    "in place": lambda x, y: x.clone().mul_(y).clamp_(y, 1.0).round_(decimals=1),
}


@pytest.mark.parametrize("device", ["cuda"], indirect=True)
@pytest.mark.parametrize("name", [*METHODS, *WITHOUT_GRADIENT])
def test_the_same_on_a_gpu(device: str, name: str) -> None:
    f, inputs = METHODS[name] if name in METHODS else (WITHOUT_GRADIENT[name], [X, Y])
    here, there = [f(*(t(x, device=d) for x in inputs)) for d in ("cpu", device)]
    assert there.device == device
    np.testing.assert_allclose(there.cpu().numpy(), here.numpy(), 1e-12, 1e-15)


# --- messages ------------------------------------------------------------------------------------

x2, i2, b2 = t([1.0, 2.0]), t([1, 2]), t([True, False])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tn.add(x2, [1, 2]), "add: an operand is a list"),
        (lambda: tn.add([1], x2), "add: input is a list; it must be a Tensor"),
        (lambda: tn.add(x2, None), "add: an operand is None"),
        (lambda: tn.add(i2, None), "add: an operand is None"),
        (lambda: tn.add(i2, i2, alpha=0.5), "add: alpha is 0.5, but int64 needs an integer"),
        (lambda: b2 - b2, "sub: booleans have no difference"),
        (lambda: -b2, "neg: not defined for bool"),
        (lambda: i2 // 0, "floor_divide: integers are divided by 0"),
        (lambda: i2 % t([1, 0]), "remainder: integers are divided by 0"),
        (lambda: tn.add(x2, x2, alpha="a"), "add: alpha is 'a'; it must be a number"),
        (lambda: tn.div(x2, 2, rounding_mode="up"), "div: rounding_mode is 'up'"),
        (lambda: i2**-1, "pow: integers have no power -1"),
        (lambda: tn.pow(2, 3), "pow: one of the operands must be a Tensor .*, not 2 and 3"),
        (lambda: x2 & x2, "bitwise_and: not defined for float32"),
        (lambda: ~x2, "bitwise_not: not defined for float32"),
        (lambda: tn.gcd(x2, x2), "gcd: not defined for float32"),
        (lambda: tn.fmax(x2, 1.0), "fmax: other is a float; it must be a Tensor"),
        (lambda: tn.hypot(x2, t([1.0, 2.0, 3.0])), r"hypot: shapes \(2,\) and \(3,\) do not"),
        (lambda: x2 < t([1.0, 2.0, 3.0]), r"lt: shapes \(2,\) and \(3,\) do not broadcast"),
        (lambda: tn.clamp(x2), "clamp: give min, max or both"),
        (lambda: tn.clamp(x2, "a"), "clamp: an operand is a str"),
        (lambda: tn.where(x2, 1, 2), "where: condition is float32; it must be boolean"),
        (lambda: tn.lerp(x2, wide(1.0), 0.5), "lerp: input is float32, end is float64"),
        (lambda: tn.isclose(x2, wide(1.0)), "isclose: input is float32, other is float64"),
        (lambda: tn.isclose(x2, x2, rtol=-1), "isclose: rtol is -1; it must be at least 0"),
        (lambda: tn.addcdiv(i2, i2, i2), "addcdiv: not defined for int64"),
        (lambda: tn.round(i2, decimals=1), "round: not defined for int64"),
        (lambda: tn.round(x2, decimals=0.5), "round: decimals is 0.5"),
        (lambda: tn.frac(i2), "frac: not defined for int64"),
        (lambda: tn.heaviside(x2, wide(1.0)), "heaviside: input is float32, values are float64"),
        (lambda: x2 + "a", "add: an operand is a str"),
        (lambda: x2 + np.array(["a", "b"]), "add: an operand is an array of <U1"),
        (lambda: tn.maximum(x2, np.array([1j, 2])), "maximum: an operand is an array of complex"),
        (lambda: tn.sin(np.ones(2)), "sin: input is an array; it must be a Tensor"),
        (lambda: tn.sin(None), "sin: input is None; it must be a Tensor"),
        (lambda: tn.clamp(i2, 10**30), "clamp: .* too large"),
    ],
)
def test_messages(call: Callable[[], Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError), match=f"^{text}"):
        call()


def test_lgamma_at_infinity() -> None:
    y = t([-math.inf, math.inf, -1.0, 0.0, 1.0]).lgamma()
    assert y.tolist() == [math.inf, math.inf, math.inf, math.inf, 0.0]
    assert y.dtype == tn.float32
