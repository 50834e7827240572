from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hcat_nb.charts.data_map import data_map
from hcat_nb.charts.picture import on_white, picture
from hcat_nb.charts.theme import TRUTH


@pytest.mark.parametrize("color", ["group", "truth", "label", "aum"])
def test_60_000_samples_take_less_than_50_kb(
    make_details: Callable[..., pd.DataFrame], color: str
) -> None:
    assert len(picture(data_map(make_details(60_000), color=color))) < 50_000


def test_the_picture_shows_the_colours_on_white(
    make_details: Callable[..., pd.DataFrame],
) -> None:
    png = picture(data_map(make_details(2000), color="truth"))
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    assert image[0, 0].tolist() >= [250, 250, 250]  # the palette moves white by a step
    for color in TRUTH.values():
        wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        # the palette moves a colour by a few steps of 255
        assert (np.abs(image - wanted).max(axis=2) < 25).sum() > 50


def test_white_is_laid_under_a_copy() -> None:
    spec = {"config": {"background": "transparent", "font": "serif"}}
    assert on_white(spec) == {"config": {"background": "white", "font": "serif"}}
    assert spec["config"]["background"] == "transparent"
