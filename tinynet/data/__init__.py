"""Data sets as plain arrays, and batches of them.

::

    images, labels = mnist()            # or fashion_mnist(), cifar10(), digits()
    loader = DataLoader(images, labels, batch_size=64, shuffle=True, seed=0)
    for epoch in range(10):
        for x, y in loader:             # arrays; wrap them with tn.tensor
            ...

Images are float32 in [0, 1] of shape (N, C, H, W), labels int64 of shape (N,). Both are fresh and
writable. `digits` comes with the package. The other data sets are searched for in `root`, or by
default in ``$TINYNET_DATA``, the user's cache and the folder of the system's packages.
``download=True`` or ``python -m tinynet.data fetch NAME`` fetches them; ``python -m tinynet.data``
lists those on this machine. A file whose SHA-256 differs raises `DataError`.
"""

from tinynet.data import transforms
from tinynet.data.catalogue import Located, locate
from tinynet.data.cifar import (
    CIFAR10_CLASSES,
    CIFAR10_MEAN,
    CIFAR10_STD,
    cifar10,
    read_cifar10,
)
from tinynet.data.digits import digits
from tinynet.data.download import DownloadError
from tinynet.data.files import cache_folder
from tinynet.data.idx import DataError, read_idx
from tinynet.data.loader import DataLoader
from tinynet.data.mnist import (
    FASHION_MNIST_CLASSES,
    FASHION_MNIST_MEAN,
    FASHION_MNIST_STD,
    MNIST_MEAN,
    MNIST_STD,
    fashion_mnist,
    mnist,
)

__all__ = [
    "CIFAR10_CLASSES",
    "CIFAR10_MEAN",
    "CIFAR10_STD",
    "FASHION_MNIST_CLASSES",
    "FASHION_MNIST_MEAN",
    "FASHION_MNIST_STD",
    "MNIST_MEAN",
    "MNIST_STD",
    "DataError",
    "DataLoader",
    "DownloadError",
    "Located",
    "cache_folder",
    "cifar10",
    "digits",
    "fashion_mnist",
    "locate",
    "mnist",
    "read_cifar10",
    "read_idx",
    "transforms",
]
