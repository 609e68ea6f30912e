"""What networks are trained on: data sets as plain arrays, and batches of them.

::

    images, labels = mnist()            # or digits(), which comes with the package
    loader = DataLoader(images, labels, batch_size=64, shuffle=True, seed=0)
    for epoch in range(10):
        for x, y in loader:             # arrays; wrap them with tn.tensor
            ...

Images are float32 in [0, 1] of shape (N, C, H, W), labels int64 of shape (N,). Data that are not
bit for bit what they should be raise `DataError` rather than train a network.
"""

from tinynet.data.digits import digits
from tinynet.data.idx import DataError, read_idx
from tinynet.data.loader import DataLoader
from tinynet.data.mnist import MNIST_MEAN, MNIST_STD, cache_folder, mnist

__all__ = [
    "MNIST_MEAN",
    "MNIST_STD",
    "DataError",
    "DataLoader",
    "cache_folder",
    "digits",
    "mnist",
    "read_idx",
]
