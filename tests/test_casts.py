"""Values in the type that an option declares; through RunSpec they are tested in test_spec.py."""

from __future__ import annotations

import json

import pytest

import hcat_nb
from hcat_nb.casts import cast, in_words, plain_values
from hcat_nb.errors import HcatError
from hcat_nb.runs.checking.check import check


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        ("7", "int", 7),
        (3.0, "int", 3),
        ("1e-3", "float", 0.001),
        ("No", "bool", False),
        (1, "bool", True),
        (3, "str", "3"),
        ("aum, vog", "tuple[str, ...]", ("aum", "vog")),
        (["aum"], "tuple[str, ...]", ("aum",)),
        ({"el2n": {"at": 2}}, "Mapping[str, Any]", {"el2n": {"at": 2}}),
    ],
)
def test_what_a_value_means(value, kind, meant):
    assert cast(value, kind) == meant
    assert type(cast(value, kind)) is type(meant)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2.5, "int"),
        (True, "int"),
        ("nan", "float"),
        (True, "float"),
        ("maybe", "bool"),
        (["a"], "str"),
        (0.5, "str"),
        ("a=1", "Mapping[str, Any]"),
    ],
)
def test_what_is_no_such_value(value, kind):
    with pytest.raises((TypeError, ValueError)):
        cast(value, kind)


def test_words_stand_for_bools_where_there_are_any():
    words = {False: "none", True: "probs"}
    given = (True, "false", "logits", 2)
    assert [in_words(one, words) for one in given] == ["probs", "none", "logits", 2]
    assert in_words("true", {}) == "true"


def test_mappings_with_other_keys_than_text_survive_json():
    options = {"rules": {1: [7], 5: {6: 2.0, 8: 1.0}}, "plain": {"a": {"b": 1}}, "n": 3}
    written = json.dumps(plain_values(options))
    assert cast(json.loads(written), "Mapping[str, Any]") == options


@pytest.mark.parametrize(
    "bad", ["~nosuchuser/t.csv", "~nosuchuser/d/", "a" * 5000 + ".csv", "a\0.csv"]
)
def test_what_can_be_no_path_is_told_wherever_one_is_given(bad: str) -> None:
    for use in (
        lambda: hcat_nb.load(bad, target="y"),
        lambda: hcat_nb.load("mnist", root=bad),
        lambda: hcat_nb.load_run(bad),
        lambda: hcat_nb.results(bad),
        lambda: hcat_nb.sweep(bad),
        lambda: hcat_nb.sweep([{"dataset": "wine"}], out=bad),
        lambda: check({"a": [1, 2, 3, 4], "y": [0, 1, 0, 1]}, target="y", fix=bad),
        lambda: check(bad, target="y"),
    ):
        with pytest.raises(HcatError) as told:
            use()
        assert len(str(told.value)) < 500
