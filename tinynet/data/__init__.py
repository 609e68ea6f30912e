"""Data sets as plain arrays or as objects, and batches of them.

::

    images, labels = mnist()            # or fashion_mnist(), cifar10(), digits()
    loader = DataLoader(images, labels, batch_size=64, shuffle=True, seed=0)
    for epoch in range(10):
        for x, y in loader:             # arrays; wrap them with tn.tensor
            ...

or, as in PyTorch, with items and a collate function::

    digits = MNIST("data", transform=transforms.ToTensor())     # or any Dataset
    train, validation = random_split(digits, [0.9, 0.1], seed=0)
    loader = DataLoader(train, batch_size=64, shuffle=True)     # batches of Tensors

Whatever is random here depends on a seed alone, 0 by default.

The arrays' images are float32 in [0, 1] of shape (N, C, H, W), labels int64 of shape (N,). Both are
fresh and writable. `digits` comes with the package. The other data sets are searched for in `root`,
or by default in ``$TINYNET_DATA``, the user's cache and the folder of the system's packages.
``download=True`` or ``python -m tinynet.data fetch NAME`` fetches them; ``python -m tinynet.data``
lists those on this machine. A file whose SHA-256 differs raises `DataError`.
"""

from tinynet.data import datasets, transforms
from tinynet.data.catalogue import Located, locate
from tinynet.data.cifar import (
    CIFAR10_CLASSES,
    CIFAR10_MEAN,
    CIFAR10_STD,
    cifar10,
    read_cifar10,
)
from tinynet.data.collate import default_collate, default_convert
from tinynet.data.dataset import (
    ArrayDataset,
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tinynet.data.datasets import CIFAR10, MNIST, FashionMNIST
from tinynet.data.digits import digits
from tinynet.data.download import DownloadError
from tinynet.data.files import cache_folder
from tinynet.data.idx import DataError, read_idx
from tinynet.data.loader import DataLoader, get_worker_info
from tinynet.data.mnist import (
    FASHION_MNIST_CLASSES,
    FASHION_MNIST_MEAN,
    FASHION_MNIST_STD,
    MNIST_MEAN,
    MNIST_STD,
    fashion_mnist,
    mnist,
)
from tinynet.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "CIFAR10",
    "CIFAR10_CLASSES",
    "CIFAR10_MEAN",
    "CIFAR10_STD",
    "FASHION_MNIST_CLASSES",
    "FASHION_MNIST_MEAN",
    "FASHION_MNIST_STD",
    "MNIST",
    "MNIST_MEAN",
    "MNIST_STD",
    "ArrayDataset",
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataError",
    "DataLoader",
    "Dataset",
    "DownloadError",
    "FashionMNIST",
    "IterableDataset",
    "Located",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "cache_folder",
    "cifar10",
    "datasets",
    "default_collate",
    "default_convert",
    "digits",
    "fashion_mnist",
    "get_worker_info",
    "locate",
    "mnist",
    "random_split",
    "read_cifar10",
    "read_idx",
    "transforms",
]
