"""Gradient cases of the functions of shapes, positions and masks, for `test_public_names`."""

from __future__ import annotations

import numpy as np

import tinynet as tn

RNG = np.random.default_rng(17)


def real(*shape):
    """Distinct numbers, without ties."""
    n = int(np.prod(shape))
    return RNG.permutation(np.linspace(-2.0, 2.0, n + 2)[1:-1] + 0.013).reshape(shape)


X, Y, ROW, CUBE = real(3, 4), real(3, 4), real(4), real(2, 3, 4)
MASK = X > 0.3
ALONG = np.array([[1, 1, 0, 2], [0, 2, 2, 1]])
ONCE = np.array([2, 0])
FLAT = np.array([[5, 0], [-1, 5]])

# name: (function, inputs)
METHODS = {
    "bernoulli": (lambda x: x.sigmoid().bernoulli() * 0 + x, [X]),
    "broadcast_to": (lambda x: x.broadcast_to((2, 3, 4)), [X]),
    "combinations": (lambda x: x.combinations(2, with_replacement=True), [ROW]),
    "contiguous": (lambda x: x.T.contiguous() * 2, [X]),
    "diag": (lambda x: x.diag(1) * x[0].diag(-1)[1, 0], [X]),
    "diag_embed": (lambda x: x.diag_embed(-1, 0, 2), [X]),
    "diagflat": (lambda x: x[:2, :2].diagflat(1), [X]),
    "diagonal": (lambda x: x.diagonal(1, 2, 0), [CUBE]),
    "diagonal_scatter": (lambda x, y: x.diagonal_scatter(y[0, :3], 1), [X, Y]),
    "dsplit": (lambda x: x.dsplit(2)[1] * 2, [CUBE]),
    "expand_as": (lambda x: x.expand_as(tn.zeros(2, 3, 4)), [X]),
    "fliplr": (lambda x: x.fliplr(), [X]),
    "flipud": (lambda x: x.flipud(), [X]),
    "hsplit": (lambda x: x.hsplit([1, 3])[1] * 2, [X]),
    "index_add": (lambda x, y: x.index_add(0, [1, 1], y[:2], alpha=0.5), [X, Y]),
    "index_copy": (lambda x, y: x.index_copy(1, ONCE, y[:, :2]), [X, Y]),
    "index_fill": (lambda x: x.index_fill(0, ONCE, 0.5), [X]),
    "index_put": (
        lambda x, y: x.index_put((ONCE,), y[0]) + x.index_put((ONCE, [1, 1]), y[:2, 0], True),
        [X, Y],
    ),
    "index_reduce": (lambda x, y: x.index_reduce(0, [1, 1], y[:2], "mean"), [X, Y]),
    "index_select": (lambda x: x.index_select(1, [3, 3, 0]), [X]),
    "masked_fill": (lambda x: x.masked_fill(MASK, 2.0), [X]),
    "masked_scatter": (lambda x, y: x.masked_scatter(MASK, y), [X, Y]),
    "masked_select": (lambda x: x.masked_select(MASK), [X]),
    "moveaxis": (lambda x: x.moveaxis(0, -1), [CUBE]),
    "movedim": (lambda x: x.movedim((0, 1), (2, 0)), [CUBE]),
    "narrow": (lambda x: x.narrow(1, -3, 2), [X]),
    "put": (lambda x, y: x.put(FLAT, y[:2, :2], accumulate=True), [X, Y]),
    "ravel": (lambda x: x.T.ravel() * 2, [X]),
    "repeat": (lambda x: x.repeat(2, 1, 3), [X]),
    "repeat_interleave": (
        lambda x: x.repeat_interleave(2, 1)[:2] * x.repeat_interleave([1, 0, 1], 0)[0, 0],
        [X],
    ),
    "reshape_as": (lambda x: x.reshape_as(tn.zeros(6, 2)), [X]),
    "roll": (lambda x: x.roll((1, -2), (0, 1)) * x.roll(3), [X]),
    "rot90": (lambda x: x.rot90(1) * x.rot90(-1) + x.rot90(2).T, [X]),
    "scatter": (lambda x, y: x.scatter(0, ALONG[:1], y), [X, Y]),
    "scatter_reduce": (
        lambda x, y: (
            x.scatter_reduce(0, ALONG, y, "prod")
            + x.scatter_reduce(0, ALONG, y, "amax")
            + x.scatter_reduce(0, ALONG, y, "mean", include_self=False)
        ),
        [X, Y],
    ),
    "select": (lambda x: x.select(1, -1), [X]),
    "select_scatter": (lambda x, y: x.select_scatter(y[0, :3], 1, 2), [X, Y]),
    "slice_scatter": (lambda x, y: x.slice_scatter(y[:, :2], 1, 0, 4, 2), [X, Y]),
    "split_with_sizes": (lambda x: x.split_with_sizes([1, 3], 1)[1] * 2, [X]),
    "swapaxes": (lambda x: x.swapaxes(0, 2), [CUBE]),
    "swapdims": (lambda x: x.swapdims(0, 2), [CUBE]),
    "t": (lambda x: x.t() * 2, [X]),
    "take": (lambda x: x.take(FLAT), [X]),
    "take_along_dim": (lambda x: x.take_along_dim(ALONG, 0) * x.take_along_dim([[3]]), [X]),
    "tensor_split": (lambda x: x.tensor_split(3, 1)[0] * 2, [X]),
    "tile": (lambda x: x.tile(2), [X]),
    "trace": (lambda x: x.trace() ** 2, [X]),
    "tril": (lambda x: x.tril(1), [CUBE]),
    "triu": (lambda x: x.triu(1), [CUBE]),
    "type_as": (lambda x: x.type_as(x) * x, [X]),
    "unflatten": (lambda x: x.unflatten(1, (2, -1)), [X]),
    "unfold": (lambda x: x.unfold(1, 3, 1), [X]),
    "view": (lambda x: x.view(2, -1) * 2, [X]),
    "view_as": (lambda x: x.view_as(tn.zeros(6, 2)), [X]),
    "vsplit": (lambda x: x.vsplit([1])[1] * 2, [X]),
}
NO_GRADIENT = set(
    # what it is
    "dim ndimension nelement element_size itemsize nbytes stride is_contiguous type numel "
    "is_floating_point is_complex __copy__ "
    # to another dtype; new tensors of its kind
    "half byte char short int bool new_zeros new_empty new_ones new_full new_tensor "
    # in place, refused on what is tracked; positions; random numbers
    "masked_fill_ masked_scatter_ scatter_ scatter_add_ scatter_reduce_ index_add_ index_copy_ "
    "index_fill_ index_put_ normal_ uniform_ bernoulli_ exponential_ nonzero argwhere multinomial "
    "poisson".split()
)


def of_three(name):
    return lambda x, y: getattr(tn, name)([x, y, x])


TOP_LEVEL = {
    **{
        name: (of_three(name), [X, Y])
        for name in "concat concatenate hstack vstack row_stack dstack column_stack".split()
    },
    "atleast_1d": (lambda x, y: tn.atleast_1d(x, y)[1] * x, [X, Y]),
    "atleast_2d": (lambda x: tn.atleast_2d(x) * 2, [ROW]),
    "atleast_3d": (lambda x: tn.atleast_3d(x) * 2, [X]),
    "block_diag": (lambda x, y: tn.block_diag(x, y), [X, ROW]),
    "broadcast_tensors": (lambda x, y: tn.broadcast_tensors(x, y)[1] * x, [X, ROW]),
    "cartesian_prod": (lambda x, y: tn.cartesian_prod(x, y), [ROW, real(2)]),
    "meshgrid": (lambda x, y: tn.meshgrid(x, y, indexing="xy")[0] * y[0], [ROW, real(2)]),
}
TOP_LEVEL_WITHOUT = set(
    "asarray bool broadcast_shapes can_cast double empty empty_like eye finfo float float16 full "
    "full_like half iinfo int int16 int32 int8 is_tensor linspace logspace long normal ones_like "
    "promote_types rand_like randint randint_like randn_like randperm result_type short "
    "tril_indices triu_indices uint8 unravel_index zeros_like set_printoptions".split()
)
