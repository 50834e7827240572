"""Options of a table: their ranges and names."""

from __future__ import annotations

from typing import Any

import pytest

from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import SpecError, UnknownNameError


def test_one_name_is_a_list_of_one() -> None:
    options = TableOptions(drop="id", missing="?", categorical=["a", "b"])
    assert (options.drop, options.missing, options.categorical) == (("id",), ("?",), ("a", "b"))


def test_what_a_shell_hands_over_is_taken() -> None:
    assert TableOptions.of(ngram_range=[1, 2], impute=0).ngram_range == (1, 2)
    options = TableOptions(drop=3, categorical=[0, "b"], missing=-1, text=7)
    assert (options.drop, options.categorical) == (("3",), ("0", "b"))
    assert (options.missing, options.text) == (("-1",), "7")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"impute": "medain"}, "impute is 'medain'.*median"),
        ({"impute": True}, "impute is True"),
        ({"impute": float("nan")}, "impute is nan"),
        ({"min_frequency": 0}, "min_frequency is 0"),
        ({"min_frequency": 1.5}, r"min_frequency is 1.5; expected a number of rows, or a share"),
        ({"max_categories": 1}, "max_categories is 1"),
        ({"max_features": 1}, "max_features is 1"),
        ({"analyzer": "letters"}, "analyzer is .letters.; expected one of char_wb, word"),
        ({"ngram_range": (2, 1)}, r"ngram_range is \(2, 1\)"),
        ({"ngram_range": 2}, "ngram_range is 2"),
        ({"drop": 3.5}, "drop is 3.5; expected a name"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        TableOptions(**options)


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no option 'imputation'.*nearest: impute"):
        TableOptions.of(imputation="mean")


@pytest.mark.parametrize("encoding", ["no-such", "hex", 8, "a\0b"])
def test_an_encoding_that_is_none_of_text_is_told(encoding: Any) -> None:
    with pytest.raises(SpecError, match="an encoding of text"):
        TableOptions(encoding=encoding)
