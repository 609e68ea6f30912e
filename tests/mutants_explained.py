"""Mutants that compute the same as the right rule, each with the reason.

Patterns are matched against "operation.input: kind: what was changed" like file names. The test
asserts that every matching mutant survives and that every pattern matches a mutant, so that no
obsolete reason remains.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_WHERE_ONLY = (
    "the rule uses only the branch that the value is in, which is constant except at kinks: the "
    "derivative of the gradient by it is 0"
)
_MASKED = "what stands in the place of a masked entry is masked again, or multiplied by 0"
_VECTOR = "the gradient of a bias is a vector, which has one memory order"
_BROADCASTS = "the product or selection around it broadcasts by itself"

_EMPTY = "for an axis without entries; mutants are tried on numbers"
_SQUARE = "the matrices are square"
_NO_FIRST = "the first factor of a recurrence meets no earlier entry"
_EQUAL = (
    "on the diagonal, which is replaced, or masked; where values are equal it is "
    "test_equal_eigenvalues in test_reducing"
)
_RANK = "no singular value of the cases is 0: test_values_of_0 in test_reducing"
_PLAIN = "this line is given plain arrays; at 0 it is test_norm_at_zero in test_ops_gradients"
_NO_SLOPE = "the gradient is 0, and so is any multiple of it, in any order"
_QUOTIENT = "the rule uses only the quotient, which is constant between its steps"

EXPLAINED: dict[str, str] = {
    "staircase.x: [stwz]*": _NO_SLOPE,
    "staircase.x: factor[: ][!d]*": _NO_SLOPE,
    "floor_divide.[ab]: [stwz]*": _NO_SLOPE,
    "floor_divide.[ab]: f*[: ][!d]* g": _NO_SLOPE,
    "floor_divide.[ab]: first for sum: *": _NO_SLOPE,
    "remainder.b: second order: d[ab] *": _QUOTIENT,
    "fmod.b: second order: d[ab] *": _QUOTIENT,
    "hypot.[ab]: number off: 1.0 -> 1.001*": _MASKED,
    "atan2.[ab]: number off: 1.0 -> 1.001*": _MASKED,
    "atan2.[ab]: operands swapped: hypot(a, b) -> *": "the hypotenuse, in either order",
    "asinh.x: operands swapped: hypot(x, 1.0) -> *": "the hypotenuse, in either order",
    "abs.x: second order: dx *": _WHERE_ONLY,
    "m??imum.?: second order: d[ab] *": _WHERE_ONLY,
    "clamp.x: second order: dx *": _WHERE_ONLY,
    "relu.x: second order: dy *": _WHERE_ONLY,
    "relu.x: operands swapped: x in the place of y": "y > 0 exactly where x > 0",
    "leaky_relu.x: second order: dx *": _WHERE_ONLY,
    "leaky_relu.x: operands swapped: y in the place of x": (
        "y > 0 exactly where x > 0, for a positive slope"
    ),
    "am??.x: second order: d[xy] *": _WHERE_ONLY,
    "max_pool2d.x: second order: d[xy] *": _WHERE_ONLY,
    "pow.a: one use detached: b -> *if b != 0*": "b is a number in this branch, no Tensor",
    "pow.b: one use detached: a -> *full_like*": "a is a number in this branch, no Tensor",
    "pow.b: second order: db *": (
        "the rule uses only the sign of b itself; the rest comes through y"
    ),
    "pow.[ab]: number off: 1.0 -> 1.001*": _MASKED,
    "elu.x: number off: 0.0 -> 0.001*": _MASKED,
    "norm.x: number off: 1.0 -> 1.001*": "x is 0 where the length is, and so is the quotient",
    "norm.x: one use detached: *where(y == 0*": _PLAIN,
    "norm.x: number off: 0 -> 1, in return gy * (x / where(y == 0*": _PLAIN,
    "linear_recurrence.b: number off: 0 -> 1, in _later: if *": _EMPTY,
    "*: one use detached: x -> _detached(x), in _earlier: return x": _EMPTY,
    "logcumsumexp.x: number off: 0 -> 1, in _earlier: if *": _EMPTY,
    "logcumsumexp.x: number off: 0.0 -> 0.001, in shifted*": _NO_FIRST,
    "logcumsumexp.x: one use detached: y -> *, in last = *": "the last factor is not used",
    "logcumsumexp.x: number off: 0.0 -> 0.001, in _difference*": _MASKED,
    "logcumsumexp.x: sign dropped: -float('inf')*": (
        "for a sum of nothing: test_log_sums_neither_overflow_nor_lose_the_small in test_reducing"
    ),
    "cofactors_change.a: *, in _trace: n = x.shape[[]-1[]]": _SQUARE,
    "cholesky.a: *, in _half_lower: n, array*": _SQUARE,
    "cholesky.a: call left out: transposed(g)*": (
        "differences between symmetric matrices show only the symmetric part: "
        "test_the_gradient_of_cholesky_is_symmetric in test_reducing"
    ),
    "qr.a: sign dropped: -1 -> 1, in *": _SQUARE,
    "qr.a: number off: 1 -> 2, in *": _SQUARE,
    "qr.a: bound included: *in _below*": "the diagonal is replaced",
    "eigh.a: number off: 0.0 -> 0.001, in _gaps: return *": _EQUAL,
    "svd.a: number off: 0.0 -> 0.001, in _gaps: return *": _EQUAL,
    "eigh.a: number off: 1.0 -> 1.001, in _gaps: divisor = *": _EQUAL,
    "svd.a: number off: 1.0 -> 1.001, in _gaps: divisor = *": _EQUAL,
    "svd.a: number off: 1.0 -> 1.001, in divisor = *": _RANK,
    "svd.a: number off: * in none = *": _RANK,
    "svd.a: number off: 0.0 -> 0.001, in inverse = *": _RANK,
    "permute.x: number off: 0 -> 1, in back = *": "every place of the list is written to",
    "am??.x: operands swapped: array_module(count).maximum(count, 1.0) -> *": (
        "the larger of two, in either order"
    ),
    "am??.x: call left out: expand(share*": _BROADCASTS,
    "cross_entropy_rows.q: call left out: expand(gy*": _BROADCASTS,
    "linear.b: transposed: *": _VECTOR,
    "conv2d.b: transposed: *": _VECTOR,
    "max_pool2d.x: one use detached: [xy] -> *first_argmax*": "first_argmax is given plain arrays",
    "max_pool2d.x: operands swapped: xp.not_equal(*": "whether they differ, in either order",
    "max_pool2d.x: operands swapped: xp.logical_and(*": "both, in either order",
    "max_pool2d.x: stride* off by one: *padded(*": "padding does not use the stride",
    "max_pool2d.x: dilation* off by one: *padded(*": "padding does not use the dilation",
    "max_pool2d.x: bound included: len(taps) <= 256 -> *": (
        "a wider type for the same numbers; 257 taps in a byte are caught"
    ),
    "cast.x: call left out: *": (
        "in float64 there is nothing to convert, and a leaf's gradient gets the leaf's dtype in "
        "any case: test_cast in test_ops_gradients"
    ),
    "move.x: call left out: *": (
        "there is one device here; on two it raises: test_moving_keeps_the_gradient in test_tensor"
    ),
}


def reason_for(mutant: str) -> str | None:
    """The reason why the mutant equals the right rule, or None if none is known."""
    return next((r for pattern, r in EXPLAINED.items() if fnmatchcase(mutant, pattern)), None)
