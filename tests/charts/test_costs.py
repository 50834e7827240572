"""The bar chart of costs."""

from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.charts.costs import COLORS, PARTS, costs_chart
from hcat_nb.charts.picture import picture
from hcat_nb.errors import DataError

COSTS = pd.DataFrame(
    {
        "hcm": ["aum", "vog", "vog"],
        "part": ["own", "forward", "input_gradients"],
        "seconds": [1.0, 2.0, 3.0],
        "of_training": [0.05, 0.10, 0.15],
    }
)


def test_it_draws_every_row_and_says_the_sum():
    chart = costs_chart(COSTS)
    spec = chart.to_dict()
    (rows,) = spec["datasets"].values()
    assert len(rows) == 3
    assert "30% of the training" in spec["title"]["subtitle"]
    assert picture(chart).startswith(b"\x89PNG")
    shown = chart._repr_mimebundle_()[0]
    assert shown["text/plain"] == "<cost of each method: all of them: 30% of the training's time>"


def test_every_part_has_a_colour_of_its_own_and_the_legend_shows_those_that_occur():
    assert len(COLORS) == len(PARTS) == len(set(COLORS))
    scale = costs_chart(COSTS).to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["forward", "input_gradients", "own"]
    assert scale["range"] == [COLORS[0], COLORS[4], COLORS[7]]


def test_no_method_at_all_is_an_empty_chart():
    assert picture(costs_chart(COSTS[:0])).startswith(b"\x89PNG")


def test_a_frame_of_something_else_is_refused():
    with pytest.raises(DataError, match="no column 'of_training'"):
        costs_chart(COSTS.drop(columns="of_training"))
