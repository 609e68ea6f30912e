"""Products of tensors: matmul and its kin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tinynet.autograd import Value, raw
from tinynet.backend import asarray, is_array
from tinynet.functions.arguments import integer, number, one_axis, some_axes
from tinynet.functions.operands import promoted, tensor_like
from tinynet.functions.public import function, shown
from tinynet.ops import linalg
from tinynet.ops.indexing import at_axis

if TYPE_CHECKING:
    from tinynet.tensor import Tensor


@function
def matmul(input: Any, other: Any) -> Tensor:
    """The matrix product y_ij = sum_k a_ik b_kj, of matrices, batches of them, and vectors.

    As in PyTorch, a vector is a row on the left and a column on the right; see
    `tinynet.ops.linalg.matmul`.
    """
    kind: Any = next((x.result_type for x in (input, other) if isinstance(x, Value)), None)
    if kind is None:
        raise TypeError("matmul: input and other are no Tensors; one of them must be")
    for name, x in (("input", input), ("other", other)):
        if not isinstance(x, Value | int | float) and not is_array(x):
            raise TypeError(f"matmul: {name} is {shown(x)}; it must be a Tensor or an array")
    # copies, since the caller may overwrite an array before backward reads it
    a: Any = input if isinstance(input, Value) else kind(asarray(input).copy())
    b: Any = other if isinstance(other, Value) else kind(asarray(other).copy())
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: shapes are {a.shape} and {b.shape}; multiply numbers with *")
    if a.ndim == 1:
        y = a.unsqueeze(0).matmul(b)
        return y.squeeze(-1 if b.ndim == 1 else -2) if b.ndim > 1 else y.reshape(())
    if b.ndim == 1:
        return a.matmul(b.unsqueeze(1)).squeeze(-1)
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        # one large product, so that backward need not sum a batch of weight gradients
        return linalg.matmul(a.flatten(0, -2), b).reshape(*a.shape[:-1], b.shape[1])
    return linalg.matmul(a, b)


def _same(name: str, *tensors: Tensor) -> None:
    """PyTorch's products take tensors of one dtype."""
    dtypes = {t.dtype for t in tensors}
    if len(dtypes) > 1:
        raise RuntimeError(
            f"{name}: dtypes {', '.join(str(t.dtype) for t in tensors)} differ; convert with .to()"
        )


def _product(name: str, a: Tensor, b: Any, axes: tuple[int, int], what: str = "mat2") -> Tensor:
    """The matrix product of tensors that must have `axes` axes."""
    b = tensor_like(name, what, b, a)
    if (a.ndim, b.ndim) != axes:
        raise RuntimeError(
            f"{name}: shapes {a.shape} and {b.shape} must have {axes[0]} and {axes[1]} axes"
        )
    _same(name, a, b)
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    batches = a.ndim == 3 and a.shape[0] != b.shape[0]
    if a.shape[-1] != inner or batches:
        raise RuntimeError(f"{name}: shapes {a.shape} and {b.shape} do not fit")
    return a.matmul(b)


@function
def mm(input: Tensor, mat2: Any) -> Tensor:
    """The product of two matrices."""
    return _product("mm", input, mat2, (2, 2))


@function
def bmm(input: Tensor, mat2: Any) -> Tensor:
    """The products of two batches of matrices, (B, N, M) and (B, M, P)."""
    return _product("bmm", input, mat2, (3, 3))


@function
def mv(input: Tensor, vec: Any) -> Tensor:
    """The product of a matrix and a vector."""
    return _product("mv", input, vec, (2, 1), "vec")


@function
def dot(input: Tensor, other: Any) -> Tensor:
    """sum_i x_i y_i of two vectors of one size."""
    return _product("dot", input, other, (1, 1), "other")


@function
def vdot(input: Tensor, other: Any) -> Tensor:
    """`dot`: the two differ for complex numbers only."""
    return dot(input, other)


@function
def inner(input: Tensor, other: Any) -> Tensor:
    """The sums of products along the last axes of both."""
    other = tensor_like("inner", "other", other, input)
    _same("inner", input, other)
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner: the last sizes of {input.shape} and {other.shape} must be equal"
        )
    return tensordot(input, other, ([-1], [-1]))


@function
def outer(input: Tensor, vec2: Any) -> Tensor:
    """y_ij = x_i v_j of two vectors."""
    vec2 = tensor_like("outer", "vec2", vec2, input)
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"outer: shapes {input.shape} and {vec2.shape} must have one axis each")
    return input.unsqueeze(1) * vec2.unsqueeze(0)


@function
def ger(input: Tensor, vec2: Any) -> Tensor:
    """`outer` by its older name."""
    return outer(input, vec2)


@function
def kron(input: Tensor, other: Any) -> Tensor:
    """The Kronecker product: each entry of `input` times `other`, as blocks."""
    other = tensor_like("kron", "other", other, input)
    n = max(input.ndim, other.ndim)
    a_shape = (1,) * (n - input.ndim) + input.shape
    b_shape = (1,) * (n - other.ndim) + other.shape
    a = input.reshape([m for size in a_shape for m in (size, 1)])
    b = other.reshape([m for size in b_shape for m in (1, size)])
    return (a * b).reshape([p * q for p, q in zip(a_shape, b_shape, strict=True)])


@function
def tensordot(a: Tensor, b: Any, dims: Any = 2) -> Tensor:
    """The sums of products of a and b over several axes.

    Args:
        a: any shape.
        b: any shape.
        dims: how many of the last axes of a meet the first of b; or two lists of axes.
    """
    b = tensor_like("tensordot", "b", b, a)
    if isinstance(dims, Value):
        dims = raw(dims).tolist()
    if isinstance(dims, tuple | list):
        if len(dims) != 2:
            raise RuntimeError(f"tensordot: dims is {dims!r}; it must be a number or two lists")
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        n = integer("tensordot", "dims", dims)
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot: dims is {n} for shapes {a.shape} and {b.shape}; it must be from 0 to "
                f"{min(a.ndim, b.ndim)}"
            )
        left, right = list(range(a.ndim - n, a.ndim)), list(range(n))
    if len(left) != len(right):
        raise RuntimeError(f"tensordot: {left} and {right} must name as many axes")
    left = list(some_axes("tensordot", left, a.ndim))
    right = list(some_axes("tensordot", right, b.ndim))
    for i, j in zip(left, right, strict=True):
        if 1 in (a.shape[i], b.shape[j]):  # it broadcasts: the other is summed
            a, b = a.sum(i, keepdim=True), b.sum(j, keepdim=True)
        elif a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"tensordot: axis {i} of {a.shape} and axis {j} of {b.shape} must be equal"
            )
    kept_a = [k for k in range(a.ndim) if k not in left]
    kept_b = [k for k in range(b.ndim) if k not in right]
    shape = [a.shape[k] for k in kept_a] + [b.shape[k] for k in kept_b]
    n = math.prod(a.shape[k] for k in left)
    rows = a.permute(*kept_a, *left).reshape(math.prod(a.shape[k] for k in kept_a), n)
    columns = b.permute(*right, *kept_b).reshape(n, math.prod(b.shape[k] for k in kept_b))
    return rows.mm(columns).reshape(shape)


# --- products added to a tensor ------------------------------------------------------------------


def _added(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """beta input + alpha product; for beta = 0 `input` is left out, even where it is NaN."""
    _same(name, input, product)
    beta, alpha = (_factor(name, w, v, input) for w, v in (("beta", beta), ("alpha", alpha)))
    product = product if alpha == 1 else product * alpha
    if len(input.shape) > product.ndim:
        raise RuntimeError(f"{name}: input {input.shape} does not broadcast to {product.shape}")
    input = input.expand(*product.shape)
    if beta == 0:
        return product + (input * 0 if input.requires_grad and _is_finite(input) else 0)
    return (input if beta == 1 else input * beta) + product


def _is_finite(input: Tensor) -> bool:
    return bool(input.isfinite().all().item())


def _factor(name: str, what: str, value: Any, input: Tensor) -> Any:
    value = number(name, what, value)
    return int(value) if input.dtype.kind != "f" else float(value)


@function
def addmm(input: Tensor, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat1 mat2, of matrices; `input` broadcasts."""
    mat1 = tensor_like("addmm", "mat1", mat1, input)
    return _added("addmm", input, _product("addmm", mat1, mat2, (2, 2)), beta, alpha)


@function
def addmv(input: Tensor, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat vec, of a matrix and a vector."""
    mat = tensor_like("addmv", "mat", mat, input)
    return _added("addmv", input, _product("addmv", mat, vec, (2, 1), "vec"), beta, alpha)


@function
def baddbmm(input: Tensor, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha batch1 batch2, matrix by matrix."""
    batch1 = tensor_like("baddbmm", "batch1", batch1, input)
    product = _product("baddbmm", batch1, batch2, (3, 3), "batch2")
    return _added("baddbmm", input, product, beta, alpha)


@function
def addbmm(input: Tensor, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha times the sum of the products of a batch."""
    batch1 = tensor_like("addbmm", "batch1", batch1, input)
    product = _product("addbmm", batch1, batch2, (3, 3), "batch2").sum(0)
    return _added("addbmm", input, product, beta, alpha)


@function
def addr(input: Tensor, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha vec1 vec2^T, of vectors."""
    vec1, vec2 = (tensor_like("addr", "a vector", v, input) for v in (vec1, vec2))
    input, vec1, vec2 = promoted(input, vec1, vec2)
    product = outer(vec1, vec2)
    if input.dtype.kind == "b":  # and, or
        product = product & bool(alpha)
        return product | input if beta else product
    return _added("addr", input, product, beta, alpha)


@function
def cross(input: Tensor, other: Any, dim: int | None = None) -> Tensor:
    """The cross product along `dim` of size 3, by default the first such: perpendicular to both."""
    other = tensor_like("cross", "other", other, input)
    if dim is None:
        fits = [k for k, n in enumerate(input.shape) if n == 3]
        if not fits:
            raise RuntimeError(f"cross: shape {input.shape} has no axis of size 3")
        dim = fits[0]
    return cross_along("cross", input, other, dim)


def cross_along(name: str, a: Tensor, b: Tensor, dim: Any) -> Tensor:
    """y_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1}, the positions counted in a circle of 3."""
    if a.ndim != b.ndim:
        raise RuntimeError(f"{name}: shapes {a.shape} and {b.shape} must have as many axes")
    axis = one_axis(name, dim, a.ndim)
    if not a.ndim or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise RuntimeError(f"{name}: shapes {a.shape} and {b.shape} must have size 3 at dim {dim}")
    next_one, next_two = at_axis(axis, [1, 2, 0]), at_axis(axis, [2, 0, 1])
    return a[next_one] * b[next_two] - a[next_two] * b[next_one]
