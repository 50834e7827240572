"""Hardness that cannot be is told before a run begins, whatever place it has in the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcat_nb.errors import DataError, HcatError, UnknownNameError
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps._applies import check_hardness
from hcat_nb.sweeps.grid import read_plan


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dataset": "wine", "hardness": "crop_shift"}, DataError, "does not apply to table"),
        ({"dataset": "own.csv", "hardness": "domain_shift"}, DataError, "expected image data"),
        ({"dataset": "photos/", "hardness": "atypical"}, DataError, "does not apply to image"),
        ({"dataset": "mnist", "hardness": "atypical"}, DataError, "expected table data"),
        (
            {"dataset": "wine", "hardness": "uniform", "hardness_options": {"foo": 2}},
            UnknownNameError,
            "unknown option 'foo' of the hardness 'uniform'",
        ),
    ],
)
def test_what_no_data_are_needed_to_tell(
    options: dict[str, Any], error: type[HcatError], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_hardness(RunSpec.from_options(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"dataset": "wine"},
        {"dataset": "wine", "hardness": "atypical", "hardness_options": {"column": "ash"}},
        {"dataset": "x.npy", "hardness": "crop_shift"},  # rows or images: its shape tells
        {"dataset": "own.csv", "dataset_options": {"image": "file"}, "hardness": "crop_shift"},
        {"dataset": "folder", "hardness": "zoom_shift"},
        {"dataset": "wine", "hardness": {"uniform": 0.1, "far_ood": 0.1}},
    ],
)
def test_what_may_be_passes(options: dict[str, Any]) -> None:
    check_hardness(RunSpec.from_options(**options))


def test_a_plan_is_checked_in_every_cell(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'domain_shift' does not apply to table data"):
        read_plan({"dataset": ["wine"], "hardness": ["uniform", "domain_shift"]})
