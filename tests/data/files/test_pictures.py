"""Single files of every odd kind, against values written into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hcat_nb.data.files.pictures import SUFFIXES, bits_of, open_picture, plain


def mark() -> np.ndarray:
    """Four blocks of 16 x 16 pixels: no turn or mirroring leaves it as it is."""
    blocks = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 90, 90]]], np.uint8)
    return blocks.repeat(16, axis=0).repeat(16, axis=1)


# how the stored picture differs from the upright one, by EXIF's definition
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](mark()))
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.png")), mark())


def test_an_orientation_without_meaning_turns_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    Image.fromarray(mark()).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.png")), mark())


def grey16(path: Path, values: list[list[int]]) -> Path:
    Image.fromarray(np.array(values, dtype=np.uint16)).save(path)
    return path


@pytest.mark.parametrize(
    ("largest", "bits"), [(200, 8), (1023, 10), (1024, 12), (4095, 12), (9000, 14), (65535, 16)]
)
def test_the_depth_is_the_least_that_holds_all_files(
    tmp_path: Path, largest: int, bits: int
) -> None:
    paths = [grey16(tmp_path / "a.png", [[0, 7]]), grey16(tmp_path / "b.tif", [[largest, 0]])]
    assert bits_of(paths) == bits


def test_files_of_eight_bits_or_that_cannot_be_read_do_not_decide_the_depth(
    tmp_path: Path,
) -> None:
    Image.fromarray(mark()).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    assert bits_of([tmp_path / "a.png", tmp_path / "b.png"]) == 16
    assert bits_of([tmp_path / "b.png", grey16(tmp_path / "c.png", [[4000]])]) == 12


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    image = open_picture(grey16(tmp_path / "a.png", [[0, 257, 32896, 65535]]))
    assert np.asarray(plain(image, "L")).tolist() == [[0, 1, 128, 255]]
    image = open_picture(grey16(tmp_path / "b.png", [[0, 2048, 4095]]))
    assert np.asarray(plain(image, "L", bits=12)).tolist() == [[0, 128, 255]]
    assert np.asarray(plain(image, "RGB", bits=12)).shape == (1, 3, 3)


@pytest.mark.parametrize(("background", "expected"), [("white", 205), ("black", 50)])
def test_transparent_pixels_show_the_background(background: str, expected: int) -> None:
    """Alpha 100 of 255 over grey 127: 127 * 100 / 255 + background * 155 / 255."""
    half = Image.new("LA", (1, 1), (127, 100))
    assert plain(half, "L", background).getpixel((0, 0)) == pytest.approx(expected, abs=1)
    clear = Image.new("RGBA", (1, 1), (9, 9, 9, 0))
    assert plain(clear, "L", background).getpixel((0, 0)) == (255 if background == "white" else 0)


def test_palettes_are_looked_up_and_their_transparent_colour_is_no_colour(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50, 1, 2, 3])
    assert np.asarray(plain(image, "RGB"))[0].tolist() == [[10, 20, 30], [200, 100, 50], [1, 2, 3]]
    image.save(tmp_path / "a.png", transparency=2)
    shown = plain(open_picture(tmp_path / "a.png"), "RGB")
    assert np.asarray(shown)[0].tolist() == [[10, 20, 30], [200, 100, 50], [255, 255, 255]]


def test_inks_and_single_bits_become_light() -> None:
    """CMYK without a profile: (255 - ink)(255 - black) / 255."""
    inks = Image.new("CMYK", (1, 1), (0, 255, 255, 0))
    assert plain(inks, "RGB").getpixel((0, 0)) == (255, 0, 0)
    inks = Image.new("CMYK", (1, 1), (51, 0, 255, 102))
    assert plain(inks, "RGB").getpixel((0, 0)) == pytest.approx((122, 153, 0), abs=1)
    assert plain(Image.new("1", (1, 1), 1), "RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.float32([[0.5]]), "floating point"), (np.int32([[70000]]), "beyond 16 bits")],
)
def test_pixels_without_a_known_white_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain(Image.fromarray(values), "RGB")


def test_torchvisions_suffixes_are_among_ours() -> None:
    from torchvision.datasets.folder import IMG_EXTENSIONS

    assert set(IMG_EXTENSIONS) <= set(SUFFIXES)
