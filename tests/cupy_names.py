"""The names, parameters and failures of CuPy that the stand-in imitates.

Signatures are written out so that keywords that NumPy accepts but CuPy does not (``where=`` and
``initial=`` of a sum, ``mode=`` of a take) are rejected. ``test_cupy_standin.py`` compares every
line with CuPy where it is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


# Element-by-element functions; in CuPy they are `ufunc` objects, as in NumPy.
UFUNCS = _words("""
abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or
bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2
expm1 fabs float_power floor floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside
hypot invert isfinite isinf isnan lcm ldexp left_shift less less_equal log log10 log1p log2
logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum minimum mod modf
multiply negative nextafter not_equal positive power rad2deg radians reciprocal remainder
right_shift rint sign signbit sin sinh sqrt square subtract tan tanh true_divide trunc
""")

# Those whose `at` CuPy has written; the others raise NotImplementedError.
SCATTERS = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}

# What adding into integer-array indices can be compiled for; int64 is not among them.
SCATTER_DTYPES = {"float16", "float32", "float64", "int32", "uint32", "uint64"}

SPECIAL = _words(
    "erf erfc erfcinv erfinv expit gamma gammaln log_ndtr logit ndtr psi xlogy xlog1py"
)

# Functions that are NumPy's own once the arrays are unwrapped.
FUNCTIONS = """
all(a, axis=None, out=None, keepdims=False)
allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False)
amax(a, axis=None, out=None, keepdims=False)
amin(a, axis=None, out=None, keepdims=False)
any(a, axis=None, out=None, keepdims=False)
arange(start, stop=None, step=1, dtype=None)
argmax(a, axis=None, dtype=None, out=None, keepdims=False)
argmin(a, axis=None, dtype=None, out=None, keepdims=False)
argsort(a, axis=-1, kind=None)
argwhere(a)
around(a, decimals=0, out=None)
array_equal(a1, a2, equal_nan=False)
array_split(ary, indices_or_sections, axis=0)
ascontiguousarray(a, dtype=None)
asfortranarray(a, dtype=None)
atleast_1d(*arys)
atleast_2d(*arys)
average(a, axis=None, weights=None, returned=False, *, keepdims=False)
bincount(x, weights=None, minlength=None)
broadcast_arrays(*args)
broadcast_to(array, shape)
clip(a, a_min, a_max, out=None)
concatenate(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
copy(a, order='K')
copyto(dst, src, casting='same_kind', where=None)
count_nonzero(a, axis=None)
cumprod(a, axis=None, dtype=None, out=None)
cumsum(a, axis=None, dtype=None, out=None)
diag(v, k=0)
diagonal(a, offset=0, axis1=0, axis2=1)
diff(a, n=1, axis=-1, prepend=None, append=None)
dot(a, b, out=None)
empty(shape, dtype=float, order='C')
empty_like(prototype, dtype=None, order='K', subok=None, shape=None)
expand_dims(a, axis)
eye(N, M=None, k=0, dtype=float, order='C')
flatnonzero(a)
flip(a, axis=None)
fliplr(a)
flipud(a)
full(shape, fill_value, dtype=None, order='C')
full_like(a, fill_value, dtype=None, order='K', subok=None, shape=None)
hstack(tup, *, dtype=None, casting='same_kind')
identity(n, dtype=float)
indices(dimensions, dtype=int)
inner(a, b)
isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False)
isin(element, test_elements, assume_unique=False, invert=False)
linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0)
max(a, axis=None, out=None, keepdims=False)
mean(a, axis=None, dtype=None, out=None, keepdims=False)
median(a, axis=None, out=None, overwrite_input=False, keepdims=False)
meshgrid(*xi, **kwargs)
min(a, axis=None, out=None, keepdims=False)
moveaxis(a, source, destination)
nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None)
nanmax(a, axis=None, out=None, keepdims=False)
nanmean(a, axis=None, dtype=None, out=None, keepdims=False)
nanmin(a, axis=None, out=None, keepdims=False)
nansum(a, axis=None, dtype=None, out=None, keepdims=False)
nonzero(a)
ones(shape, dtype=float, order='C')
ones_like(a, dtype=None, order='K', subok=None, shape=None)
outer(a, b, out=None)
pad(array, pad_width, mode='constant', **kwargs)
permute_dims(a, axes=None)
prod(a, axis=None, dtype=None, out=None, keepdims=False)
ptp(a, axis=None, out=None, keepdims=False)
ravel(a, order='C')
repeat(a, repeats, axis=None)
reshape(a, newshape, order='C', *, copy=None)
roll(a, shift, axis=None)
rot90(a, k=1, axes=(0, 1))
round(a, decimals=0, out=None)
searchsorted(a, v, side='left', sorter=None)
sort(a, axis=-1, kind=None)
split(ary, indices_or_sections, axis=0)
squeeze(a, axis=None)
stack(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False)
sum(a, axis=None, dtype=None, out=None, keepdims=False)
swapaxes(a, axis1, axis2)
tensordot(a, b, axes=2)
tile(A, reps)
trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None)
transpose(a, axes=None)
tri(N, M=None, k=0, dtype=float)
tril(m, k=0)
triu(m, k=0)
unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, \
equal_nan=True)
var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False)
vdot(a, b)
vstack(tup, *, dtype=None, casting='same_kind')
zeros(shape, dtype=float, order='C')
zeros_like(a, dtype=None, order='K', subok=None, shape=None)
""".strip().splitlines()

# Functions that answer with a number or a truth value of Python, not with a device array.
HOST_FUNCTIONS = """
iscomplexobj(x)
isfortran(a)
may_share_memory(a, b, max_work=None)
ndim(a)
shape(a)
shares_memory(a, b, max_work=None)
size(a, axis=None)
""".strip().splitlines()

# Methods of `ndarray` that are those of numpy.ndarray once unwrapped.
METHODS = """
all(self, axis=None, out=None, keepdims=False)
any(self, axis=None, out=None, keepdims=False)
argmax(self, axis=None, out=None, dtype=None, keepdims=False)
argmin(self, axis=None, out=None, dtype=None, keepdims=False)
argsort(self, axis=-1, kind=None)
astype(self, dtype, order='K', casting=None, subok=None, copy=True)
clip(self, min=None, max=None, out=None)
conj(self)
copy(self, order='C')
cumprod(self, axis=None, dtype=None, out=None)
cumsum(self, axis=None, dtype=None, out=None)
diagonal(self, offset=0, axis1=0, axis2=1)
dot(self, b, out=None)
fill(self, value)
flatten(self, order='C')
max(self, axis=None, out=None, keepdims=False)
mean(self, axis=None, dtype=None, out=None, keepdims=False)
min(self, axis=None, out=None, keepdims=False)
nonzero(self)
prod(self, axis=None, dtype=None, out=None, keepdims=None)
ravel(self, order='C')
repeat(self, repeats, axis=None)
reshape(self, *shape, order='C', copy=None)
round(self, decimals=0, out=None)
searchsorted(self, v, side='left', sorter=None)
sort(self, axis=-1, kind=None)
squeeze(self, axis=None)
std(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False)
sum(self, axis=None, dtype=None, out=None, keepdims=False)
swapaxes(self, axis1, axis2)
trace(self, offset=0, axis1=0, axis2=1, dtype=None, out=None)
transpose(self, *axes)
var(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False)
""".strip().splitlines()

# Parameters that hold arrays. The first of a function must be one, the others may be numbers;
# every parameter not named here or in SEQUENCES is plain Python and must not be an array.
ARRAYS = set(
    _words("""
    a x array ary arr ar m v a1 a2 b A prototype dst src element test_elements weights where
    a_min a_max min max fill_value value sorter self prepend append arys args xi
    """)
)
SEQUENCES = {"tup"}

# Functions that only make a new view or reserve memory: they work even where no kernel compiles.
NO_KERNEL = set(
    _words("""
    array_split atleast_1d atleast_2d broadcast_arrays broadcast_to diagonal empty empty_like
    expand_dims flip fliplr flipud moveaxis permute_dims ravel reshape rot90 split squeeze swapaxes
    transpose zeros zeros_like
    """)
)
MATRIX_PRODUCTS = {"dot", "inner", "tensordot", "vdot"}

# Names that CuPy takes over from NumPy as they are.
SAME_AS_NUMPY = _words("""
bool bool_ broadcast_shapes can_cast complex128 complex64 complexfloating dtype e euler_gamma finfo
float16 float32 float64 floating generic iinfo index_exp inexact inf int16 int32 int64 int8 int_
integer intp isscalar issubdtype nan newaxis number pi promote_types s_ signedinteger uint16 uint32
uint64 uint8 unsignedinteger
""")

# Operators: the ufunc behind each, with which of the three forms CuPy has.
OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
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
    sliding_window: bool = True  # False: CuPy before 13
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

    def __init__(self, msg: str, source: str, name: str, options: Any, backend: str = "nvrtc"):
        super().__init__(msg, source, name, options, backend)
        self._msg = msg

    def __str__(self) -> str:
        return self._msg


class CUDARuntimeError(RuntimeError):
    """A call of the CUDA run-time failed."""


def launch() -> None:
    """Called before each kernel: fails if kernels do not compile."""
    if State.options.kernel_error is not None:
        raise CompileException(State.options.kernel_error, "", "kernel.cu", ())


def multiply_matrices() -> None:
    launch()
    if State.options.matmul_error is not None:
        raise RuntimeError(State.options.matmul_error)
