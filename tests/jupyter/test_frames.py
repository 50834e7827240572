from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hcat_nb.jupyter.frames import Frame, codes, counts, encode, names, numbers, small

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
        "digits",
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
    assert (frame.content["epoch"], frame.content["heading"]) == (3, "digits")


def test_an_empty_dataset() -> None:
    nothing = np.empty(0)
    frame = encode(1, "", {"points": {"x": numbers(nothing, 1.0), "id": names([])}})
    assert decode(frame) == {"points": {"x": [], "id": []}}
    assert frame.size == 0


def test_numbers_outside_are_clipped_not_wrapped() -> None:
    frame = encode(1, "", {"points": {"x": numbers(np.array([-0.1, 0.7]), 0.5)}})
    assert decode(frame)["points"]["x"] == [0.0, pytest.approx(0.5)]


def test_a_separator_in_a_name_does_not_shift_the_others() -> None:
    frame = encode(1, "", {"points": {"id": names(["a\0b", "c"])}})
    assert decode(frame)["points"]["id"] == ["ab", "c"]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        encode(1, "", {"points": {"x": numbers(np.zeros(2), 1.0), "id": names(["a"])}})
