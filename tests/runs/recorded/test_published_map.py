"""Published data maps: read, drawn, written back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.data_map import data_map
from hcat_nb.errors import DataError, MissingDataError
from hcat_nb.runs.recorded.published_map import read_data_map, write_data_map

ROWS = [
    {"guid": "b", "index": 0, "threshold_closeness": 0.1, "confidence": 0.9,
     "variability": 0.2, "correctness": 4},
    {"guid": "a", "index": 1, "threshold_closeness": 0.2, "confidence": 1 / 3,
     "variability": 0.1, "correctness": 0},
    {"guid": "007", "index": 2, "threshold_closeness": 0.3, "confidence": 0.5,
     "variability": 0.5, "correctness": 2},
]  # fmt: skip


@pytest.fixture
def winogrande(shared_data):
    return shared_data / "training_dynamics" / "winogrande_roberta_data_map.parquet"


def test_the_winogrande_map_round_trips(winogrande, tmp_path):
    published = pd.read_parquet(winogrande)
    frame = read_data_map(winogrande)
    assert len(frame) == 40_398
    assert frame.attrs["epochs"] == 6
    assert frame.index.tolist() == published["guid"].tolist()
    assert frame["confidence"].tolist() == published["confidence"].tolist()
    assert np.allclose(frame["correctness"] * 6, published["correctness"])
    written = write_data_map(frame, tmp_path / "data_map_coordinates.jsonl")
    lines = pd.DataFrame([json.loads(line) for line in written.open()])
    pd.testing.assert_frame_equal(lines, published, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(read_data_map(written), frame)


def test_the_region_rules_hold_on_it(winogrande):
    frame = read_data_map(winogrande)
    c, v = frame["confidence"].to_numpy(), frame["variability"].to_numpy()
    assert (v <= np.sqrt(c * (1 - c))).all()
    groups = frame["datamaps_group"].astype(str).to_numpy()
    counts = pd.Series(groups).value_counts()
    assert counts.max() - counts.min() <= 1  # thirds
    assert v[groups == "ambiguous"].min() >= v[groups != "ambiguous"].max()
    assert c[groups == "hard"].max() <= c[groups == "easy"].min()


def test_the_chart_draws_it(winogrande):
    frame = read_data_map(winogrande)
    drawn = data_map(frame).to_dict()
    text = json.dumps(drawn)
    assert "40,398" in text  # the caption counts the samples


def test_what_follows_from_the_coordinates():
    frame = read_data_map(pd.DataFrame(ROWS), epochs=4)
    assert frame.index.tolist() == ["b", "a", "007"]
    assert frame["correctness"].tolist() == [1, 0, 0.5]
    # mean p (1 - p) = c - mean p^2 = c - (v^2 + c^2)
    assert np.allclose(frame["aleatoric"], [0.9 - 0.85, 1 / 3 - 0.01 - 1 / 9, 0])
    assert frame["threshold_closeness"].tolist() == [0.1, 0.2, 0.3]


def test_json_lines_come_back_to_the_last_digit(tmp_path):
    path = tmp_path / "map.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    again = write_data_map(read_data_map(path), tmp_path / "again.jsonl")
    assert [json.loads(line) for line in again.open()] == ROWS


def test_a_run_is_written_too(image_run, tmp_path):
    path = write_data_map(image_run.details, tmp_path / "map.jsonl", epochs=3)
    back = read_data_map(path, epochs=3)
    assert back.index.tolist() == image_run.details.index.tolist()
    assert np.array_equal(back["confidence"], image_run.details["confidence"].astype(np.float64))
    assert np.allclose(back["correctness"], image_run.details["correctness"])
    with pytest.raises(DataError, match=r"epochs is not known; to mend it: epochs=run.spec.epochs"):
        write_data_map(image_run.details, tmp_path / "map.jsonl")
    holes = image_run.details.assign(variability=np.nan)
    with pytest.raises(DataError, match="200 samples have no place on the map, such as"):
        write_data_map(holes, tmp_path / "map.jsonl", epochs=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confidence": 1.1}, "confidence of 'b' is 1.1"),
        ({"confidence": float("nan")}, "confidence of 'b' is nan"),
        (
            {"variability": 0.31},
            r"variability of 'b' is 0.31; expected at most sqrt\(c \(1 - c\)\)",
        ),
        ({"correctness": 5}, "correctness of 'b' is 5; expected a number of epochs from 0 to 4"),
        ({"correctness": 0.5}, "correctness of 'b' is 0.5"),
        ({"guid": "a"}, "the guid 'a' twice"),
    ],
)
def test_what_no_map_can_hold_is_named(change, message):
    with pytest.raises(DataError, match=message):
        read_data_map(pd.DataFrame([ROWS[0] | change, *ROWS[1:]]), epochs=4)


def test_what_is_no_map_is_refused(tmp_path):
    with pytest.raises(MissingDataError, match="does not exist"):
        read_data_map(tmp_path / "absent.jsonl")
    (tmp_path / "map.jsonl").write_text("{")
    with pytest.raises(DataError, match=r"map.jsonl cannot be read"):
        read_data_map(tmp_path / "map.jsonl")
    with pytest.raises(DataError, match="has no column 'correctness'"):
        read_data_map(pd.DataFrame(ROWS).drop(columns="correctness"))
