"""--image of the study page: the kinds of files that cameras, phones and drawing programs write."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet.study.digit import InputError, load_digit

Image = pytest.importorskip("PIL.Image")
DIGIT = load_digit("3", "digits", None, 28).image[0]  # light ink on dark paper
DARK = np.rint(255 * (1 - DIGIT)).astype("uint8")  # dark ink on light paper


def read(path, image, **options):
    image.save(path, **options)
    return load_digit(str(path), None, 3, 28).image[0]


def close(found, digit=DIGIT):
    return abs(found - digit).max() <= 1 / 250


def with_opacity(ink):
    """A grey value of ink on transparent paper, LA."""
    opacity = np.rint(255 * DIGIT).astype("uint8")
    return Image.fromarray(np.stack([np.full_like(opacity, ink), opacity], 2), "LA")


@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
def test_ink_on_transparent_paper(tmp_path):
    for ink in (0, 255):
        for mode in ("LA", "RGBA"):
            assert close(read(tmp_path / "a.png", with_opacity(ink).convert(mode)))
    palette = Image.fromarray(np.where(DIGIT > 0.5, 1, 0).astype("uint8"))
    palette = palette.convert("P")
    palette.putpalette([9, 9, 9, 0, 0, 0])
    found = read(tmp_path / "p.png", palette, transparency=0)
    assert close(found, (DIGIT > 0.5).astype("float32"))


def test_a_photograph_is_turned_as_the_camera_was(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned by a quarter, to be shown turned back
    turned = Image.fromarray(DARK).transpose(Image.Transpose.ROTATE_90)
    found = read(tmp_path / "photo.png", turned, exif=exif)
    assert close(found)


def test_tiffs_of_many_bits(tmp_path):
    path = tmp_path / "a.tif"
    sixteen = (DARK.astype("uint16") * 257).astype("<u2")
    assert close(read(path, Image.fromarray(sixteen)))
    assert close(read(tmp_path / "a.png", Image.fromarray(sixteen)))
    assert close(read(path, Image.fromarray((1 - DIGIT).astype("float32"))))
    assert close(
        read(path, Image.fromarray(DARK).convert("1", dither=0)), (DARK < 128).astype("f4")
    )
    for strange in (DARK.astype("float32"), DARK.astype("int32") * 1000):
        with pytest.raises(InputError, match=r"a\.tif: its numbers .* from 0 to 255(000)?, and"):
            read(path, Image.fromarray(strange))
    with pytest.raises(InputError, match="not a grey or colour image"):
        read(path, Image.fromarray(np.full((4, 4), np.nan, "f4")))


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_colours_are_averaged(tmp_path, mode):
    assert close(read(tmp_path / "a.tif", Image.fromarray(DARK).convert("RGB").convert(mode)))
