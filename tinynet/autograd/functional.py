"""functional: Jacobians, Hessians and their products with vectors, of functions of tensors.

The names, arguments and results of `torch.autograd.functional`. All are compositions of `grad`:
a product v^T J is one walk back, a Jacobian is one for each entry of the output, and J u is the
gradient with respect to v of <v^T J, u>, which is linear in v.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed. (2008), sections 3.2 and 5.4;
B. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994); the product
J u by two walks back is from J. Townsend, A new trick for calculating Jacobian vector products
(2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinynet.autograd.engine import Op
from tinynet.autograd.gradients import grad
from tinynet.autograd.modes import enable_grad
from tinynet.autograd.value import Value
from tinynet.autograd.versions import alias
from tinynet.backend import array_module, eye, zeros


@Op
def rows(*xs: Any) -> Any:
    """y[i] = x_i."""
    return array_module(*xs).stack(xs)


@rows.rule("xs")
def rows_gx(gy: Any, i: int) -> Any:
    return gy[i]


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output y = func(inputs), and v^T J: sum over k of v_k d y_k / d x_i.

    Args:
        func: a function of tensors, which returns a Tensor or a tuple of them.
        inputs: a Tensor, or a tuple of them for the arguments.
        v: of the shape of the output; None for an output of one number.
        create_graph: record what is computed, so that the results can be differentiated.
        strict: raise if an output does not depend on an input, instead of giving zeros.

    Returns:
        (output, product); the product has the shape of `inputs`.
    """
    xs, ys, single = _called("vjp", func, inputs, create_graph)
    vs = _vectors("vjp", "the output", ys, v)
    found = _grads("vjp", ys, xs, vs, create_graph, strict)
    return _result(ys, single, create_graph), _like(found, inputs, create_graph)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output y = func(inputs), and J v: sum over i of d y_k / d x_i v_i.

    Args:
        func: see `vjp`.
        inputs: see `vjp`.
        v: of the shape of `inputs`; None for an input of one number.
        create_graph: see `vjp`.
        strict: see `vjp`.

    Returns:
        (output, product); the product has the shape of the output.
    """
    xs, ys, single = _called("jvp", func, inputs, create_graph)
    vs = _vectors("jvp", "the input", xs, v)
    with enable_grad():
        us = [_leaf(type(y)(zeros(y._data.shape, y._data))) for y in ys]
        g = _grads("jvp", ys, xs, us, True, strict)  # linear in us
        found = _grads("jvp", g, us, vs, create_graph, strict=False)
    out = _result(ys, single, create_graph)
    return out, _result(found, single, create_graph)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The number y = func(inputs), and v^T H: sum over j of v_j d^2 y / (d x_j d x_i).

    Args:
        func: a function of tensors that returns one number.
        inputs: see `vjp`.
        v: of the shape of `inputs`; None for an input of one number.
        create_graph: see `vjp`.
        strict: see `vjp`.

    Returns:
        (output, product); the product has the shape of `inputs`.
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The number y = func(inputs), and H v, which is `vhp`: a Hessian is symmetric."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    xs, ys, _ = _called(name, func, inputs, create_graph)
    y = _one_number(name, ys)
    vs = _vectors(name, "the input", xs, v)
    with enable_grad():
        g = _grads(name, [y], xs, [None], True, strict)
        found = _grads(name, g, xs, vs, create_graph, strict)
    return _result([y], True, create_graph), _like(found, inputs, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """J[k, i] = d y_k / d x_i for y = func(inputs), with multi-indices k and i.

    Args:
        func: see `vjp`.
        inputs: see `vjp`.
        create_graph: see `vjp`.
        strict: see `vjp`.
        vectorize: no effect.
        strategy: no effect.

    Returns:
        Shape (*y.shape, *x.shape). With several inputs a tuple of these, one for each; with a tuple
        of outputs a tuple of what one of them has.

    Cost: one walk back for each entry of the output.
    """
    xs, ys, single = _called("jacobian", func, inputs, create_graph)
    found = []
    for k, y in enumerate(ys):
        parts: list[list[Any]] = [[] for _ in xs]
        for unit in eye(int(y._data.size), y._data):
            one = type(y).result_type(unit.reshape(y._data.shape))
            given = [None if m != k else one for m in range(len(ys))]
            row = _grads("jacobian", ys, xs, given, create_graph, strict, keep=True)
            for part, g in zip(parts, row, strict=True):
                part.append(g)
        blocks = []
        for x, part in zip(xs, parts, strict=True):
            shape = (*y._data.shape, *x._data.shape)
            block: Any = rows(*part) if part else type(x).result_type(zeros((0,), x._data))
            blocks.append(block.reshape(shape))
        found.append(_like(blocks, inputs, create_graph))
    return found[0] if single else tuple(found)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """H[i, j] = d^2 y / (d x_i d x_j) for the number y = func(inputs), with multi-indices i and j.

    Args:
        func: a function of tensors that returns one number.
        inputs: see `vjp`.
        create_graph: see `vjp`.
        strict: see `vjp`.
        vectorize: no effect.
        outer_jacobian_strategy: no effect.

    Returns:
        Shape (*x.shape, *x.shape). With several inputs a tuple of tuples, one row for each.

    Cost: one walk back for each entry of the inputs, through the graph of the gradient.
    """

    def gradient(*xs: Any) -> Any:
        y = _one_number("hessian", _outputs("hessian", func(*xs))[0])
        found = _grads("hessian", [y], list(xs), [None], True, strict)
        return tuple(found) if isinstance(inputs, tuple) else found[0]

    return jacobian(gradient, inputs, create_graph, strict)


# --- arguments and results ------------------------------------------------------------------------


def _called(
    name: str, func: Callable[..., Any], inputs: Any, create_graph: bool
) -> tuple[list[Any], list[Any], bool]:
    """The inputs as parts of a graph, the outputs, and whether there is one outside a tuple."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    for x in given:
        if not isinstance(x, Value):
            raise TypeError(
                f"{name}: inputs holds a {type(x).__name__}; it must be a Tensor or a tuple of them"
            )
        if x._data.dtype.kind != "f":
            raise TypeError(
                f"{name}: an input is {x._data.dtype}, which has no gradient; convert it with "
                ".float()"
            )
    with enable_grad():
        xs: list[Any] = [
            x.clone() if create_graph and x._requires_grad else _leaf(x) for x in given
        ]
        ys, single = _outputs(name, func(*xs))
    return xs, ys, single


def _leaf(x: Any) -> Any:
    out = alias(x)
    out._requires_grad = True
    return out


def _outputs(name: str, y: Any) -> tuple[list[Any], bool]:
    ys = list(y) if isinstance(y, tuple) else [y]
    for each in ys:
        if not isinstance(each, Value):
            raise TypeError(
                f"{name}: func returned a {type(each).__name__}; it must return a Tensor or a "
                "tuple of them"
            )
    return ys, not isinstance(y, tuple)


def _one_number(name: str, ys: list[Any]) -> Any:
    if len(ys) != 1 or ys[0]._data.size != 1:
        shapes = ", ".join(str(tuple(y._data.shape)) for y in ys)
        raise RuntimeError(f"{name}: func returned {shapes}; it must return one number")
    return ys[0]


def _vectors(name: str, what: str, values: list[Any], v: Any) -> list[Any]:
    """The parts of v, one for each of the values."""
    if v is None:
        if len(values) != 1 or values[0]._data.size != 1:
            raise RuntimeError(f"{name}: v may be None only if {what} is one number; give v")
        return [type(values[0]).result_type(zeros(values[0]._data.shape, values[0]._data) + 1)]
    vs = list(v) if isinstance(v, tuple) else [v]
    shapes = [str(tuple(x._data.shape)) for x in values]
    found = [str(tuple(p._data.shape)) if isinstance(p, Value) else type(p).__name__ for p in vs]
    if found != shapes:
        raise RuntimeError(
            f"{name}: v has {', '.join(found)}; it must be of the shape of {what}, "
            f"{', '.join(shapes)}"
        )
    return vs


def _grads(
    name: str,
    ys: Sequence[Any],
    xs: Sequence[Any],
    vs: Sequence[Any],
    create_graph: bool,
    strict: bool,
    keep: bool = False,
) -> list[Any]:
    """Gradients of <vs, ys>, zeros where nothing depends on an input; None for a part left out."""
    pairs = [
        (y, v) for y, v in zip(ys, vs, strict=True)
        if y._requires_grad and (v is not None or len(ys) == 1)
    ]  # fmt: skip
    if strict and len(pairs) < sum(v is not None or len(ys) == 1 for v in vs):
        raise RuntimeError(f"{name}: strict is True, and an output depends on no input")
    found: Sequence[Any] = [None] * len(xs)
    if pairs:
        outputs, given = zip(*pairs, strict=True)
        options = {"retain_graph": True} if keep else {}
        found = grad(
            outputs, xs, list(given), create_graph=create_graph, allow_unused=True, **options
        )
    if strict and any(g is None for g in found):
        raise RuntimeError(f"{name}: strict is True, and an input has no part in an output")
    return [
        type(x).result_type(zeros(x._data.shape, x._data)) if g is None else g
        for g, x in zip(found, xs, strict=True)
    ]


def _result(values: Sequence[Any], single: bool, create_graph: bool) -> Any:
    """The values, outside the graph unless `create_graph`, as func returned them."""
    out = tuple([v if create_graph else alias(v) for v in values])
    return out[0] if single else out


def _like(values: Sequence[Any], inputs: Any, create_graph: bool) -> Any:
    return _result(values, not isinstance(inputs, tuple), create_graph)
