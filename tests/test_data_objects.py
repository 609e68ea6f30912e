"""Data sets as objects: items, ways to combine them, batches of items, MNIST and others."""

from __future__ import annotations

import collections
import json
from typing import Any

import numpy as np
import pytest
import small_data_sets as small
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet as tn
from tinynet import data, training
from tinynet.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset, transforms
from tinynet.utils import data as utils_data


class Squares(Dataset):
    """Item i is (i, i * i)."""

    def __init__(self, n: int = 10) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple[int, int]:
        return i, i * i


class Lines(IterableDataset):
    """Yields 0, 1, ..., n - 1."""

    def __init__(self, n: int = 5) -> None:
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


def numbers(batch: Any) -> Any:
    """A batch as plain lists."""
    if isinstance(batch, tn.Tensor):
        return batch.tolist()
    return [numbers(part) for part in batch] if isinstance(batch, list | tuple) else batch


# --- data sets --------------------------------------------------------------------------------


def test_items_of_tensors_and_their_parts():
    both = TensorDataset(tn.arange(6).reshape(3, 2), np.array([5.0, 6.0, 7.0], "float32"))
    x, y = both[-1]
    assert (x.tolist(), y.item(), len(both)) == ([4, 5], 7.0, 3)
    assert numbers(both[:2]) == [[[0, 1], [2, 3]], [5.0, 6.0]]
    part = Subset(both, [2, 0])
    assert numbers(part[0]) == [[4, 5], 7.0]
    joined = Squares(3) + part
    assert [numbers(joined[i]) for i in (2, 3, -1)] == [[2, 4], [[4, 5], 7.0], [[0, 1], 5.0]]
    assert len(joined) == 5
    with pytest.raises(IndexError, match="index 5 of a data set of 5 items"):
        joined[5]
    assert data.StackDataset(Squares(2), "ab")[1] == ((1, 1), "b")
    chained = Lines(2) + Lines(3)
    assert list(chained) == [0, 1, 0, 1, 2]


@given(n=st.integers(1, 50), shares=st.lists(st.integers(0, 10), min_size=1, max_size=4))
def test_random_split_shares_every_item_out_once(n, shares):
    total = sum(shares) or 1
    shares = shares if sum(shares) else [1]
    fractions = [s / total for s in shares]
    parts = data.random_split(range(n), fractions, seed=n)
    assert sorted(i for part in parts for i in part) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - n * fraction) <= len(parts)
    lengths = [len(part) for part in parts]
    if abs(sum(lengths) - 1) > 0.5:
        again = data.random_split(range(n), lengths, seed=n)
        assert [list(p) for p in again] == [list(p) for p in parts]


def test_random_split_takes_a_generator_or_a_seed():
    def split(**options):
        return list(data.random_split(range(20), [15, 5], **options)[1])

    one, two = (tn.Generator().manual_seed(42) for _ in range(2))
    assert split(generator=one) == split(generator=two)
    assert split(generator=one) != split(generator=tn.Generator().manual_seed(42))  # drawn from
    assert split() == split(seed=0) != split(seed=1)
    assert tn.Generator().manual_seed(3).initial_seed() == 3


ERRORS: dict[str, tuple[type[Exception], str, Any]] = {
    "sum": (ValueError, "must have the sum 5", lambda: data.random_split(range(5), [2, 2])),
    "share": (ValueError, r"\[0.5, 0.6\]", lambda: data.random_split(range(5), [0.5, 0.6])),
    "half": (ValueError, "the sum 5", lambda: data.random_split(range(5), [2.5, 2.5])),
    "below": (ValueError, "at least 0", lambda: data.random_split(range(5), [-1, 6])),
    "seed": (TypeError, "generator is a int", lambda: data.random_split([1], [1], 42)),
    "lengths": (ValueError, "2 rows and argument 1 has 3",
                lambda: TensorDataset(tn.zeros(2), tn.zeros(3))),
    "list": (TypeError, "TensorDataset: argument 0 .* is a list", lambda: TensorDataset([1])),
    "none": (ValueError, "TensorDataset: .* at least 1", lambda: TensorDataset()),
    "concat": (ValueError, "at least 1", lambda: data.ConcatDataset([])),
    "stream": (TypeError, "use ChainDataset", lambda: data.ConcatDataset([Lines()])),
    "stack": (ValueError, r"\[2, 3\]", lambda: data.StackDataset("ab", "abc")),
    "both": (ValueError, "by position, or", lambda: data.StackDataset("ab", x="ab")),
    "weights": (ValueError, "not all 0", lambda: data.WeightedRandomSampler([0, 0], 1)),
    "words": (TypeError, "must be numbers", lambda: data.WeightedRandomSampler(["a"], 1)),
    "too many": (ValueError, "2 without", lambda: data.WeightedRandomSampler([1, 0], 2, False)),
    "count": (ValueError, "1 or more, but is 0", lambda: data.RandomSampler([1], num_samples=0)),
    "again": (TypeError, "replacement must be a bool", lambda: data.RandomSampler([1], 5)),
    "batch": (TypeError, "batch_size must be an int", lambda: data.BatchSampler([1], 1.5, True)),
    "drop": (TypeError, "drop_last must be a bool", lambda: data.BatchSampler([1], 1, 0)),
    "sampler": (ValueError, "leave out shuffle", lambda: DataLoader([1], sampler=[0], shuffle=1)),
    "batches": (ValueError, "batch_sampler makes the batches",
                lambda: DataLoader([1], batch_sampler=[[0]], batch_size=2)),
    "streams": (ValueError, "IterableDataset has an order", lambda: DataLoader(Lines(), shuffle=1)),
    "item": (ValueError, "drop_last needs", lambda: DataLoader([1], batch_size=None, drop_last=1)),
    "empty": (ValueError, "at least 1 item, but the data set has 0", lambda: DataLoader([])),
    "number": (TypeError, "argument 0 is a int; it must be arrays", lambda: DataLoader(5)),
    "mixed": (TypeError, "some arguments are arrays and some are Tensors",
              lambda: DataLoader(np.zeros(2), tn.zeros(2))),
    "no axis": (ValueError, "1 dimension or more", lambda: DataLoader(tn.tensor(1.0))),
    "two sets": (TypeError, "after a data set.*Squares", lambda: DataLoader(Squares(), Squares())),
    "collate": (TypeError, "collate_fn must be callable", lambda: DataLoader([1], collate_fn=3)),
    "worker": (ValueError, "are for worker processes",
               lambda: DataLoader([1], worker_init_fn=print)),
    "transform": (TypeError, "tuple or list, but batch 0 of epoch 0 is a Tensor",
                  lambda: list(DataLoader([1], transform=print))),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    error, message, run = ERRORS[case]
    with pytest.raises(error, match=message):
        run()


def test_what_is_not_overridden_is_named():
    for make in (
        lambda: Dataset()[0],
        lambda: iter(IterableDataset()),
        lambda: iter(data.Sampler()),
    ):
        with pytest.raises(NotImplementedError, match="does not override"):
            make()


# --- samplers ---------------------------------------------------------------------------------


def test_samplers_draw_what_they_say():
    def seen(sampler):
        return list(sampler)

    assert seen(data.SequentialSampler("abc")) == [0, 1, 2]
    drawn = seen(data.RandomSampler(range(9), seed=3))
    assert drawn == np.random.default_rng([3, 0]).permutation(9).tolist()
    longer = seen(data.RandomSampler(range(4), num_samples=10))
    assert [sorted(longer[:4]), sorted(longer[4:8]), len(longer)] == [[0, 1, 2, 3]] * 2 + [10]
    again = seen(data.RandomSampler(range(3), replacement=True, num_samples=3000))
    assert all(900 < n < 1100 for n in collections.Counter(again).values())
    assert sorted(seen(data.SubsetRandomSampler([7, 5, 9]))) == [5, 7, 9]
    weights = tn.tensor([1.0, 0.0, 3.0])
    counted = collections.Counter(data.WeightedRandomSampler(weights, 4000))
    assert set(counted) == {0, 2}
    assert 900 < counted[0] < 1100
    assert sorted(data.WeightedRandomSampler([1, 2, 0], 2, replacement=False)) == [0, 1]


@pytest.mark.parametrize("kind", [
    lambda **o: data.RandomSampler(range(8), **o),
    lambda **o: data.SubsetRandomSampler(range(8), **o),
    lambda **o: data.WeightedRandomSampler(np.ones(8), 8, **o),
])  # fmt: skip
def test_an_epoch_of_a_sampler_depends_on_seed_and_epoch_alone(kind):
    sampler = kind(seed=5)
    epochs = [list(sampler) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    again = kind(seed=5)
    again.set_epoch(2)
    assert list(again) == epochs[2]
    assert list(kind(seed=6)) != epochs[0]
    generators = [tn.Generator().manual_seed(1) for _ in range(2)]
    assert len({tuple(kind(generator=g)) for g in generators}) == 1


# --- collating --------------------------------------------------------------------------------

Point = collections.namedtuple("Point", "x y")
COLLATED: list[tuple[list[Any], Any, str]] = [
    # items, numbers of the batch, dtype: as in PyTorch
    ([1, 2], [1, 2], "int64"),
    ([1.5, 2.5], [1.5, 2.5], "float64"),
    ([True, False], [True, False], "bool"),
    ([np.float32(1), np.float32(2)], [1.0, 2.0], "float32"),
    ([np.int32(1), np.int32(2)], [1, 2], "int32"),
    ([np.ones(2, "float32")] * 2, [[1.0, 1.0]] * 2, "float32"),
    ([np.array(1.5), np.array(2.5)], [1.5, 2.5], "float64"),
    ([tn.ones(2), tn.zeros(2)], [[1.0, 1.0], [0.0, 0.0]], "float32"),
]


@pytest.mark.parametrize(("items", "values", "dtype"), COLLATED)
def test_collated_numbers(items, values, dtype):
    batch = data.default_collate(items)
    assert isinstance(batch, tn.Tensor)
    assert (batch.tolist(), batch.dtype.name) == (values, dtype)


def test_collated_structures():
    collate = data.default_collate
    assert collate(["a", b"b"]) == ["a", b"b"]
    assert numbers(collate([(1, "a"), (2, "b")])) == [[1, 2], ["a", "b"]]
    assert numbers(collate([[1, 2], [3, 4]])) == [[1, 3], [2, 4]]
    point = collate([Point(1, 2), Point(3, 4)])
    assert isinstance(point, Point)
    assert numbers(point.y) == [2, 4]
    ordered = collate([collections.OrderedDict(a=1, b=[2])] * 2)
    assert type(ordered) is collections.OrderedDict
    assert numbers(ordered["b"]) == [[2, 2]]
    default = collections.defaultdict(list, a=1)
    assert numbers(collate([default, default])["a"]) == [1, 1]
    assert collate([tn.ones(1, requires_grad=True)] * 2).requires_grad


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        ([None], TypeError, "holds a NoneType; .* collate_fn"),
        ([np.array(["a"])], TypeError, "an array of <U1|a array of <U1"),
        ([1 + 2j], TypeError, "complex"),
        ([(1,), (1, 2)], ValueError, "same length, but item 0 has 1 and item 1 has 2"),
        ([np.ones(2), np.ones(3)], ValueError, r"same shape, but item 0 has \(2,\) and item 1"),
        ([tn.ones(2), tn.ones(3)], ValueError, r"same shape, but item 0 has \(2,\) and item 1"),
        ([{"a": 1}, {"b": 1}], ValueError, "same keys"),
        ([tn.ones(2), 1], TypeError, "differ in type: Tensor, int"),
        ([], ValueError, "at least 1 item"),
        (5, TypeError, "batch is a int"),
    ],
)  # fmt: skip
def test_what_cannot_be_collated(items, error, message):
    with pytest.raises(error, match=f"^default_collate: .*{message}"):
        data.default_collate(items)


# --- the loader -------------------------------------------------------------------------------


def test_tensors_and_data_sets_give_the_rows_that_arrays_give():
    x, y = np.random.default_rng(0).random((23, 1, 3, 4), "float32"), np.arange(23)
    options: dict[str, Any] = {"batch_size": 5, "shuffle": True, "seed": 7}
    arrays = DataLoader(x, y, **options)
    expected = [b for _ in range(2) for b in arrays]
    pairs = [(x[i], int(y[i])) for i in range(23)]
    whole = Subset(TensorDataset(x, y), range(23))
    for given_data in ((tn.tensor(x), tn.tensor(y)), (TensorDataset(x, y),), (whole,), (pairs,)):
        loader = DataLoader(*given_data, **options)
        found = [b for _ in range(2) for b in loader]
        for batch, array_batch in zip(found, expected, strict=True):
            for part, array in zip(batch, array_batch, strict=True):
                assert isinstance(part, tn.Tensor)
                assert part.dtype == array.dtype
                np.testing.assert_array_equal(part.numpy(), array)
    assert numbers(list(DataLoader(tn.zeros(4, 2), 3))) == [[[0.0, 0.0]] * 3, [[0.0, 0.0]]]
    assert not any(np.shares_memory(b.numpy(), x) for b, _ in DataLoader(whole, batch_size=23))


def test_options_as_in_pytorch():
    assert numbers(list(DataLoader(Squares(3), 2))) == [[[0, 1], [0, 1]], [[2], [4]]]
    assert len(DataLoader(Squares(), 4, True, drop_last=True, num_workers=1, pin_memory=True)) == 2
    assert len(DataLoader(Squares(), batch_size=4).dataset) == 10
    order = [3, 1, 1]
    assert numbers(list(DataLoader(Squares(), sampler=order, batch_size=2))) == [
        [[3, 1], [9, 1]], [[1], [1]],
    ]  # fmt: skip
    loader = DataLoader(Squares(), batch_sampler=[[1], [2, 3]])
    assert (numbers(list(loader)), len(loader)) == ([[[1], [1]], [[2, 3], [4, 9]]], 2)
    assert list(DataLoader(Squares(2), batch_size=None)) == [[0, 0], [1, 1]]
    assert list(DataLoader("abc", batch_size=2, collate_fn="".join)) == ["ab", "c"]
    assert numbers(list(DataLoader(Lines(), batch_size=2))) == [[0, 1], [2, 3], [4]]
    assert numbers(list(DataLoader(Lines(), batch_size=2, drop_last=True))) == [[0, 1], [2, 3]]
    assert list(DataLoader(Lines(2), batch_size=None)) == [0, 1]
    with pytest.raises(TypeError, match="a Lines has no length"):
        len(DataLoader(Lines()))
    assert utils_data.DataLoader is DataLoader
    assert data.get_worker_info() is None


def test_rows_by_a_list_at_once_where_a_data_set_has_them():
    class AtOnce(Squares):
        def __getitems__(self, rows):
            return [("row", i) for i in rows]

    assert numbers(list(DataLoader(AtOnce(3), batch_size=2))[1]) == [["row"], [2]]


def test_a_subclass_makes_its_own_items():
    class Twice(TensorDataset):
        def __getitem__(self, i):
            return super().__getitem__(i)[0] * 2

    assert numbers(list(DataLoader(Twice(tn.arange(3)), batch_size=3))) == [[0, 2, 4]]


def test_subclasses_of_arrays_become_plain():
    matrix = np.arange(6.0).view(np.matrix).reshape(3, 2)
    for (batch,) in (*DataLoader(matrix, batch_size=2), *DataLoader(matrix, shuffle=True)):
        assert type(batch) is np.ndarray
    assert type(TensorDataset(matrix).tensors[0].data) is np.ndarray
    for make in (DataLoader, TensorDataset):
        with pytest.raises(TypeError, match="argument 0 is a masked array"):
            make(np.ma.masked_equal(np.arange(3), 1))
    assert len(DataLoader(Squares(), np.int64(5), np.True_)) == 2


def test_gradients_reach_tensors_that_ask_for_them():
    x = tn.ones(4, requires_grad=True)
    for batch in DataLoader(x, batch_size=2, shuffle=True):
        (batch * 3).sum().backward()
    assert x.grad.tolist() == [3.0] * 4


def jitter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images + rng.random(images.shape)


KINDS: dict[str, Any] = {
    "items": lambda **o: DataLoader(Squares(11), batch_size=3, **o),
    "shuffled": lambda **o: DataLoader(Squares(11), batch_size=3, shuffle=True, seed=2, **o),
    "tensors": lambda **o: DataLoader(
        tn.arange(11), tn.arange(11), batch_size=3, shuffle=True, **o),
    "transform": lambda **o: DataLoader(Squares(9), batch_size=2, transform=jitter, **o),
    "sampler": lambda **o: DataLoader(
        Squares(11), batch_size=3, sampler=data.RandomSampler(range(11), True, seed=4), **o),
    "weights": lambda **o: DataLoader(
        Squares(4), sampler=data.WeightedRandomSampler([1, 2, 3, 4], 6, seed=4), **o),
    "batches": lambda **o: DataLoader(
        Squares(11), batch_sampler=data.BatchSampler(data.RandomSampler(range(11)), 4, True), **o),
    "stream": lambda **o: DataLoader(Lines(7), batch_size=2, **o),
    "single": lambda **o: DataLoader(Squares(4), batch_size=None, shuffle=True, **o),
    "generator": lambda **o: DataLoader(
        Squares(7), shuffle=True, generator=tn.Generator().manual_seed(9), **o),
}  # fmt: skip


@settings(max_examples=12)
@pytest.mark.parametrize("kind", KINDS)
@given(epoch=st.integers(0, 1000), workers=st.sampled_from([(0, 0), (2, 0), (0, 2)]))
def test_a_restored_loader_goes_on_with_the_next_batch(kind, epoch, workers):
    loader = KINDS[kind](num_workers=workers[0])
    loader.set_epoch(epoch)
    states, batches = [loader.state_dict()], []
    for batch in loader:
        states.append(loader.state_dict())
        batches.append(numbers(batch))
    following = [numbers(batch) for batch in loader]
    for k, state in enumerate(states):
        assert (state["epoch"], state["batch"]) == (epoch, k)
        again = KINDS[kind](num_workers=workers[1])
        again.load_state_dict(json.loads(json.dumps(state)))
        assert [numbers(batch) for batch in again] == batches[k:]
        assert [numbers(batch) for batch in again] == following


def test_a_state_of_another_sampler_is_refused():
    state = KINDS["sampler"]().state_dict()
    other = DataLoader(Squares(11), batch_size=3, sampler=data.RandomSampler(range(11), seed=5))
    with pytest.raises(ValueError, match="saved with seed=4, but this loader has seed=5"):
        other.load_state_dict(state)


def test_a_run_over_a_stream_has_checkpoints(tmp_path):
    loader = DataLoader(Lines(5), batch_size=2)
    with training.Checkpoint(tmp_path, loader=loader) as run:
        seen = [numbers(b) for _ in run.epochs(2) for b in run.steps(loader)]
    assert seen == 2 * [[0, 1], [2, 3], [4]]


def test_evaluation_of_a_data_set():
    logits = tn.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    found = training.evaluate(
        tn.nn.Identity(), DataLoader(TensorDataset(logits, tn.tensor([0, 1, 0])), batch_size=2)
    )
    assert round(found.accuracy, 4) == 0.6667


# --- MNIST, FashionMNIST, CIFAR10 -------------------------------------------------------------


def test_image_sets_have_torchvisions_items(tmp_path, monkeypatch):
    monkeypatch.setattr(data.MNIST, "files", small.small_mnist())
    small.write(tmp_path / "Small" / "raw", small.FILES)  # where torchvision keeps them
    digits = data.MNIST(tmp_path, True, transforms.ToTensor(), lambda label: label + 10)
    image, label = digits[2]
    np.testing.assert_array_equal(image.numpy(), small.PIXELS[2:3] / np.float32(255))
    assert (label, len(digits)) == (19, 5)
    assert (digits.data.shape, digits.targets.tolist()) == ((5, 3, 4), small.LABELS.tolist())
    assert digits.class_to_idx["7 - seven"] == 7
    plain = data.MNIST(tmp_path, train=False)
    assert plain[0][0].dtype == np.uint8
    assert repr(plain) == "MNIST(5 test images, transform=None)"
    with pytest.raises(TypeError, match="transform must be callable"):
        data.MNIST(tmp_path, True, True)

    monkeypatch.setattr(data.CIFAR10, "files", small.small_cifar())
    small.write(tmp_path / "cifar-10-batches-bin", small.BATCHES)
    colours = data.CIFAR10(tmp_path, transform=transforms.ToTensor())
    expected, labels = data.cifar.images_and_labels(small.small_cifar(), tmp_path, True, False)
    assert colours.data.shape == (20, 32, 32, 3)
    assert colours.targets == labels.tolist()
    for images, targets in DataLoader(colours, batch_size=20):
        np.testing.assert_array_equal(images.numpy(), expected)
        assert targets.tolist() == colours.targets
    assert colours.class_to_idx["frog"] == 6
    assert data.FashionMNIST.classes[9] == "Ankle boot"


def test_the_real_digits_as_a_data_set(mnist_root):
    digits = data.MNIST(mnist_root, train=False, transform=transforms.ToTensor())
    images, labels = data.mnist(mnist_root, train=False)
    for i in (0, 77, -1):
        image, label = digits[i]
        np.testing.assert_array_equal(image.numpy(), images[i])
        assert label == labels[i]


def test_transforms_of_one_image():
    image = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    prepare = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(0.5, 0.25), lambda x: x.flatten()]
    )
    expected = (image.transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
    np.testing.assert_array_equal(prepare(image).numpy(), expected.ravel())
    assert transforms.Lambda(lambda y: y + 1)(2) == 3
    assert repr(transforms.Lambda(abs)) == "Lambda(abs)"
    with pytest.raises(TypeError, match=r"RandomCrop: rng .*DataLoader\(\.\.\., transform="):
        transforms.RandomCrop(2)(tn.zeros(1, 4, 4))
    with pytest.raises(TypeError, match="ToTensor: the image is a Tensor already"):
        transforms.ToTensor()(tn.zeros(1, 2, 2))
    with pytest.raises(TypeError, match=r"shape \(4,\)"):
        transforms.ToTensor()([1, 2, 3, 4])
    with pytest.raises(TypeError, match="lambd must be callable"):
        transforms.Lambda(3)
