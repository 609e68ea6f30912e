"""MNIST and Fashion-MNIST: 60,000 and 10,000 grey images of 28x28 pixels, in IDX files.

**Sources**: MNIST, handwritten digits: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based
learning applied to document recognition", Proc. IEEE 86 (11), 1998; the files: Y. LeCun,
C. Cortes, C. Burges, CC BY-SA 3.0. Fashion-MNIST, articles of clothing in the same format:
H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv:1708.07747, 2017; MIT licence, Zalando SE.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinynet.data.download import obtain
from tinynet.data.files import DataSet, Download, File
from tinynet.data.idx import DataError, unpack

# Mean and standard deviation over all pixels of the 60,000 training images, after division by 255.
# To normalise training and test images: (images - MNIST_MEAN) / MNIST_STD.
MNIST_MEAN = 0.1307
MNIST_STD = 0.3081
FASHION_MNIST_MEAN = 0.2860
FASHION_MNIST_STD = 0.3530

FASHION_MNIST_CLASSES = tuple(
    "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot".split(
        ", "
    )
)  # by label, 0 to 9

_TITLES = ("MNIST", "Fashion-MNIST")
# SHA-256 of the unpacked files, header included: (MNIST, Fashion-MNIST).
_DIGESTS = {
    "train-images": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train-labels": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "t10k-images": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "t10k-labels": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


def idx_set(
    name: str,
    folder: str,
    title: str,
    mirrors: tuple[str, ...],
    size: tuple[int, int] = (28, 28),
    counts: tuple[int, int] = (60000, 10000),
    titles: tuple[str, ...] = _TITLES,
    digests: Mapping[str, tuple[str, ...]] = _DIGESTS,
) -> DataSet:
    """Describe a data set in MNIST's four files.

    `digests` holds the SHA-256 of all data sets' files, in the order of `titles`: the files have
    the same names, and messages can then say that a file belongs to another data set.
    """

    def read(file: File, path: Path) -> tuple[np.ndarray, str]:
        shape = (file.count, *size) if "images" in file.names[0] else (file.count,)
        found = unpack(path, like=("uint8", shape))
        array = found.array()
        if len(shape) == 1 and array.max() > 9:
            i = int(array.argmax())
            raise DataError(
                f"{name}: {path}: labels must be 0 to 9, but label {i} is {array[i]}; "
                "the file is damaged; delete it and get it again"
            )
        return array, found.sha256()

    files = []
    for stem, kind, count in (
        ("train-labels", "idx1", counts[0]),
        ("train-images", "idx3", counts[0]),
        ("t10k-labels", "idx1", counts[1]),
        ("t10k-images", "idx3", counts[1]),
    ):
        # some copies have a dot before "idx"
        names = tuple(f"{stem}{dot}{kind}-ubyte{end}" for dot in "-." for end in (".gz", ""))
        files.append(File(names, count, dict(zip(digests[stem], titles, strict=True))))
    return DataSet(
        name=name,
        folder=folder,
        titles=(title,),
        train=tuple(files[:2]),
        test=tuple(files[2:]),
        reader=lambda: read,
        # A gzip stream of incompressible data is a little longer than the data.
        downloads=tuple(
            Download(f.names[0], (f,), 2 * f.count * size[0] * size[1] + 1000) for f in files
        ),
        mirrors=mirrors,
        others=(f"{title.replace('-', '')}/raw",),  # torchvision's
    )


MNIST = idx_set(
    "mnist",
    "mnist",
    "MNIST",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
FASHION_MNIST = idx_set(
    "fashion_mnist",
    "fashion-mnist",
    "Fashion-MNIST",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)


def mnist(
    root: str | os.PathLike[str] | None = None, train: bool = True, download: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Load MNIST: grey images of handwritten digits.

    The files are the four of the original distribution, gzipped or not: train-images-idx3-ubyte,
    train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, or the same names with
    a dot before "idx". Their size, shape, label range and SHA-256 are checked at each load, since a
    network trained on damaged images raises no error and is only worse.

    Args:
        root: the folder that holds the files or a folder ``mnist`` with them. By default
            ``$TINYNET_DATA``, then the user's cache (`cache_folder`), then ``/usr/share/datasets``
            are searched.
        train: True for the 60,000 training images, False for the 10,000 test images.
        download: whether to fetch files that are missing or damaged, into the folder ``mnist`` in
            `root`, or by default in the cache; needs ``pip install 'tinynet[train]'``.

    Returns:
        images: float32, shape (N, 1, 28, 28), 0 (paper) to 1 (ink): the bytes divided by 255.
        labels: int64, shape (N,), 0 to 9.
        Both are fresh and writable.

    Raises:
        FileNotFoundError: if a file is missing; lists the folders and file names.
        DataError: if an unpacked file differs from MNIST's in any bit.
        DownloadError: if every mirror failed; lists the addresses tried and why each failed.

    **Cost**: a third of a second for the training images; keeps 4 bytes per pixel (188 MB), 5 while
    loading.

    **Source**: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86 (11), 1998.
    """
    return images_and_labels(MNIST, root, train, download)


def fashion_mnist(
    root: str | os.PathLike[str] | None = None, train: bool = True, download: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Load Fashion-MNIST: grey images of clothing, named by `FASHION_MNIST_CLASSES`.

    Files, arguments, results, errors and cost are those of `mnist`; the folder is named
    ``fashion-mnist``. The files of Debian's package ``dataset-fashion-mnist`` are found.

    **Source**: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747, 2017.
    """
    return images_and_labels(FASHION_MNIST, root, train, download)


def images_and_labels(
    dataset: DataSet, root: str | os.PathLike[str] | None, train: bool, download: bool
) -> tuple[np.ndarray, np.ndarray]:
    """`mnist` for any data set that `idx_set` describes."""
    labels, images = obtain(dataset, train, root, download).arrays
    pixels = np.divide(images, 255, dtype=np.float32)[:, None]
    return pixels, labels.astype(np.int64)
