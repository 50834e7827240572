from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.coloring import by_column, by_truth
from hcat_nb.charts.data_map import X_AXES, data_map, map_chart
from hcat_nb.charts.picture import picture
from hcat_nb.errors import DataError, SpecError, UnknownNameError

Details = Callable[..., pd.DataFrame]


def table(spec: dict[str, Any], layer: int) -> list[dict[str, str]]:
    name = spec["layer"][layer]["data"]["name"]
    return list(csv.DictReader(io.StringIO(spec["datasets"][name])))


@pytest.mark.parametrize("n", [0, 1, 200, 60_000])
@pytest.mark.parametrize("x", ["variability", "aleatoric"])
@pytest.mark.parametrize("color", ["group", "truth", "label", "aum"])
def test_any_size_has_all_its_samples(make_details: Details, n: int, x: Any, color: str) -> None:
    spec = data_map(make_details(n), x=x, color=color).to_dict()
    points, cells = table(spec, 1), table(spec, 0)
    assert len(points) + sum(int(cell["n"]) for cell in cells) == n
    assert len(points) <= 10_000
    assert spec["title"]["subtitle"].startswith(f"{n:,} samples")


def test_one_class_and_empty_frames_render(make_details: Details) -> None:
    for n in (0, 30):
        for color in ("label", "aum"):
            assert picture(data_map(make_details(n, classes=1), color=color))[:4] == b"\x89PNG"


def test_coordinates_and_names_arrive(make_details: Details) -> None:
    details = make_details(50)
    rows = table(data_map(details).to_dict(), 1)
    found = pd.DataFrame(rows).set_index("id").loc[details.index]
    # four decimals are kept
    np.testing.assert_allclose(found["x"].astype(float), details["variability"], atol=6e-5)
    np.testing.assert_allclose(found["y"].astype(float), details["confidence"], atol=6e-5)
    assert found["color"].tolist() == details["datamaps_group"].tolist()
    assert found["label"].tolist() == [str(value) for value in details["label"]]


def test_names_with_markup_commas_and_line_ends_stay_as_they_are(make_details: Details) -> None:
    details = make_details(2)
    names = ["<b>a</b>,\n", '"b"']
    details["label"] = pd.Categorical(names)
    rows = table(data_map(details, color="label").to_dict(), 1)
    assert {row["label"] for row in rows} == set(names)
    assert {row["color"] for row in rows} == set(names)


def test_missing_classes_are_a_grey_class_of_their_own(make_details: Details) -> None:
    details = make_details(100)
    details.loc[details.index[:30], "label"] = np.nan
    spec = data_map(details, color="label").to_dict()
    rows = table(spec, 1)
    assert len(rows) == 100
    assert sum(row["color"] == "none" for row in rows) == 30
    assert sum(row["label"] == "" for row in rows) == 30
    assert spec["layer"][1]["encoding"]["color"]["scale"]["domain"][-1] == "none"


def test_axes_do_not_depend_on_the_data(make_details: Details) -> None:
    for x, high in (("variability", 0.5), ("aleatoric", 0.25)):
        for layer in data_map(make_details(5), x=x).to_dict()["layer"]:
            assert layer["encoding"]["x"]["scale"]["domain"] == [0, high]
            assert layer["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_the_users_transformers_and_frame_stay(make_details: Details) -> None:
    details = make_details(20_000)
    before, copy = (alt.data_transformers.active, alt.data_transformers.options), details.copy()
    data_map(details).to_dict()
    assert (alt.data_transformers.active, alt.data_transformers.options) == before
    pd.testing.assert_frame_equal(details, copy)


def test_a_saved_chart_of_60_000_samples_is_small(make_details: Details) -> None:
    chart = data_map(make_details(60_000), color="truth")
    bundle, _ = chart._repr_mimebundle_()
    assert len(json.dumps(bundle)) < 400_000  # the specification and its picture


def test_without_data_the_datasets_are_named() -> None:
    spec = map_chart(
        X_AXES["variability"], by_truth(np.zeros(1)), title="t", caption="c", n_points=1
    ).to_dict()
    assert [layer["data"] for layer in spec["layer"]] == [{"name": "bins"}, {"name": "points"}]
    assert {param["name"]: param["value"] for param in spec["params"]}["heading"] == "t"


def test_a_live_map_is_called_the_same_whatever_colours_it() -> None:
    for coloring in (by_truth(np.array([True])), by_column(pd.Series([0.5], name="aum"))):
        axis = X_AXES["variability"]
        words = {"title": "t", "caption": "c", "n_points": 1}
        spec = map_chart(axis, coloring, live=True, **words).to_dict()
        # The stored brush names its view: of another name it would not be drawn.
        assert [one["views"] for one in spec["params"] if "views" in one] == [["map"], ["map"]]


def test_mistakes_are_told(make_details: Details) -> None:
    details = make_details(5)
    with pytest.raises(SpecError, match=r"x is 'variance'.*expected one of variability"):
        data_map(details, x="variance")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match=r"cannot colour by 'labl'.*nearest: label"):
        data_map(details, color="labl")
    with pytest.raises(UnknownNameError, match="no column 'is_hard'"):
        data_map(details.drop(columns="is_hard"), color="truth")
    with pytest.raises(DataError, match="no column 'confidence'"):
        data_map(details.drop(columns="confidence"))
    with pytest.raises(SpecError, match="hardest is 9000"):
        data_map(details, hardest=9000)
