"""Kinds of class values: field report A08."""

from __future__ import annotations

import enum

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.label_kinds import only_kind, plain_value
from hcat_nb.data.reading.labels import code_labels
from hcat_nb.errors import DataError


class Size(enum.IntEnum):
    SMALL = 1


class Shape(str, enum.Enum):  # noqa: UP042 -- its str() is not its value
    ROUND = "round"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Size.SMALL, 1),
        (Shape.ROUND, "round"),
    ],
)
def test_values_become_plain_python(value: object, plain: object) -> None:
    assert plain_value(value) == plain
    assert type(plain_value(value)) is type(plain)


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1, 2.5, np.int8(1)], "number"), ([True, np.bool_(False)], "bool"), (["a"], "text")],
)
def test_one_kind_is_named(values: list[object], kind: str) -> None:
    assert only_kind(np.array(values, dtype=object)) == kind


def test_a08_numbers_and_text_are_refused_with_counts() -> None:
    with pytest.raises(DataError) as caught:
        code_labels([1, "1", 2, 1, "x"])
    assert str(caught.value).startswith(
        "labels mix numbers and text: 1 and '1' (in 2 rows and 1 row; "
        "of all labels, 3 are numbers and 2 are text)"
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([True, 1, 0], "labels mix True/False and numbers"),
        ([True, "True"], "labels mix True/False and text: True and 'True'"),
        (pd.Categorical([1, "1"]), "labels mix numbers and text: 1 and '1'"),
        ([b"a", b"b"], "type bytes cannot be classes"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "cannot be classes"),
        (pd.cut(pd.Series([1.0, 2.0, 3.0]), 2), r"type Interval .*rename_categories\(str\)"),
    ],
)
def test_other_kinds_are_refused(labels: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        code_labels(labels)
