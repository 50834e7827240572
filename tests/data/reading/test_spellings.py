from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.data.loading import load
from hcat_nb.data.reading.spellings import joined, joint_codes, spellings

ADULT = [" <=50K", " >50K", " <=50K.", " >50K."]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (ADULT, [[" <=50K", " <=50K."], [" >50K", " >50K."]]),
        (["cat", " cat", "CAT", "cat.", "cattle"], [["cat", " cat", "CAT", "cat."]]),
        (["New York", "new_york", "New-York"], [["New York", "new_york", "New-York"]]),
        (["a b", "a  b"], [["a b", "a  b"]]),
        (["stra\u00dfe", "STRASSE"], [["stra\u00dfe", "STRASSE"]]),
        (["e\u0301t", "\u00e9t"], [["e\u0301t", "\u00e9t"]]),
        (["2", "2.0", "2.5"], [["2", "2.0"]]),
        (["A+", "A-", "A", "-1", "1", "neg -1", "neg 1"], []),
        (["?", "!", ""], []),
        ([1, 1.5, True, None], []),
    ],
)  # fmt: skip
def test_spellings_of_a_name_are_found(names: list[object], expected: list[list[str]]) -> None:
    assert spellings(names) == expected


def test_the_commonest_comes_first() -> None:
    assert spellings(["Cat", "cat"], [1, 2]) == [["cat", "Cat"]]
    assert joint_codes(["b", "a", "B", "c"]).tolist() == [0, 1, 0, 3]


def test_classes_are_joined_only_when_told_and_the_notes_say_which() -> None:
    labels = np.array(ADULT * 5 + [" <=50K"] * 3 + [None], dtype=object)
    truth = [" >50K."] * 24
    plain = load(np.arange(24.0)[:, None], labels, on_missing_label="keep", truth=truth)
    assert plain.n_classes == 4
    one = load(
        np.arange(24.0)[:, None],
        labels,
        on_missing_label="keep",
        truth=truth,
        join_spellings=True,
    )
    assert one.class_values == (" <=50K", " >50K")
    assert one.class_counts.tolist() == [13, 10]
    assert one.labels[-1] == -1
    assert one.truth is not None
    assert set(one.truth) == {" >50K"}
    assert "' <=50K' 8, ' <=50K.' 5" in one.notes[-1]
    assert joined(one) is one
