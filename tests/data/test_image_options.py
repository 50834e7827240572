"""Sizes, fits and colours of image files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from hcat_nb.data.image_options import ImageOptions
from hcat_nb.errors import SpecError, UnknownNameError

# 40 wide, 20 high: a red left end, a green middle and a blue right end
WIDE = np.zeros((20, 40, 3), np.uint8)
WIDE[:, :10, 0] = WIDE[:, 10:30, 1] = WIDE[:, 30:, 2] = 255


def pixels(**options: Any) -> np.ndarray:
    chosen = ImageOptions.of(**options)
    return chosen.pixels(chosen.plain(Image.fromarray(WIDE)))


def test_the_middle_is_cut_out() -> None:
    cut = pixels(size=20)
    assert cut.shape == (3, 20, 20)
    assert cut.dtype == np.uint8
    assert (cut[1] == 255).all()
    assert (cut[[0, 2]] == 0).all()


def test_a_frame_keeps_the_whole_picture() -> None:
    framed = pixels(size=40, fit="pad", background="#102030")
    assert np.array_equal(framed[:, 10:30], WIDE.transpose(2, 0, 1))
    assert (framed[:, [0, 9, 30, 39]] == np.array([16, 32, 48])[:, None, None]).all()


def test_stretching_uses_all_of_the_picture() -> None:
    assert pixels(size=(20, 40), fit="stretch").tolist() == WIDE.transpose(2, 0, 1).tolist()
    squeezed = pixels(size=(20, 20), fit="stretch")
    assert squeezed[0, :, :4].min() == 255
    assert squeezed[2, :, -4:].min() == 255


def test_scaling_down_averages() -> None:
    checks = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    small = ImageOptions(size=8, color="grey").pixels(checks)
    assert small.shape == (1, 8, 8)
    # a sample of pixels would be 0 or 255; the average of a checkerboard is 127.5
    assert np.abs(small.astype(float) - 127.5).max() <= 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": (4,)}, "size is"),
        ({"size": 2.5}, "size is 2.5"),
        ({"size": True}, "size is True"),
        ({"fit": "squash"}, "fit is 'squash'.*crop, pad, stretch"),
        ({"color": "gray"}, "color is 'gray'.*rgb, grey"),
        ({"background": "whyte"}, "background is 'whyte'"),
        ({"background": 3}, "background is 3"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        ImageOptions.of(**options)


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'sise'.*nearest: size"):
        ImageOptions.of(sise=3)


def test_a_pair_may_be_a_list_as_a_shell_gives_it() -> None:
    assert ImageOptions(size=[3, 5]).sides == (3, 5)  # type: ignore[arg-type]
