"""Augmentation and normalisation of batches of images, on either device.

::

    augment = transforms.Compose([
        transforms.RandomCrop(28, padding=2),
        transforms.RandomRotation(10),
        transforms.Normalize(MNIST_MEAN, MNIST_STD),
    ])
    loader = DataLoader(images, labels, batch_size=64, shuffle=True, transform=augment)

A transform is called as ``transform(images, rng)`` with floats of shape (N, C, H, W) and a
`numpy.random.Generator`, and draws separate random numbers for each image. It draws them on the
host, so one seed gives the same results on both devices, to rounding. The result has the dtype of
the images and is in C order; the argument is never written to. Transforms without random numbers
need no generator: ``Normalize(MNIST_MEAN, MNIST_STD)(test_images)``.

`ToTensor` and `Lambda` are for the items of a data set, such as ``MNIST(root, transform=...)``;
there `Compose` and `Normalize` take one image, a Tensor (C, H, W).

Names and defaults are torchvision's, with three differences that each class states: images are
sampled bilinearly, positions are not rounded to whole pixels, and pairs are (height, width).
"""

from tinynet.data.transforms.affine import RandomAffine, RandomRotation
from tinynet.data.transforms.color import ColorJitter, Normalize, Standardize
from tinynet.data.transforms.crop import RandomCrop, RandomHorizontalFlip, RandomResizedCrop
from tinynet.data.transforms.item import Lambda, ToTensor
from tinynet.data.transforms.transform import Compose, Transform

__all__ = [
    "ColorJitter",
    "Compose",
    "Lambda",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "Standardize",
    "ToTensor",
    "Transform",
]
