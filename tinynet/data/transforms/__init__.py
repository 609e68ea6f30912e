"""Augmentation and normalisation of images, a batch at a time, on either device.

::

    augment = transforms.Compose([
        transforms.RandomCrop(28, padding=2),
        transforms.RandomRotation(10),
        transforms.Normalize(MNIST_MEAN, MNIST_STD),
    ])
    loader = DataLoader(images, labels, batch_size=64, shuffle=True, transform=augment)

A transform is called as ``transform(images, rng)`` with floats of shape (N, C, H, W) and a
`numpy.random.Generator`; each image of the batch gets random numbers of its own. They are drawn on
the host, so that a seed means the same on both devices, and results there agree to rounding. What
comes back has the dtype of the images and is in C order; what was given is never written to. Those
that draw nothing need no generator: ``Normalize(MNIST_MEAN, MNIST_STD)(test_images)``.

Names and defaults are torchvision's, with three differences that each class states: images are
sampled bilinearly, positions are not rounded to whole pixels, and pairs are (height, width).
"""

from tinynet.data.transforms.affine import RandomAffine, RandomRotation
from tinynet.data.transforms.color import ColorJitter, Normalize, Standardize
from tinynet.data.transforms.crop import RandomCrop, RandomHorizontalFlip, RandomResizedCrop
from tinynet.data.transforms.transform import Compose, Transform

__all__ = [
    "ColorJitter",
    "Compose",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "Standardize",
    "Transform",
]
