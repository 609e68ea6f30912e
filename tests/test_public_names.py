"""Every public name with a result that could have a gradient is checked, or marked as having none.

The tables are compared with the package's names, so that a new method without a gradient test
fails here by name.
"""

from __future__ import annotations

import importlib
import operator
import pkgutil
import types

import numpy as np
import public_expected
import public_layers
import public_pointwise
import public_reducing
import public_shapes as shapes
import public_windows
import pytest

import tinynet as tn
import tinynet.functional as F
from tinynet import functions, linalg
from tinynet.testing import check_grads

FAMILIES = [
    importlib.import_module(f"tinynet.functions.{m.name}")
    for m in pkgutil.iter_modules(functions.__path__)
]
OF_FAMILIES = [public_pointwise, public_reducing, public_expected]  # tables in files of their own
RNG = np.random.default_rng(7)
LABELS = np.array([2, 0, 1])


def real(*shape, low=-2.0, high=2.0):
    """Distinct numbers, without ties or kinks."""
    n = int(np.prod(shape))
    return RNG.permutation(np.linspace(low, high, n + 2)[1:-1] + 0.013).reshape(shape)


X, Y = real(3, 4), real(3, 4)
IMAGE = real(2, 3, 6, 5)
INDEX = np.array([[1, 1, 0, 2], [0, 2, 2, 1]])

# name: (function, inputs)
METHODS = {
    **{
        name: (operator.methodcaller(name), [X])
        for name in "abs clone cos erf exp relu sigmoid sin square tanh".split()
    },
    "T": (lambda x: x.T * 2, [X]),
    "mT": (lambda x: x.mT * 2, [IMAGE]),
    "amax": (lambda x: x.amax(1), [X]),
    "amin": (lambda x: x.amin(0, keepdim=True), [X]),
    "clamp": (lambda x: x.clamp(-1, 1), [X]),
    "cpu": (lambda x: x.cpu() * x, [X]),
    "double": (lambda x: x.double() * x, [X]),
    "expand": (lambda x: x.unsqueeze(0).expand(2, -1, 4), [X]),
    "flatten": (lambda x: x.flatten(1, 2), [IMAGE]),
    "flip": (lambda x: x.flip(0, 1), [X]),
    "gather": (lambda x: x.gather(0, INDEX), [X]),
    "log": (lambda x: (x + 3).log(), [X]),
    "log_softmax": (lambda x: x.log_softmax(1), [X]),
    "logsumexp": (lambda x: x.logsumexp(0), [X]),
    "matmul": (lambda x, y: x.matmul(y.T), [X, Y]),
    "maximum": (lambda x, y: x.maximum(y), [X, Y]),
    "minimum": (lambda x, y: x.minimum(y), [X, Y]),
    "max": (lambda x: x.max(1)[0] + x.max(), [X]),
    "mean": (lambda x: x.mean(-1), [X]),
    "min": (lambda x: x.min(0, keepdim=True)[0] + x.min(), [X]),
    "permute": (lambda x: x.permute(2, 0, -1, 1), [IMAGE]),
    "pow": (lambda x: x.pow(3), [X]),
    "reshape": (lambda x: x.reshape(2, -1), [X]),
    "scatter_add": (lambda x, y: x.scatter_add(0, INDEX[:, :3], y[:2, :3]), [X, Y]),
    "softmax": (lambda x: x.softmax(-1), [X]),
    "chunk": (lambda x: x.chunk(2, 1)[1] * 2.0, [X]),
    "unbind": (lambda x: x.unbind(1)[0] * x.unbind(1)[2], [X]),
    "split": (lambda x: x.split(3, 1)[1] * x.split([1, 2], 0)[0][:, :1], [X]),
    "sqrt": (lambda x: (x + 3).sqrt(), [X]),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(1).squeeze(), [X]),
    "std": (lambda x: x.std(1), [X]),
    "sum": (lambda x: x.sum((0, -1)), [IMAGE]),
    "to": (lambda x: x.to("float64").to("cpu") * x, [X]),
    "transpose": (lambda x: x.transpose(0, -1), [IMAGE]),
    "unsqueeze": (lambda x: x.unsqueeze(-1), [X]),
    "var": (lambda x: x.var(0, correction=0) + x.var(), [X]),
    "__abs__": (abs, [X]),
    "__add__": (lambda x, y: x + y, [X, Y]),
    "__getitem__": (lambda x: x[[0, 0, 1]] + x[1:2, ::-1] + x[x.detach() > 0].sum(), [X]),
    "__iadd__": (lambda x, y: operator.iadd(x * 2, y), [X, Y]),
    "__imul__": (lambda x, y: operator.imul(x * 2, y), [X, Y]),
    "__isub__": (lambda x, y: operator.isub(x * 2, y), [X, Y]),
    "__iter__": (lambda x: sum(x), [X]),
    "__itruediv__": (lambda x, y: operator.itruediv(x * 2, y + 3), [X, Y]),
    "__matmul__": (lambda x, y: x[0] @ y[1] + (x @ y.T)[0, 1], [X, Y]),
    "__mul__": (lambda x, y: x * y, [X, Y]),
    "__neg__": (lambda x: -x, [X]),
    "__pos__": (lambda x: +x * 2, [X]),
    "__pow__": (lambda x, y: (x + 3) ** y, [X, Y]),
    "__radd__": (lambda x: 2.0 + x, [X]),
    "__rmatmul__": (lambda x: Y.T @ x, [X]),
    "__rmul__": (lambda x: Y * x, [X]),
    "__rpow__": (lambda x: 2.0**x, [X]),
    "__rsub__": (lambda x: 1.0 - x, [X]),
    "__rtruediv__": (lambda x: 1.0 / (x + 3), [X]),
    "__sub__": (lambda x, y: x - y, [X, Y]),
    "__truediv__": (lambda x, y: x / (y + 3), [X, Y]),
    **shapes.METHODS,
}
NO_GRADIENT = shapes.NO_GRADIENT | set(
    # what it is, and the way out of the graph
    "data shape dtype ndim device is_leaf numel size item tolist numpy detach grad grad_fn "
    "output_nr requires_grad result_type __array__ __array_function__ __array_ufunc__ __bool__ "
    "__contains__ __deepcopy__ __float__ __format__ __hash__ __index__ __int__ __len__ __reduce__ "
    "__repr__ "
    # gradients themselves
    "backward requires_grad_ retain_grad register_hook "
    # in place: refused on what is tracked
    "add_ copy_ div_ fill_ mul_ sub_ zero_ __setitem__ "
    # comparisons, positions, signs: constant almost everywhere
    "__and__ __eq__ __ge__ __gt__ __invert__ __le__ __lt__ __ne__ __or__ all any argmax argmin "
    "isfinite isnan "
    # to another precision or device: float32's gradients are checked by dtype, cuda's on a GPU
    "float long cuda".split()
)
FUNCTIONS = {
    **public_layers.FUNCTIONS,
    **{name: (getattr(F, name), [X]) for name in "logsigmoid relu sigmoid silu tanh".split()},
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (4, 2)), [IMAGE]),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, (4, 2)), [IMAGE]),
    "avg_pool2d": (
        lambda x: F.avg_pool2d(x, 3, 2, 1) * F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        [IMAGE],
    ),
    "batch_norm": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        [IMAGE, real(3), real(3)],
    ),
    "binary_cross_entropy_with_logits": (
        lambda x, z: F.binary_cross_entropy_with_logits(x, z.sigmoid()),
        [X, Y],
    ),
    "conv2d": (
        lambda x, w, b: (
            F.conv2d(x, w, b, (2, 1), "valid")
            + F.conv2d(x, w, b, padding="same")[:, :, ::2, :4][:, :, : (6 - 3) // 2 + 1]
        ),
        [IMAGE, real(4, 3, 3, 2), real(4)],
    ),
    "cross_entropy": (
        lambda x: (
            F.cross_entropy(x, LABELS, label_smoothing=0.1)
            + F.cross_entropy(x, np.array([1, -100, 0]), reduction="sum")
        ),
        [X],
    ),
    "dropout": (lambda x: F.dropout(x, 0.5, training=False) * x, [X]),
    "elu": (lambda x: F.elu(x, 0.7), [X]),
    "embedding": (lambda w: F.embedding(INDEX, w), [X]),
    "fold": (lambda x: F.fold(x, (3, 4), 2, stride=1), [real(2, 12, 6)]),
    "gelu": (lambda x: F.gelu(x) + F.gelu(x, "tanh"), [X]),
    "huber_loss": (lambda x, y: F.huber_loss(x, y, delta=0.9), [X, Y]),
    "l1_loss": (F.l1_loss, [X, Y]),
    "l1_penalty": (lambda x, y: F.l1_penalty([x, y]), [X, Y]),
    "l2_penalty": (lambda x, y: F.l2_penalty([x, y]), [X, Y]),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (4,), w, b), [X, real(4), real(4)]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), [X]),
    "linear": (F.linear, [real(2, 3, 4), real(5, 4), real(5)]),
    "log_softmax": (lambda x: F.log_softmax(x, 0), [X]),
    "max_pool2d": (lambda x: F.max_pool2d(x, 3, 2, 1), [IMAGE]),
    "mse_loss": (lambda x, y: F.mse_loss(x, y, reduction="none"), [X, Y]),
    "pad": (
        lambda x: (
            F.pad(x, (1, -1, 2, 0), value=3.0)
            + F.pad(x, (1, -1), "reflect").sum()
            + (F.pad(x, (2, 1), "circular") ** 2 * F.pad(x, (1, 2), "replicate")).sum()
        ),
        [X],
    ),
    "softmax": (lambda x: F.softmax(x, 0), [X]),
    "softplus": (lambda x: F.softplus(x, beta=2.0), [X]),
    "unfold": (lambda x: F.unfold(x, (3, 2), padding=1, stride=2), [IMAGE]),
    **public_windows.FUNCTIONS,
}
FUNCTIONS_WITHOUT = {"one_hot"}
TOP_LEVEL = {
    "cat": (lambda x, y: tn.cat([x, y, x], 1), [X, real(3, 2)]),
    "stack": (lambda x, y: tn.stack([x, y], -1), [X, Y]),
    "where": (lambda x, y: tn.where(X > 0, x, y), [X, Y]),
    **shapes.TOP_LEVEL,
}
TOP_LEVEL_WITHOUT = shapes.TOP_LEVEL_WITHOUT | set(
    "utils Generator device "
    "AnomalyError DeviceError Tensor arange as_tensor autograd data default_device derivation "
    "detect_anomaly draw enable_grad explain float32 float64 from_numpy functional "
    "get_num_threads grad graph inference_mode int64 is_grad_enabled load manual_seed models nn "
    "no_grad ones optim rand randn save set_default_device set_grad_enabled set_num_threads "
    "study summary tensor testing training zeros".split()
)
LINALG = dict(public_reducing.LINALG)
for family in OF_FAMILIES:
    for table in ("METHODS", "NO_GRADIENT", "FUNCTIONS", "TOP_LEVEL", "TOP_LEVEL_WITHOUT"):
        globals()[table] |= getattr(family, table, {})


def test_every_method_is_in_a_table():
    names = {n for n in dir(tn.Tensor) if not n.startswith("_")}
    own = {n for n, v in vars(tn.Tensor).items() if isinstance(v, types.FunctionType)}
    names |= {n for n in own if n.startswith("__")} | {"__array_ufunc__", "__hash__"}
    assert names == set(METHODS) | NO_GRADIENT
    assert not set(METHODS) & NO_GRADIENT


def test_every_function_is_in_a_table():
    assert set(F.__all__) == set(FUNCTIONS) | FUNCTIONS_WITHOUT
    methods = {n for n in tn.__all__ if getattr(tn, n) is getattr(tn.Tensor, n, None)}
    others = set(tn.__all__) - methods - {"__version__"}
    assert others == set(TOP_LEVEL) | TOP_LEVEL_WITHOUT
    assert methods | set(TOP_LEVEL) | TOP_LEVEL_WITHOUT >= {
        n for module in FAMILIES for n in public_names(module) if not n.endswith("_")
    }


def public_names(module):
    return [
        n for n, f in vars(module).items()
        if getattr(f, "__wrapped__", None) is not None and f.__module__ == module.__name__
    ]  # fmt: skip


def test_every_function_of_linalg_is_in_a_table():
    assert set(public_names(linalg)) == set(LINALG) | public_reducing.LINALG_WITHOUT


CASES = {
    f"{where}.{name}": case
    for where, table in {
        "Tensor": METHODS,
        "functional": FUNCTIONS,
        "tn": TOP_LEVEL,
        "linalg": LINALG,
    }.items()
    for name, case in table.items()
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_to_second_order(name):
    f, inputs = CASES[name]
    check_grads(f, [tn.tensor(x, requires_grad=True) for x in inputs])


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    f, inputs = CASES[name]
    tensors = [tn.tensor(x, "float32", requires_grad=True) for x in inputs]
    if name in ("Tensor.__rmul__", "Tensor.__rmatmul__", "Tensor.double", "Tensor.to"):
        return  # a float64 operand, or a conversion, is in the case itself
    y = f(*tensors)
    assert y.dtype == np.float32 or name.split(".")[1] in public_pointwise.WIDE
    y.sum().backward()
    assert all(t.grad.dtype == np.float32 for t in tensors)
