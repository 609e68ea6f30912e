"""The digit on the page, from a data set or an image file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinynet import data
from tinynet.functional import adaptive_avg_pool2d
from tinynet.tensor import Tensor


class InputError(ValueError):
    """Raised for unusable input; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Digit:
    """One handwritten digit."""

    image: np.ndarray  # float32 (1, size, size), 0 (paper) to 1 (ink)
    label: int  # 0 to 9
    source: str  # origin and changes made, in words


def load_digit(image: str, source: str | None, label: int | None, size: int) -> Digit:
    """Load the digit that the options select.

    Args:
        image: an index into the data set's test part, or the name of an image file.
        source: "mnist", "digits", a folder with MNIST's files, or None for MNIST if found, else
            the package's digits.
        label: the digit in an image file; None otherwise.
        size: the network's input height and width: 28, or 8 for the package's digits.

    Raises:
        InputError: if an option is unusable; the message is one line.
    """
    if label is not None and not 0 <= label <= 9:
        raise InputError(f"--label is {label}; it must be a digit from 0 to 9")
    if source not in (None, "mnist", "digits") and not Path(source).is_dir():
        raise InputError(f"--data {source}: give mnist, digits, or a folder with MNIST's files")
    if not re.fullmatch(r"[+-]?\d+", image):
        pixels = _read(Path(image))
        if label is None:
            raise InputError(f"--image {image} needs --label: the loss compares with it")
        return _from_file(Path(image), pixels, label, size)
    if label is not None:
        raise InputError("--label is for an image file; a data set's digit has its own")
    name, images, labels = _data_set(source, size)
    index = int(image)
    if not 0 <= index < len(labels):
        raise InputError(f"--image {index}: {name} are numbered 0 to {len(labels) - 1}")
    return Digit(images[index], int(labels[index]), f"number {index} of {name}")


def _data_set(source: str | None, size: int) -> tuple[str, np.ndarray, np.ndarray]:
    if size == 8 and source not in (None, "digits"):
        raise InputError(
            f"--data {source}: this network takes images of 8x8; use --data digits, or an image "
            "file, which is resized"
        )
    if source != "digits" and size == 28:
        root = None if source in (None, "mnist") else source
        try:
            return "MNIST's test digits", *data.mnist(root, train=False)
        except FileNotFoundError as error:
            if source is not None:
                what = str(error).partition(";")[0]
                raise InputError(
                    f"--data {source}: {what}; 'python -m tinynet.data fetch mnist' fetches them"
                ) from None
        except data.DataError as error:
            raise InputError(f"--data: {error}") from None
    enlarged = " (enlarged from 8x8)" if size == 28 else ""
    return f"the package's UCI test digits{enlarged}", *data.digits(train=False, size=size)


def _from_file(path: Path, pixels: np.ndarray, label: int, size: int) -> Digit:
    """A file's grey values as a digit: light ink on dark paper, `size` x `size`."""
    height, width = pixels.shape
    if height != width:
        raise InputError(f"--image {path} is {width}x{height}; crop it to a square")
    done = []
    if pixels.min() == pixels.max():
        done.append("warning: all its pixels are equal, so it shows no digit")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if border.mean() > 0.5:  # dark ink on light paper
        pixels = 1 - pixels
        done.append("inverted, since its border is light")
    if height != size:
        pixels = adaptive_avg_pool2d(Tensor(pixels[None, None]), size).data[0, 0]
        done.append(f"resized from {width}x{height} to {size}x{size} by averaging")
    return Digit(pixels[None], label, ", ".join([f"the file {path.name}", *done]))


def _read(path: Path) -> np.ndarray:
    """Read an image's grey values as float32 (H, W) in [0, 1], the right way up.

    It averages the colours. Transparent pixels show white paper, or black under white ink.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise InputError(
            f"--image {path}: reading an image needs Pillow ({error}): pip install 'tinynet[train]'"
        ) from None
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)  # as the camera was held
            if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
                image = image.convert("RGBA")
            elif image.mode in ("1", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
                image = image.convert("L" if image.mode == "1" else "RGB")
            pixels, mode, png = np.asarray(image), image.mode, file.format == "PNG"
    except FileNotFoundError:
        raise InputError(f"--image {path}: no such file") from None
    except Exception as error:  # Pillow and its plugins raise many kinds of errors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"--image {path} cannot be read as an image ({reason})") from None
    if pixels.size == 0 or not np.isfinite(pixels).all():
        raise InputError(f"--image {path}: shape {pixels.shape} is not a grey or colour image")
    pixels = pixels / _white(path, mode, pixels, png)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        ink, opacity = pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]
        pixels = ink + (1 - opacity)
        if pixels.min() == pixels.max():  # white ink
            pixels = ink
    if pixels.ndim == 3:
        pixels = pixels.mean(axis=2)
    return np.clip(pixels, 0, 1).astype(np.float32)


def _white(path: Path, mode: str, pixels: np.ndarray, png: bool) -> float:
    """The number that stands for white in an image of a mode."""
    if pixels.dtype == np.uint8:
        return 255
    if mode.startswith("I;16") or (mode == "I" and png):  # older Pillows open these PNGs so
        return 65535
    low, high = float(pixels.min()), float(pixels.max())
    if mode == "F" and low >= 0 and high <= 1:
        return 1
    raise InputError(
        f"--image {path}: its numbers ({pixels.dtype}) are from {low:g} to {high:g}, and the file "
        "does not say which is white; save it with 8 or 16 bits, or as floats from 0 to 1"
    )
