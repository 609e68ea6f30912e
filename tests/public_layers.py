"""Functions of `nn.functional` without windows: what their gradients are checked on."""

from __future__ import annotations

from functools import partial

import numpy as np

import tinynet as tn
import tinynet.functional as F

RNG = np.random.default_rng(11)


def real(*shape, low=-2.0, high=2.0):
    """Distinct numbers, without ties or kinks."""
    n = int(np.prod(shape))
    return RNG.permutation(np.linspace(low, high, n + 2)[1:-1] + 0.013).reshape(shape)


X, Y, Z = real(3, 4), real(3, 4), real(3, 4)
WIDE = real(3, 4, low=-9.0, high=9.0)
IMAGE = real(2, 4, 3, 2)
LABELS = np.array([2, 0, 1])
SIGNS = np.array([[1, -1, 1, 1], [-1, -1, 1, -1], [1, 1, -1, 1]])
P = real(3, 4, low=0.1, high=0.9)


def seeded(f):
    """The same random numbers at every call."""

    def call(*args):
        tn.manual_seed(3)
        return f(*args)

    return call


FUNCTIONS = {
    **{
        name: (getattr(F, name), [WIDE])
        for name in "hardsigmoid hardswish hardtanh mish relu6 selu softsign tanhshrink".split()
    },
    "celu": (lambda x: F.celu(x, 1.7), [X]),
    "glu": (lambda x: F.glu(x, 1), [X]),
    "gumbel_softmax": (seeded(lambda x: F.gumbel_softmax(x, 0.7, dim=0)), [X]),
    "hardshrink": (lambda x: F.hardshrink(x, 0.6), [X]),
    "prelu": (F.prelu, [IMAGE, real(4)]),
    "rrelu": (seeded(lambda x: F.rrelu(x, training=True) + F.rrelu(x)), [X]),
    "softmin": (lambda x: F.softmin(x, 1), [X]),
    "softshrink": (lambda x: F.softshrink(x, 0.6), [X]),
    "threshold": (lambda x: F.threshold(x, 0.3, 0.7), [X]),
    "bilinear": (F.bilinear, [real(2, 3), real(2, 4), real(5, 3, 4), real(5)]),
    "normalize": (lambda x: F.normalize(x) + F.normalize(x, 3.0, 0), [X]),
    "cosine_similarity": (F.cosine_similarity, [X, Y]),
    "pairwise_distance": (
        lambda x, y: (
            F.pairwise_distance(x, y)
            + F.pairwise_distance(x, y, 1.0)
            + F.pairwise_distance(x, y, 3)
        ),
        [X, Y + 0.1],
    ),
    "scaled_dot_product_attention": (
        lambda q, k, v: (
            F.scaled_dot_product_attention(q, k, v, is_causal=True)
            + F.scaled_dot_product_attention(q, k, v, q @ k.mT)
        ),
        [X, Y, Z],
    ),
    "embedding_bag": (
        lambda w: (
            F.embedding_bag(tn.tensor([[0, 2], [2, 1]]), w)
            + F.embedding_bag(tn.tensor([0, 2, 1]), w, tn.tensor([0, 1]), mode="max")
        ),
        [X],
    ),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), [IMAGE, real(4), real(4)]),
    "instance_norm": (
        lambda x, w, b: F.instance_norm(x, None, None, w, b),
        [IMAGE, real(4), real(4)],
    ),
    "local_response_norm": (lambda x: F.local_response_norm(x, 3, 0.1), [IMAGE]),
    "rms_norm": (lambda x, w: F.rms_norm(x, (4,), w), [X, real(4)]),
    **{
        name: (seeded(partial(getattr(F, name), p=0.4, training=True)), [IMAGE])
        for name in "alpha_dropout dropout2d feature_alpha_dropout".split()
    },
    "dropout1d": (seeded(lambda x: F.dropout1d(x, 0.4)), [X]),
    "dropout3d": (seeded(lambda x: F.dropout3d(x, 0.4)), [IMAGE]),
    "binary_cross_entropy": (lambda x, z: F.binary_cross_entropy(x, z), [P, P[::-1].copy()]),
    "cosine_embedding_loss": (
        lambda x, y: F.cosine_embedding_loss(x, y, tn.tensor([1, -1, 1]), -0.9),
        [X, Y],
    ),
    "gaussian_nll_loss": (lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=True), [X, Y, P]),
    "hinge_embedding_loss": (lambda x: F.hinge_embedding_loss(x, tn.tensor(SIGNS)), [X]),
    "kl_div": (
        lambda x, t: F.kl_div(x, t, reduction="batchmean") + F.kl_div(x, t, log_target=True),
        [X, P],
    ),
    "margin_ranking_loss": (
        lambda x, y: F.margin_ranking_loss(x, y, tn.tensor(SIGNS), 0.5),
        [X, Y],
    ),
    "multi_margin_loss": (
        lambda x: F.multi_margin_loss(x, tn.tensor(LABELS), 2) + F.multi_margin_loss(x, LABELS),
        [X],
    ),
    "multilabel_margin_loss": (
        lambda x: F.multilabel_margin_loss(x, np.array([[3, 0, -1, 1], [2, -1, 0, 0], [-1] * 4])),
        [X],
    ),
    "multilabel_soft_margin_loss": (F.multilabel_soft_margin_loss, [X, P]),
    "nll_loss": (lambda x: F.nll_loss(x, LABELS, np.array([1, 2, 3, 4])), [X]),
    "poisson_nll_loss": (
        lambda x, t: F.poisson_nll_loss(x, t, full=True) + F.poisson_nll_loss(t, x, False),
        [X, real(3, 4, low=1.1, high=3.0)],
    ),
    "smooth_l1_loss": (lambda x, y: F.smooth_l1_loss(x, y, beta=0.9), [X, Y]),
    "soft_margin_loss": (lambda x: F.soft_margin_loss(x, tn.tensor(SIGNS)), [X]),
    "triplet_margin_loss": (lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True), [X, Y, Z]),
    "triplet_margin_with_distance_loss": (
        lambda a, p, n: F.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: 1.0 - F.cosine_similarity(x, y)
        ),
        [X, Y, Z],
    ),
}

# the same, for recording: whatever is not a constant of the program is an argument
RECORDED = {
    "embedding_bag": (lambda i, w: F.embedding_bag(i, w) * F.embedding_bag(i, w, mode="max"),
                      [np.array([[0, 2], [2, 1]]), X]),
    "cosine_embedding_loss": (F.cosine_embedding_loss, [X, Y, np.array([1, -1, 1])]),
    "hinge_embedding_loss": (F.hinge_embedding_loss, [X, SIGNS]),
    "margin_ranking_loss": (F.margin_ranking_loss, [X, Y, SIGNS]),
    "multi_margin_loss": (F.multi_margin_loss, [X, LABELS]),
    "multilabel_margin_loss": (F.multilabel_margin_loss, [X, np.array([[3, 0, -1, 1]] * 3)]),
    "nll_loss": (F.nll_loss, [X, LABELS, np.array([1, 2, 3, 4])]),
    "soft_margin_loss": (F.soft_margin_loss, [X, SIGNS]),
}  # fmt: skip
