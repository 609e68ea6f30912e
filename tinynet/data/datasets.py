"""MNIST, FashionMNIST and CIFAR10 as data sets, with torchvision's signatures.

A program changes ``from torchvision import datasets, transforms`` to ``from tinynet.data import
datasets, transforms``.

An item is the pair (image, label). The image is an array of bytes, (28, 28) or (32, 32, 3), as
`transforms.ToTensor` takes it; the label is an int. For training at full speed take the arrays of
`mnist`, `fashion_mnist` and `cifar10`, which a loader cuts into batches at once.

Source: the signatures are those of https://docs.pytorch.org/vision/stable/datasets.html.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet.creation import as_tensor
from tinynet.data import cifar, mnist
from tinynet.data.dataset import Dataset
from tinynet.data.download import obtain
from tinynet.data.files import DataSet


class _ImageSet(Dataset[tuple[Any, Any]]):
    """A verified data set of images, kept as bytes.

    Args:
        root: the folder that holds the files or the data set's folder; None searches the places
            that `mnist` lists.
        train: True for the training images, False for the test images.
        transform: makes what an item holds of an image; by default the image itself.
        target_transform: the same for a label.
        download: whether to fetch files that are missing or damaged.

    Attributes:
        data, targets: all images and labels.
        classes: names of the classes, by label.
        class_to_idx: labels, by name of the class.

    Raises:
        FileNotFoundError, DataError, DownloadError: as `mnist`.
    """

    files: DataSet
    classes: tuple[str, ...]
    data: Any
    targets: Any

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        for name, function in (("transform", transform), ("target_transform", target_transform)):
            if function is not None and not callable(function):
                raise TypeError(
                    f"{type(self).__name__}: {name} must be callable, but is a "
                    f"{type(function).__name__}; give root, train, transform in this order"
                )
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform
        self._images, self._labels = self._read(obtain(self.files, train, root, download).arrays)
        self.data, self.targets = self._images, self._labels.tolist()

    def _read(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, label = self._images[index], int(self._labels[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __repr__(self) -> str:
        part = "training" if self.train else "test"
        return f"{type(self).__name__}({len(self)} {part} images, transform={self.transform!r})"


class MNIST(_ImageSet):
    __doc__ = f"""Handwritten digits; `data` is a uint8 Tensor (N, 28, 28), `targets` int64 (N,).

    {_ImageSet.__doc__}"""

    files = mnist.MNIST
    classes = tuple(
        f"{i} - {name}"
        for i, name in enumerate("zero one two three four five six seven eight nine".split())
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.data, self.targets = as_tensor(self._images), as_tensor(self._labels)

    def _read(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        labels, images = arrays
        return images, labels.astype(np.int64)


class FashionMNIST(MNIST):
    """Articles of clothing; arguments and attributes are `MNIST`'s."""

    files = mnist.FASHION_MNIST
    classes = mnist.FASHION_MNIST_CLASSES


class CIFAR10(_ImageSet):
    """Colour images; `data` is a uint8 array (N, 32, 32, 3), `targets` a list; else as `MNIST`."""

    files = cifar.CIFAR10
    classes = cifar.CIFAR10_CLASSES

    def _read(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        records = np.concatenate(arrays)
        images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), records[:, 0].astype(np.int64)
