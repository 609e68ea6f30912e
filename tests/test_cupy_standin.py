"""The stand-in for CuPy rejects what it should and otherwise behaves like CuPy.

A stand-in that is too kind would let tests pass that fail on a GPU, so every rule has a test;
its names are compared with the real CuPy's in ``test_cupy_names.py``.
"""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import cupy_standin
import numpy as np
import pytest

MESSAGE = "Implicit conversion to a NumPy array is not allowed"


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in, installed as CuPy."""
    return cupy_standin.install(monkeypatch)


@pytest.fixture
def x(cupy):
    return cupy.asarray(np.arange(6, dtype=np.float32).reshape(2, 3))


# --- coming and going -----------------------------------------------------------------------


def test_install_replaces_and_restores_what_was_there(monkeypatch):
    before = ModuleType("cupy"), ModuleType("cupy.random")
    monkeypatch.setitem(sys.modules, "cupy", before[0])
    monkeypatch.setitem(sys.modules, "cupy.random", before[1])
    for _ in range(2):
        with pytest.MonkeyPatch.context() as inner:
            cupy = cupy_standin.install(inner, devices=0)
            import cupy as imported
            import cupyx.scipy.special
            from cupyx.scipy import special

            assert imported is cupy
            assert special is cupyx.scipy.special
            assert cupy.cuda.runtime.getDeviceCount() == 0
            assert "cupy.random" not in sys.modules
        assert (sys.modules["cupy"], sys.modules["cupy.random"]) == before
        assert cupy.cuda.runtime.getDeviceCount() == 1


def test_a_missing_name_says_so(cupy, x):
    for module, name in [(cupy, "random"), (cupy, "trapz"), (cupy.cuda, "nvtx")]:
        with pytest.raises(AttributeError, match=f"stand-in for CuPy lacks .*{name}"):
            getattr(module, name)
    for name in ("__index__", "__contains__", "__imatmul__", "ctypes", "newbyteorder"):
        assert not hasattr(x, name)
    with pytest.raises(AttributeError):
        x.note = 1


# --- what it refuses ------------------------------------------------------------------------


@pytest.mark.parametrize("function", [np.exp, np.sum, np.reshape, np.concatenate, np.add.reduce])
def test_numpy_functions_refuse_it(x, function):
    with pytest.raises(TypeError):
        function(x)


def test_numpy_ufuncs_do_not_even_try_to_convert_it(x):
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.exp(x)


@pytest.mark.parametrize("convert", [np.asarray, np.array, lambda a: np.array([a]), np.float64])
def test_numpy_cannot_convert_it(x, convert):
    with pytest.raises(TypeError, match=MESSAGE):
        convert(x)


@pytest.mark.parametrize(
    "host",
    [np.ones((2, 3), np.float32), np.ones(1), np.array(2.0), [1, 2, 3], (1, 2, 3), None, "1"],
    ids=["same shape", "size 1", "0-d", "list", "tuple", "None", "text"],
)
def test_operators_refuse_host_operands_both_ways(x, host):
    for use in (
        lambda: x + host,
        lambda: host + x,
        lambda: x * host,
        lambda: host - x,
        lambda: x == host,
        lambda: host < x,
        lambda: x @ host,
        lambda: host @ x,
    ):
        with pytest.raises(TypeError):
            use()
    same = x
    with pytest.raises(TypeError):
        x += host
    with pytest.raises(TypeError):
        x[0] = host
    assert x is same
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_numpy_arrays_are_not_changed_by_it(x):
    host = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError):
        host += x
    with pytest.raises(TypeError):
        host[...] = x


@pytest.mark.parametrize("host", [np.ones((2, 3)), np.ones(()), [[1.0, 2.0, 3.0]]])
def test_functions_refuse_host_operands(cupy, x, host):
    for use in (
        lambda: cupy.exp(host),
        lambda: cupy.add(x, host),
        lambda: cupy.maximum(host, x),
        lambda: cupy.expand_dims(host, 0),
        lambda: cupy.concatenate([x, host]),
        lambda: cupy.stack((host, x)),
        lambda: cupy.where(x > 0, x, host),
        lambda: cupy.where(host, x, x),
        lambda: cupy.matmul(x, host),
        lambda: cupy.einsum("ij,kj->ik", x, host),
        lambda: cupy.copyto(x, host),
        lambda: cupy.clip(x, host, None),
        lambda: x.take(host),
        lambda: cupy.empty_like(host),
        lambda: cupy.add.at(x, (0,), host),
        lambda: cupy.lib.stride_tricks.as_strided(host, (1,), (4,)),
    ):
        with pytest.raises(TypeError, match="Unsupported type"):
            use()


def test_functions_of_arrays_refuse_numbers(cupy, x):
    for use in (
        lambda: cupy.expand_dims(1.0, 0),
        lambda: cupy.concatenate([x, 1.0]),
        lambda: cupy.where(True, x, x),
        lambda: x @ 2.0,
    ):
        with pytest.raises(TypeError):
            use()


def test_shapes_and_axes_are_plain_python(cupy, x):
    for use in (
        lambda: cupy.zeros(cupy.asarray([2, 3])),
        lambda: x.sum(axis=cupy.asarray(0)),
        lambda: x.reshape(np.array([3, 2])),
        lambda: range(cupy.asarray(3)),
        lambda: [1, 2][cupy.asarray(0)],
    ):
        with pytest.raises(TypeError):
            use()


def test_outputs_must_be_on_the_device(cupy, x):
    host = np.empty((2, 3), np.float32)
    for use in (
        lambda: cupy.exp(x, out=host),
        lambda: cupy.exp(x, host),
        lambda: x.sum(out=np.empty(())),
        lambda: cupy.matmul(x, x.T, out=np.empty((2, 2), np.float32)),
    ):
        with pytest.raises(TypeError):
            use()
    out = cupy.empty_like(x)
    assert cupy.multiply(x, 2, out=out) is out
    assert cupy.negative(x, out) is out
    assert float(out[1, 2]) == -5


def test_keywords_that_only_numpy_has_are_refused(cupy, x):
    for use in (
        lambda: cupy.exp(x, where=True),
        lambda: x.sum(initial=1.0),
        lambda: x.max(where=x > 0),
        lambda: x.take(cupy.asarray(0), mode="clip"),
        lambda: cupy.clip(x, min=0, max=1),
        lambda: cupy.broadcast_to(x, (2, 2, 3), subok=True),
        lambda: x.item(0),
        lambda: cupy.lib.stride_tricks.as_strided(x, (2,), (4,), writeable=False),
        lambda: cupy.lib.stride_tricks.as_strided(x, (2,), (4,), subok=False),
    ):
        with pytest.raises(TypeError):
            use()
    with pytest.raises(ValueError, match="kind"):
        x.argsort(kind="quicksort")
    with pytest.raises(NotImplementedError):
        cupy.multiply.at(x, 0, 2.0)


def test_host_arrays_are_no_indices_and_files_hold_none(x):
    with pytest.raises(TypeError, match="on the host"):
        x[np.array([0, 1])]
    with pytest.raises(IndexError, match="integer or boolean"):
        x[x]
    with pytest.raises(TypeError, match="files hold NumPy"):
        pickle.dumps(x)


# --- what it does as CuPy does --------------------------------------------------------------


def test_the_ways_in_and_out(cupy):
    host = np.arange(3.0)
    x = cupy.asarray(host)
    host[0] = 9
    assert x.tolist() == [0, 1, 2]
    assert cupy.asarray(x) is x
    out = x.get()
    assert type(out) is np.ndarray
    out[0] = 7
    assert float(x[0]) == 0
    with pytest.raises(ValueError, match="Unsupported dtype"):
        cupy.asarray(["a"])


def test_results_in_0_dimensions_are_device_arrays(cupy, x):
    results = [x.sum(), x.mean(), x[0, 1], x[(0, 0)], x.sum() * 2, x[0] @ x[1], x.max() > 1]
    for result in [*results, x.argmax(), -x[0, 0], cupy.full((), 1.0)]:
        assert type(result) is cupy.ndarray
        assert result.shape == ()
        result.get()
    assert float(x.sum()) == 15.0
    assert int(x.argmax()) == 5
    assert bool((x == x).all())
    assert all(type(row) is cupy.ndarray for row in x)
    for use in (lambda: len(x.sum()), lambda: iter(x.sum())):
        with pytest.raises(TypeError):
            use()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    with pytest.raises(TypeError):
        hash(x)


def test_numbers_keep_the_type_of_the_array(cupy, x):
    assert (x * 2.5).dtype == (2 + x).dtype == np.float32
    # A NumPy number has a type of its own, a 0-d device array too.
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == np.float64
    assert (np.float32(2) * x).dtype == np.float32
    assert type(np.float32(2) * x) is cupy.ndarray
    assert (x * cupy.asarray(2.0)).dtype == np.float64
    assert cupy.result_type(x, 1.0) == np.float32


def test_a_class_that_asks_for_it_gets_the_operator(x):
    class Tensor:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "radd"

        def __rmatmul__(self, other):
            return "rmatmul"

        def __eq__(self, other):
            return "eq"

    assert (x + Tensor(), x @ Tensor(), x == Tensor()) == ("radd", "rmatmul", "eq")
    with pytest.raises(TypeError):
        x + object()


def test_views_share_memory_and_say_so(cupy, x):
    views = [x[0], x[:, 1:], x.T, x.reshape(-1), x[0, 0], x.swapaxes(0, 1), x.ravel(), x[None]]
    views += [x.transpose(1, 0), cupy.expand_dims(x, 0), x.view("int32"), x.T.T]
    for view in views:
        assert view.base is x
        assert np.shares_memory(view._host, x._host)
    copies = [x.copy(), x + 0, x.T.reshape(-1), x[cupy.asarray([0])], x[x > 1]]
    assert all(a.base is None and not np.shares_memory(a._host, x._host) for a in copies)
    assert x.base is None
    column = x[:, 0]
    column += 10
    x.T[1, 1] = 7
    x.reshape(-1)[5] = 8
    x[0, 2][...] = 9
    assert x.tolist() == [[10, 1, 9], [13, 7, 8]]


def test_memory_order_goes_with_the_array(cupy, x, monkeypatch):
    assert x.flags.c_contiguous
    assert x.T.flags.f_contiguous
    assert not x.T.flags.c_contiguous
    assert cupy.exp(x.T).flags.f_contiguous
    assert x.T.astype("float64").flags.f_contiguous
    assert x.T.copy().flags.c_contiguous
    assert cupy.ascontiguousarray(x) is x
    cupy_standin.install(monkeypatch, order="C")
    assert cupy.exp(x.T).flags.c_contiguous


def test_integer_arrays_wrap_and_bare_integers_do_not(cupy, x):
    i = cupy.asarray([3, -4], dtype="int8")
    assert x[:, i].tolist() == [[0, 2], [3, 5]]
    assert x[[5]].tolist() == [[3, 4, 5]]
    assert x.take(cupy.asarray([7])).tolist() == [1]
    assert x.take(cupy.asarray([4]), axis=1).tolist() == [[1], [4]]
    assert cupy.take_along_axis(x, cupy.asarray([[3], [4]]), 1).tolist() == [[0], [4]]
    x[cupy.asarray([2]), cupy.asarray([4])] = 50
    assert float(x[0, 1]) == 50
    for index in (2, (0, 3), (..., -4)):
        with pytest.raises(IndexError):
            x[index]


def test_masks_and_mixed_indices(cupy, x):
    host = x.get()
    i, mask = np.array([1, 0, 1]), np.array([True, False, True])
    d, m = cupy.asarray(i), cupy.asarray(mask)
    assert (x[x > 2].get() == host[host > 2]).all()
    assert (x[:, m].get() == host[:, mask]).all()
    assert (x[d, None, m.nonzero()[0][:1]].get() == host[i, None, mask.nonzero()[0][:1]]).all()
    assert (x[..., d, None].get() == host[..., i, None]).all()
    x[x > 2] = 0.0
    assert float(x.sum()) == 3


def test_no_warnings_from_arithmetic(cupy, x):
    assert bool(cupy.isinf(1 / x).any())
    assert bool(cupy.isnan(cupy.log(-x)).any())
    x /= 0
    assert cupy.exp(cupy.asarray([1e9])).tolist() == [float("inf")]


def test_adding_into_repeated_indices(cupy, x, monkeypatch):
    target = cupy.zeros(3, "float32")
    cupy.add.at(target, cupy.asarray([0, 0, 5]), 1.0)
    assert target.tolist() == [2, 0, 1]
    with pytest.raises(TypeError, match="scatter_add only supports"):
        cupy.add.at(cupy.zeros(3, "int64"), cupy.asarray([0]), 1)
    cupy_standin.install(monkeypatch, add_at=False)
    assert not hasattr(cupy.add, "at")


def test_functions_agree_with_numpy(cupy, x):
    host = x.get()
    for use in (
        lambda xp, a: xp.einsum("ij,kj->ik", a, a),
        lambda xp, a: xp.concatenate([a, a], axis=1),
        lambda xp, a: xp.stack([a, a], axis=1),
        lambda xp, a: xp.where(a > 2, a, 0),
        lambda xp, a: (-a).argsort(axis=1),
        lambda xp, a: xp.clip(a, 1, None).cumsum(axis=1),
        lambda xp, a: xp.arange(1, 7, 2, dtype="float32") + xp.eye(3),
    ):
        ours, theirs = use(cupy, x), use(np, host)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours.get(), theirs)
