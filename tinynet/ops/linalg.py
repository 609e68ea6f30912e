"""Matrix products: matmul, linear, einsum. All are multilinear, so their rules are products too."""

from __future__ import annotations

from typing import Any

from tinynet import threads
from tinynet.autograd import Op, raw
from tinynet.backend import array_module, eye
from tinynet.dtypes import accumulates, check_same_float
from tinynet.kernels import products, sums
from tinynet.ops.broadcast import Elementwise, expand
from tinynet.ops.reduction import sum
from tinynet.ops.shape import permute, reshape


def transposed(x: Any) -> Any:
    """x with its last two axes swapped."""
    n = len(x.shape)
    return permute(x, dims=(*range(n - 2), n - 1, n - 2))


@Elementwise  # the batch axes broadcast
@accumulates
def matmul(a: Any, b: Any) -> Any:
    """y_ij = sum_k a_ik b_kj, for each matrix of a batch.

    Derivation: dy = da b + a db. <gy, da b> = tr(gy^T da b) = <gy b^T, da>, and
        <gy, a db> = <a^T gy, db>.
        ga = matmul(gy, transposed(b))
        gb = matmul(transposed(a), gy)
    Jacobian: Kronecker products, I ⊗ b^T for a and a ⊗ I for b.
    Kinks: none; bilinear.
    Cost: N M K multiply-adds for (N, K) @ (K, M) forward, as many backward for each input; keeps
        b for ga and a for gb.
    Shapes: (..., N, K) @ (..., K, M) -> (..., N, M), the leading axes broadcast; dtype: the wider.
        `Tensor.matmul` and @ accept vectors too, as in PyTorch.
    Errors: ValueError if the inner sizes differ or the leading axes do not broadcast.
    Source: M. Giles, An extended collection of matrix derivative results for forward and reverse
        mode algorithmic differentiation (2008), section 2.2.2.
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(
            f"matmul: shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit; the last size of "
            "the first must equal the second-to-last of the second"
        )
    check_same_float("matmul", ("input", "other"), a, b)
    if a.dtype.kind == b.dtype.kind == "b":
        raise TypeError("matmul: both inputs are bool; convert them with .long() or .float()")
    return products.product(a, b)


@matmul.rule("a")
def matmul_ga(gy: Any, b: Any) -> Any:
    return matmul(gy, transposed(b))


@matmul.rule("b")
def matmul_gb(gy: Any, a: Any) -> Any:
    return matmul(transposed(a), gy)


@Op
@accumulates
def linear(x: Any, w: Any, b: Any = None) -> Any:
    """y_nj = sum_i x_ni w_ji + b_j: each row of x is an example, each row of w makes an output.

    Derivation: dy = dx w^T + x dw^T + 1 db^T. <gy, dx w^T> = <gy w, dx>;
        <gy, x dw^T> = tr(gy^T x dw^T) = <gy^T x, dw>; <gy, 1 db^T> = <sum over n of gy, db>.
        gx = matmul(gy, w)
        gw = matmul(gy.T, x)
        gb = sum(gy, dim=0)
    Jacobian: I ⊗ w for x, x ⊗ I for w (⊗: Kronecker product), a column of identities for b.
    Kinks: none; bilinear in x and w, affine in b.
    Cost: N I J multiply-adds forward, twice that backward; keeps w for gx and x for gw.
    Shapes: x (N, I), w (J, I), b (J,) or None, y (N, J); dtype: the widest. `functional.linear`
        accepts more leading axes.
    Errors: ValueError if the shapes do not fit.
    Source: M. Giles, An extended collection of matrix derivative results for forward and reverse
        mode algorithmic differentiation (2008), section 2.2.2.
    """
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[1]:
        raise ValueError(
            f"linear: input {tuple(x.shape)} and weight {tuple(w.shape)} do not fit; the last "
            "size of the input must be in_features of the weight (out_features, in_features)"
        )
    if b is not None and b.shape != w.shape[:1]:
        raise ValueError(
            f"linear: bias {tuple(b.shape)} must be ({w.shape[0]},) for weight {tuple(w.shape)}"
        )
    check_same_float("linear", ("input", "weight", "bias"), x, w, b)
    y = products.product(x, w.T)
    if b is None:
        return y
    y += b  # in place: y is new, and another array would cost more than the addition
    return y


@linear.rule("x")
def linear_gx(gy: Any, w: Any) -> Any:
    return matmul(gy, w)


@linear.rule("w")
def linear_gw(gy: Any, x: Any) -> Any:
    return matmul(gy.T, x)


@linear.rule("b")
def linear_gb(gy: Any) -> Any:
    return sum(gy, dim=0)


@Op
@accumulates
def einsum(*xs: Any, subscripts: str) -> Any:
    """y = sum of the products of entries of x_0, x_1, ... over letters not in the output.

    "ij,jk->ik" is y_ik = sum_j a_ij b_jk.

    Derivation: y is linear in each input. With the others fixed, dx_i occurs in one sum with gy
        and the others, so its gradient is the einsum of gy and the others with the letters of x_i
        as output. A letter that only x_i has was summed alone: the gradient is repeated along its
        axis. A letter that x_i has twice puts the gradient on that diagonal.
        gxs = einsum(g, *operands, subscripts=",".join([letters, *eyes]) + "->" + target)
    Jacobian: for each input, the contraction of the others.
    Kinks: none; multilinear.
    Cost: at most the product of all letters' sizes, and much less in a good pairwise order (NumPy
        chooses it, and uses BLAS if a pair is a matrix product); keeps the inputs.
    Shapes: a letter has the same size everywhere; dtype: the widest. `tinynet.einsum` accepts
        "..." and an implicit output.
    Errors: ValueError for subscripts that are not letters or do not fit the shapes.
    Source: M. Giles, An extended collection of matrix derivative results for forward and reverse
        mode algorithmic differentiation (2008), section 2.2, for the bilinear case.
    """
    terms, out = split_subscripts(subscripts)
    sizes = _sizes(terms, [x.shape for x in xs])
    if len(set(out)) != len(out) or any(c not in sizes for c in out):
        raise ValueError(f"einsum: the output {out!r} of {subscripts!r} must be letters of the "
                         "inputs, each once")  # fmt: skip
    check_same_float("einsum", [f"operand {k}" for k in range(1, len(xs) + 1)], *xs)
    # booleans are counted, not joined by "or"
    xs = tuple(x.astype("int64") if x.dtype.kind == "b" else x for x in xs)
    terms, summed = _sum_alone(terms, out, xs)
    with threads.one_blas_thread():
        return array_module(*xs).einsum(f"{','.join(terms)}->{out}", *summed, optimize=True)


@einsum.rule("xs")
def einsum_gx(gy: Any, i: int, xs: Any, xs_shape: Any, subscripts: str) -> Any:
    terms, out = split_subscripts(subscripts)
    others = [(t, x) for k, (t, x) in enumerate(zip(terms, xs, strict=True)) if k != i]
    sizes = _sizes(terms, xs_shape)
    letters = "".join(dict.fromkeys(terms[i]))
    met = "".join(c for c in letters if c in out or any(c in t for t, _ in others))
    signature = ",".join([out, *(t for t, _ in others)]) + "->" + met
    g = einsum(gy, *(x for _, x in others), subscripts=signature)
    # letters that only x_i has: the entries along them were summed, so all get the same gradient
    g = reshape(g, shape=tuple(sizes[c] if c in met else 1 for c in letters))
    g = expand(g, shape=tuple(sizes[c] for c in letters))
    if len(letters) == len(terms[i]):
        return g
    # repeated letters: only the diagonal of their axes was used
    fresh = iter(c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                 if c not in letters)  # fmt: skip
    target, eyes, operands = "", [], []
    for position, c in enumerate(terms[i]):
        if c in terms[i][:position]:
            new = next(fresh)
            eyes.append(c + new)
            operands.append(eye(sizes[c], raw(g)))
            c = new
        target += c
    return einsum(g, *operands, subscripts=",".join([letters, *eyes]) + "->" + target)


def _sum_alone(terms: list[str], out: str, xs: Any) -> tuple[list[str], list[Any]]:
    """Terms and inputs after the sums over letters that only one input has, and once."""
    every, kept, summed = "".join(terms), [], []
    for term, x in zip(terms, xs, strict=True):
        alone = tuple(k for k, c in enumerate(term) if every.count(c) == 1 and c not in out)
        if alone and x.dtype.kind == "f":
            x = sums.sum(x, alone)
            term = "".join(c for k, c in enumerate(term) if k not in alone)
        kept.append(term)
        summed.append(x)
    return kept, summed


def split_subscripts(subscripts: str) -> tuple[list[str], str]:
    """Split explicit subscripts into the terms of the inputs and the term of the output.

    Raises:
        ValueError: for anything except letters, commas and one arrow.
    """
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or not all(t == "" or (t.isascii() and t.isalpha()) for t in [*terms, out]):
        raise ValueError(f"einsum: subscripts {subscripts!r} must be like 'ij,jk->ik'")
    return terms, out


def _sizes(terms: list[str], shapes: Any) -> dict[str, int]:
    if len(terms) != len(shapes):
        raise ValueError(f"einsum: {len(terms)} terms for {len(shapes)} inputs")
    sizes: dict[str, int] = {}
    for k, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        if len(term) != len(shape):
            raise ValueError(
                f"einsum: term {term!r} has {len(term)} letters, but input {k} has shape "
                f"{tuple(shape)}"
            )
        for c, n in zip(term, shape, strict=True):
            if sizes.setdefault(c, n) != n:
                raise ValueError(f"einsum: letter {c!r} has sizes {sizes[c]} and {n}, not one")
    return sizes
