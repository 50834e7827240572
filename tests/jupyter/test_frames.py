from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hcat_nb.jupyter.frames import (
    Frame,
    codes,
    counts,
    encode,
    floats,
    messages,
    names,
    numbers,
    rows,
    small,
)

DTYPES = {"uint8": "u1", "uint16": "<u2", "uint32": "<u4"}


def decode(frame: Frame) -> dict[str, dict[str, list[Any]]]:
    """Read a frame as the comment in live_map.js says it is to be read."""
    buffers = iter(frame.buffers)
    tables: dict[str, dict[str, list[Any]]] = {}
    for dataset in frame.content["datasets"]:
        columns = {}
        for column in dataset["columns"]:
            data = next(buffers)
            if column["dtype"] == "text":
                values: list[Any] = data.decode().split("\0") if dataset["n"] else []
            else:
                values = np.frombuffer(data, DTYPES[column["dtype"]]).tolist()
            if "levels" in column:
                values = [column["levels"][code] for code in values]
            if "scale" in column:
                values = [column["scale"] * step for step in values]
            columns[column["name"]] = values
        tables[dataset["name"]] = columns
    return tables


def test_a_frame_can_be_read_again() -> None:
    x = np.random.default_rng(0).random(1000) / 2
    frame = encode(
        3,
        {"heading": "digits"},
        {
            "points": {
                "x": numbers(x, 0.5),
                "color": codes(np.arange(1000) % 2, ("easy", "hard")),
                "label": codes(np.arange(1000) % 300, [f"c{i}" for i in range(300)]),
                "id": names([f"ä{i}" for i in range(1000)]),
            },
            "bins": {"n": counts(np.array([1, 70_000])), "i": small(np.array([0, 255]))},
        },
    )
    read = decode(Frame(json.loads(json.dumps(frame.content)), frame.buffers))
    # half a step of 65,535
    np.testing.assert_allclose(read["points"]["x"], x, atol=0.5 * 0.5 / 65535 * 1.001)
    assert read["points"]["color"][:3] == ["easy", "hard", "easy"]
    assert read["points"]["label"][299] == "c299"
    assert read["points"]["id"][999] == "ä999"
    assert read["bins"] == {"n": [1, 70_000], "i": [0, 255]}
    assert (frame.content["epoch"], frame.content["signals"]) == (3, {"heading": "digits"})


def test_an_empty_dataset() -> None:
    nothing = np.empty(0)
    frame = encode(1, {}, {"points": {"x": numbers(nothing, 1.0), "id": names([])}})
    assert decode(frame) == {"points": {"x": [], "id": []}}
    assert frame.size == 0


def test_numbers_outside_are_clipped_not_wrapped() -> None:
    frame = encode(1, {}, {"points": {"x": numbers(np.array([-0.1, 0.7]), 0.5)}})
    assert decode(frame)["points"]["x"] == [0.0, pytest.approx(0.5)]


def test_a_separator_in_a_name_does_not_shift_the_others() -> None:
    frame = encode(1, {}, {"points": {"id": names(["a\0b", "c"])}})
    assert decode(frame)["points"]["id"] == ["ab", "c"]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        encode(1, {}, {"points": {"x": numbers(np.zeros(2), 1.0), "id": names(["a"])}})


def test_numbers_of_any_range() -> None:
    frame = encode(1, {}, {"points": {"x": numbers(np.array([-4.0, 4.0, 9.0]), 4.0, -4.0)}})
    assert [row["x"] for row in rows(frame)["points"]] == [-4.0, 4.0, 4.0]


def test_rows_are_what_the_header_says() -> None:
    columns = {
        "x": numbers(np.array([0.25, 0.5]), 0.5),
        "color": codes(np.array([1, 0]), ("easy", "hard")),
        "score": floats(np.array([0.5, np.nan])),
        "id": names(["a", "b"]),
    }
    table = rows(encode(1, {}, {"points": columns}))["points"]
    assert table[1] == {"x": pytest.approx(0.5), "color": "easy", "score": None, "id": "b"}
    assert decode(encode(1, {}, {"points": {"x": columns["x"]}}))["points"]["x"][0] == (
        pytest.approx(table[0]["x"])
    )


def test_a_newer_frame_replaces_what_it_names() -> None:
    old = encode(
        1,
        {"heading": "1", "caption": "c"},
        {
            "points": {"x": small(np.array([1]))},
            "bins": {"n": small(np.array([2]))},
        },
    )
    new = encode(2, {"heading": "2"}, {"points": {"x": small(np.array([3, 4]))}})
    both = old.updated(new)
    assert rows(both) == {"points": [{"x": 3}, {"x": 4}], "bins": [{"n": 2}]}
    assert both.content["signals"] == {"heading": "2", "caption": "c"}
    assert both.content["epoch"] == 2


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 1000])
def test_parts_hold_the_whole_frame_and_no_more_than_the_limit(limit: int) -> None:
    columns = {
        "x": numbers(np.arange(4) / 4, 1.0),
        "id": names(["a", "b", "c", "d"]),
        "i": small(np.arange(4)),
    }
    frame = encode(1, {}, {"points": columns, "none": {"x": small(np.empty(0))}})
    *parts, (content, buffers) = messages(frame, 5, limit)
    assert content["seq"] == 5
    if limit >= frame.size:
        assert (parts, buffers) == ([], frame.buffers)
        return
    assert (content["parts"], buffers) == (len(parts), [])
    got: dict[int, bytearray] = {}
    for head, pieces in parts:
        assert 0 < sum(map(len, pieces)) <= limit or head["pieces"]
        assert sum(map(len, pieces)) <= limit
        for (number, length, offset), data in zip(head["pieces"], pieces, strict=True):
            got.setdefault(number, bytearray(length))[offset : offset + len(data)] = data
    assert [bytes(got[number]) for number in sorted(got)] == frame.buffers
    assert [head["part"] for head, _ in parts] == list(range(1, len(parts) + 1))
