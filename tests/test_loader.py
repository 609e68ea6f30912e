"""DataLoader: each row once per epoch, in an order of seed and epoch alone, from any place on."""

import json
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet import backend, memory
from tinynet.data import DataLoader

sizes = st.integers(1, 60)
seeds = st.integers(0, 2**40)
epochs = st.integers(0, 1000)


def jitter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A transform whose result reveals every number that it drew."""
    return images + rng.random(images.shape)


def epoch_of(loader: DataLoader) -> list[int]:
    """The rows of one epoch, for a loader over arange."""
    return [int(i) for (rows,) in loader for i in rows]


@given(n=sizes, batch=sizes, seed=seeds, shuffle=st.booleans(), drop_last=st.booleans())
def test_batches(n: int, batch: int, seed: int, shuffle: bool, drop_last: bool) -> None:
    batch = min(batch, n)
    x = np.arange(2 * n, dtype="float32").reshape(n, 2)
    y = np.arange(n)
    loader = DataLoader(x, y, batch_size=batch, shuffle=shuffle, seed=seed, drop_last=drop_last)
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader)
        lengths = [len(labels) for _, labels in batches]
        full, rest = divmod(n, batch)
        assert lengths == full * [batch] + ([rest] if rest and not drop_last else [])
        rows = np.concatenate([labels for _, labels in batches])
        assert len(set(rows.tolist())) == sum(lengths)
        assert set(rows.tolist()) <= set(range(n))
        for images, labels in batches:
            assert np.array_equal(images, x[labels])  # the arrays run in step
            assert images.dtype == x.dtype
        if not shuffle:
            assert np.array_equal(rows, np.arange(len(rows)))


@given(n=sizes, batch=sizes, seed=seeds, epoch=epochs)
def test_order_is_a_function_of_seed_and_epoch(n: int, batch: int, seed: int, epoch: int) -> None:
    loader = DataLoader(np.arange(n), batch_size=batch, shuffle=True, seed=seed)
    loader.set_epoch(epoch)
    order = np.random.default_rng([seed, epoch]).permutation(n)
    assert epoch_of(loader) == order.tolist()
    assert loader.epoch == epoch + 1


def test_two_passes_at_once_do_not_mix() -> None:
    loader = DataLoader(np.arange(20), batch_size=4, shuffle=True)
    one, two = iter(loader), iter(loader)
    mixed = [(next(one)[0], next(two)[0]) for _ in range(5)]
    for epoch, got in enumerate(zip(*mixed, strict=True)):
        order = np.random.default_rng([0, epoch]).permutation(20)
        assert np.concatenate(got).tolist() == order.tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_unshuffled_batches_are_views_and_shuffled_ones_copies(workers: int) -> None:
    x = np.zeros((10, 3), "float32")
    for (batch,) in DataLoader(x, batch_size=4, num_workers=workers):
        assert np.shares_memory(batch, x)
    for (batch,) in DataLoader(x, batch_size=4, shuffle=True, device="cpu", num_workers=workers):
        assert not np.shares_memory(batch, x)
        batch += 1
    assert not x.any()


def test_an_array_in_another_memory_order() -> None:
    x = np.arange(2 * 3 * 20.0).reshape(2, 3, 20).transpose(2, 0, 1)  # rows innermost
    for batch, i in DataLoader(x, np.arange(20), batch_size=6, shuffle=True):
        assert np.array_equal(batch, x[i])


def test_the_transform_acts_on_the_first_array_with_numbers_of_its_own() -> None:
    x = np.zeros((20, 2))
    loader = DataLoader(x, x, np.arange(20), batch_size=6, seed=5, transform=jitter)
    drawn = []
    for epoch in range(2):
        for k, (images, untouched, rows) in enumerate(loader):
            seeds = np.random.SeedSequence([5, epoch], spawn_key=(k,))
            assert np.array_equal(images, np.random.default_rng(seeds).random((len(rows), 2)))
            assert not untouched.any()
            drawn.append(images[0, 0])
        drawn.append(np.random.default_rng([5, epoch]).random())  # the shuffle's
    assert len(set(drawn)) == 10
    assert not x.any()


def test_memory_of_batches_that_the_loop_has_dropped() -> None:
    old: list[weakref.ref[np.ndarray]] = []

    def transform(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        assert all(ref() is None for ref in old)
        return images + 0

    for batch in DataLoader(np.zeros((9, 4)), batch_size=3, transform=transform):
        old.append(weakref.ref(batch[0]))
        del batch
    assert len(old) == 3


X, Y = np.zeros((6, 2)), np.zeros(5, int)
ERRORS: dict[str, tuple[type[Exception], str, tuple[Any, ...], dict[str, Any]]] = {
    "lengths": (ValueError, "argument 0 has 6 rows and argument 1 has 5", (X, Y), {}),
    "no arrays": (ValueError, "at least 1 array, but there are 0", (), {}),
    "no rows": (ValueError, "at least 1 row, but the arrays have 0", (X[:0],), {}),
    "a list": (TypeError, "argument 1 must be .* but is a list", (X, [1]), {}),
    "by position": (TypeError, "argument 1 .* is a int.*batch_size=64", (X, 64), {}),
    "no axis": (ValueError, "argument 0 must have 1 dimension", (np.array(1.0),), {}),
    "zero batch": (ValueError, "batch_size must be 1 or more, but is 0", (X,), {"batch_size": 0}),
    "half batch": (TypeError, "batch_size must be an integer.*0.5", (X,), {"batch_size": 0.5}),
    "true batch": (TypeError, "batch_size must be an integer.*True", (X,), {"batch_size": True}),
    "seed": (ValueError, "seed must be 0 or more, but is -1", (X,), {"seed": -1}),
    "no seed": (TypeError, "seed must be an integer.*None", (X,), {"seed": None}),
    "nothing left": (ValueError, "is 7 and there are 6", (X,), {"batch_size": 7, "drop_last": 1}),
    "device": (ValueError, "'tpu' is not known", (X,), {"device": "tpu"}),
    "transform": (TypeError, "transform must be callable.* a str", (X,), {"transform": "flip"}),
    "workers": (ValueError, "num_workers must be 0 or more.*-1", (X,), {"num_workers": -1}),
    "worker": (TypeError, "num_workers must be an integer.*None", (X,), {"num_workers": None}),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    error, message, arrays, options = ERRORS[case]
    with pytest.raises(error, match=message):
        DataLoader(*arrays, **{"batch_size": 2, **options})


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_transform_returns_is_checked(workers: int) -> None:
    def run(transform: Any) -> None:
        list(DataLoader(X, batch_size=4, transform=transform, num_workers=workers))

    with pytest.raises(TypeError, match=r"must return an array.* a list for batch 0 of epoch 0"):
        run(lambda images, rng: images.tolist())
    with pytest.raises(ValueError, match=r"returned \(3, 2\) for \(4, 2\) in batch 0 of epoch 0"):
        run(lambda images, rng: images[1:])
    with pytest.raises(ValueError, match=r"returned \(\) for \(4, 2\)"):
        run(lambda images, rng: np.zeros(()))


def test_set_epoch_is_checked() -> None:
    loader = DataLoader(X, batch_size=np.int64(2))
    with pytest.raises(ValueError, match="epoch must be 0 or more, but is -1"):
        loader.set_epoch(-1)
    with pytest.raises(TypeError, match=r"epoch must be an integer, but is 1\.0"):
        loader.set_epoch(1.0)  # type: ignore[arg-type]


# --- a saved place ----------------------------------------------------------------------------


def same(one: Any, other: Any) -> bool:
    """Whether two sequences of batches are bitwise equal."""
    one, other = list(one), list(other)
    return len(one) == len(other) and all(
        np.array_equal(a, b)
        for batch, its in zip(one, other, strict=True)
        for a, b in zip(batch, its, strict=True)
    )


@settings(max_examples=15)
@given(
    n=st.integers(1, 20),
    batch=st.integers(1, 6),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 1000),
    workers=st.sampled_from([(0, 0), (1, 1), (3, 3), (0, 3), (1, 0)]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_restored_loader_goes_on_with_the_next_batch(
    n: int, batch: int, seed: int, epoch: int, workers: tuple[int, int], flags: tuple[bool, ...]
) -> None:
    shuffle, drop_last, transformed = flags
    options: dict[str, Any] = {
        "batch_size": min(batch, n),
        "seed": seed,
        "shuffle": shuffle,
        "drop_last": drop_last,
        "transform": jitter if transformed else None,
    }
    x = np.arange(float(n))
    loader = DataLoader(x, np.arange(n), **options, num_workers=workers[0])
    loader.set_epoch(epoch)
    states, batches = [loader.state_dict()], []
    for b in loader:
        states.append(loader.state_dict())
        batches.append(b)
    following = list(loader)
    for k, state in enumerate(states):
        assert (state["epoch"], state["batch"]) == (epoch, k)
        again = DataLoader(x, np.arange(n), **options, num_workers=workers[1])
        again.load_state_dict(json.loads(json.dumps(state)))
        assert again.state_dict() == state
        assert again.epoch == epoch
        assert same(again, batches[k:])
        assert again.epoch == epoch + 1
        assert same(again, following)


def place(loader: DataLoader) -> tuple[int, int]:
    state = loader.state_dict()
    return state["epoch"], state["batch"]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_place_step_by_step(workers: int) -> None:
    loader = DataLoader(np.arange(10), batch_size=4, num_workers=workers)
    assert place(loader) == (0, 0)
    run = iter(loader)
    assert place(loader) == (0, 0)
    seen = []
    for _ in run:
        seen.append(place(loader))
    assert seen == [(0, 1), (0, 2), (0, 3)]
    assert place(loader) == (1, 0)
    for _ in loader:
        break
    assert place(loader) == (1, 1)  # may still be taken up, from a saved state
    assert loader.epoch == 2
    loader.set_epoch(loader.epoch)
    assert place(loader) == (2, 0)
    first, second = iter(loader), iter(loader)
    next(second)
    next(first)
    next(first)
    assert place(loader) == (3, 1)  # the loop begun last
    list(first)
    assert place(loader) == (3, 1)
    list(second)
    assert place(loader) == (4, 0)
    loader.load_state_dict({**loader.state_dict(), "batch": 2})
    loader.set_epoch(7)
    assert place(loader) == (7, 0)


STATE_ERRORS: dict[str, tuple[type[Exception], str, dict[str, Any]]] = {
    "seed": (ValueError, "saved with seed=4, but this loader has seed=3", {"seed": 4}),
    "two": (
        ValueError,
        "saved with batch_size=5, shuffle=0, but this loader has batch_size=2, shuffle=1",
        {"batch_size": 5, "shuffle": 0},
    ),
    "drop_last": (ValueError, "drop_last=1, but this loader has drop_last=0", {"drop_last": 1}),
    "length": (ValueError, "length=7, but this loader has length=6", {"length": 7}),
    "more": (ValueError, "keys missing or unknown: color", {"color": 1}),
    "far": (ValueError, "batch is 4, but an epoch has 3 batches", {"batch": 4}),
    "before": (ValueError, "batch must be 0 or more, but is -1", {"batch": -1}),
    "epoch": (ValueError, "epoch must be 0 or more, but is -2", {"epoch": -2}),
    "text": (TypeError, "epoch must be an integer, but is '1'", {"epoch": "1"}),
}


@pytest.mark.parametrize("case", STATE_ERRORS)
def test_errors_of_a_state(case: str) -> None:
    error, message, change = STATE_ERRORS[case]
    loader = DataLoader(np.zeros((6, 2)), batch_size=2, shuffle=True, seed=3)
    loader.load_state_dict({**loader.state_dict(), "epoch": np.int64(5), "batch": np.array(2)})
    before = loader.state_dict()
    assert (before["epoch"], before["batch"]) == (5, 2)
    with pytest.raises(error, match=message):
        loader.load_state_dict({**before, **change})
    with pytest.raises(ValueError, match="keys missing or unknown: batch"):
        loader.load_state_dict({k: v for k, v in before.items() if k != "batch"})
    assert loader.state_dict() == before


# --- where batches lie ------------------------------------------------------------------------


@pytest.mark.gpu
def test_on_the_gpu(gpu: str) -> None:
    x, y = np.arange(40.0, dtype="float32").reshape(20, 2), np.arange(20)
    options: dict[str, Any] = {"batch_size": 6, "shuffle": True, "seed": 1}
    host = list(DataLoader(x, y, **options))
    moved = list(DataLoader(x, y, **options, device=gpu))
    there = backend.to_device(x, gpu), backend.to_device(y, gpu)
    stayed = list(DataLoader(*there, **options))
    back = list(DataLoader(*there, **options, device="cpu"))
    for expected, *others in zip(host, moved, stayed, back, strict=True):
        assert [backend.device_of(b[0]) for b in others] == [gpu, gpu, "cpu"]
        for other in others:
            for a, b in zip(expected, other, strict=True):
                assert np.array_equal(a, backend.to_numpy(b))


@pytest.mark.parametrize("width", [3, 32])  # 16 x 32 float32 are 2048 bytes: the padded rows
@given(st.integers(1, 70), st.integers(1, 3), st.sampled_from([1, 5, 16, 17]), st.data())
def test_images_are_gathered_with_n_innermost(width, n, channels, height, drawn):
    """The numbers of ``images[rows]`` in the memory order of convolution."""
    images = np.random.default_rng(n).random((n, channels, height, width), dtype="float32")
    rows = np.array(drawn.draw(st.lists(st.integers(0, n - 1), max_size=40)), "int64")
    turned = memory.take_rows_last(images, rows)
    np.testing.assert_array_equal(turned, images[rows].transpose(1, 2, 3, 0))
    assert turned.flags.c_contiguous


def test_an_image_is_copied_once_before_the_first_product():
    """The loader makes the copy; the tensor and the convolution view that memory."""
    images = np.random.default_rng(0).random((100, 1, 28, 28), dtype="float32")
    for x, rows in DataLoader(images, np.arange(100), batch_size=32, shuffle=True, seed=1):
        tensor = tn.as_tensor(x)
        innermost = memory.first_axis_last(tensor.data)
        assert not np.may_share_memory(x, images)
        assert np.may_share_memory(tensor.data, x)
        assert np.may_share_memory(innermost, x)
        np.testing.assert_array_equal(x, images[rows])
