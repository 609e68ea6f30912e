"""The names, parameters and failures of CuPy that the stand-in imitates.

Signatures are written out so that keywords that NumPy accepts but CuPy does not (``where=`` and
``initial=`` of a sum, ``mode=`` of a take) are rejected. ``test_cupy_names.py`` compares every
line with CuPy where it is installed. The tables hold what tinynet uses.
"""

from __future__ import annotations

from dataclasses import dataclass

# Element-by-element functions; in CuPy they are `ufunc` objects, as in NumPy.
UFUNCS = """
abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or
bitwise_xor ceil cos cosh divide equal exp exp2 expm1 floor floor_divide fmod gcd greater
greater_equal hypot invert isfinite isinf isnan lcm left_shift less less_equal log log10 log1p
log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum minimum multiply
negative not_equal power remainder right_shift rint sign signbit sin sinh sqrt subtract tan tanh
true_divide trunc
""".split()

# Those whose `at` CuPy has written; the others raise NotImplementedError.
SCATTERS = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}

# What adding into integer-array indices can be compiled for; int64 is not among them.
SCATTER_DTYPES = {"float16", "float32", "float64", "int32", "uint32", "uint64"}

SPECIAL = ["digamma", "erf", "erfc", "erfinv", "expit", "gammaln", "zeta"]

# Functions that are NumPy's own once the arrays are unwrapped.
FUNCTIONS = """
arange(start, stop=None, step=1, dtype=None)
ascontiguousarray(a, dtype=None)
bincount(x, weights=None, minlength=None)
broadcast_to(array, shape)
clip(a, a_min, a_max, out=None)
concatenate(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
copyto(dst, src, casting='same_kind', where=None)
empty(shape, dtype=float, order='C')
empty_like(prototype, dtype=None, order='K', subok=None, shape=None)
expand_dims(a, axis)
eye(N, M=None, k=0, dtype=float, order='C')
full(shape, fill_value, dtype=None, order='C')
full_like(a, fill_value, dtype=None, order='K', subok=None, shape=None)
may_share_memory(a, b, max_work=None)
ones(shape, dtype=float, order='C')
isin(element, test_elements, assume_unique=False, invert=False)
may_share_memory(a, b, max_work=None)
searchsorted(a, v, side='left', sorter=None)
stack(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
zeros(shape, dtype=float, order='C')
""".strip().splitlines()

# Functions of `cupy.linalg`.
LINALG = """
cholesky(a)
det(a)
eigh(a, UPLO='L')
inv(a)
qr(a, mode='reduced')
slogdet(a)
solve(a, b)
svd(a, full_matrices=True, compute_uv=True)
""".strip().splitlines()

# Methods of `ndarray` that are those of numpy.ndarray once unwrapped.
METHODS = """
all(self, axis=None, out=None, keepdims=False)
any(self, axis=None, out=None, keepdims=False)
argmax(self, axis=None, out=None, dtype=None, keepdims=False)
argmin(self, axis=None, out=None, dtype=None, keepdims=False)
argsort(self, axis=-1, kind=None)
astype(self, dtype, order='K', casting=None, subok=None, copy=True)
copy(self, order='C')
cumprod(self, axis=None, dtype=None, out=None)
cumsum(self, axis=None, dtype=None, out=None)
max(self, axis=None, out=None, keepdims=False)
mean(self, axis=None, dtype=None, out=None, keepdims=False)
min(self, axis=None, out=None, keepdims=False)
nonzero(self)
prod(self, axis=None, dtype=None, out=None, keepdims=None)
ravel(self, order='C')
reshape(self, *shape, order='C', copy=None)
sum(self, axis=None, dtype=None, out=None, keepdims=False)
swapaxes(self, axis1, axis2)
transpose(self, *axes)
""".strip().splitlines()

# Parameters that hold arrays. The first of a function must be one, the others may be numbers;
# every parameter not named here or in SEQUENCES is plain Python and must not be an array.
ARRAYS = set(
    "a a_max a_min array b dst element fill_value prototype self src test_elements v weights where "
    "x".split()
)
SEQUENCES = {"tup"}

# Functions that only make a new view or reserve memory: they work even where no kernel compiles.
NO_KERNEL = set(
    "broadcast_to empty empty_like expand_dims ravel reshape swapaxes transpose zeros".split()
)

# Names that CuPy takes over from NumPy as they are.
SAME_AS_NUMPY = ["float16", "float32", "float64", "int32", "int64"]

# Operators: the ufunc behind each, with which of the three forms CuPy has.
OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


# --- the machine ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """The version of CuPy and the machine to imitate."""

    add_at: bool = True  # False: CuPy before 12, whose ufuncs have no `at`
    # The layout of what ufuncs return: "K" keeps the operands' as NumPy does, "C" is what
    # CuPy's kernels write.
    order: str = "K"
    devices: int = 1
    importable: bool = True  # False: `import cupy` raises ImportError
    # Texts of errors; None where the step works.
    driver_error: str | None = None
    kernel_error: str | None = None
    matmul_error: str | None = None


class State:
    """The options in force; `cupy_standin` sets and restores them."""

    options = Options()


class CompileException(Exception):
    """The run-time compiler refused a kernel."""


class CUDARuntimeError(RuntimeError):
    """A call of the CUDA run-time failed."""


def launch() -> None:
    """Called before each kernel: fails if kernels do not compile."""
    if State.options.kernel_error is not None:
        raise CompileException(State.options.kernel_error)


def multiply_matrices() -> None:
    launch()
    if State.options.matmul_error is not None:
        raise RuntimeError(State.options.matmul_error)
