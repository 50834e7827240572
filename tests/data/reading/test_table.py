"""A frame's feature columns as one matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.table import nearest_columns, read_table, tf_idf
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError

TEXTS = pd.Series(["card lost", "card stolen card", "top up"])
WORDS = TableOptions(analyzer="word")


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [101, 102, 103],
            "colour": ["red", None, "blue"],
            "size": [1.5, np.nan, 3.0],
            "remark": ["too small", "fine", "too big"],
        }
    )


def test_numbers_codes_and_words_stand_in_one_matrix(frame: pd.DataFrame) -> None:
    table = read_table(
        frame, None, TableOptions(drop=("id",), impute=0, text="remark", analyzer="word")
    )
    assert table.feature_names[:2] == ("colour", "size")
    assert table.features[:, 0].tolist() == [1, 2, 0]
    assert table.levels == {0: ("blue", "red", "(missing)")}
    assert table.features[:, 1].tolist() == [1.5, 0, 3]
    assert [table.feature_names[i] for i in table.words] == [
        f"remark: {word}" for word in ("big", "fine", "small", "too")
    ]
    assert (table.features[:, 2:] > 0).sum(axis=1).tolist() == [2, 1, 2]
    assert table.text == "remark"
    assert table.notes[0] == "left out: id"
    assert len(table.notes) == 5


def test_the_original_is_kept_and_is_a_copy(frame: pd.DataFrame) -> None:
    kept = read_table(frame, None, TableOptions(drop=("id",), text="remark")).original
    assert kept is not None
    frame.loc[0, "colour"] = "green"
    assert kept.loc[0].tolist() == ["red", 1.5, "too small"]


def test_plain_numbers_are_kept_once(frame: pd.DataFrame) -> None:
    table = read_table(frame[["id", "size"]], None, TableOptions())
    assert table.original is None
    assert (table.levels, len(table.words), table.notes) == ({}, 0, ())
    np.testing.assert_array_equal(table.features, np.array([[101, 1.5], [102, np.nan], [103, 3]]))


def test_more_rows_than_one_block_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.table._BLOCK", 4)
    table = read_table(pd.DataFrame({"a": range(10)}), None, TableOptions())
    assert table.features.ravel().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": "ids"}, "drop names the column 'ids'.*nearest: id"),
        ({"text": "remarks"}, "text names the column 'remarks'.*nearest: remark"),
        ({"categorical": ["sizes"]}, "categorical names the column 'sizes'.*nearest: size"),
    ],
)
def test_columns_that_are_not_there(
    frame: pd.DataFrame, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        read_table(frame, None, TableOptions(**options))


def test_a_column_is_left_out_or_used(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'id' is left out and used"):
        read_table(frame, None, TableOptions(drop="id", categorical="id"))
    with pytest.raises(DataError, match="no feature column"):
        read_table(frame[["id"]], None, TableOptions(drop="id"))


def test_of_many_columns_only_the_near_ones_are_listed() -> None:
    names = [f"gene{i}" for i in range(99)] + ["tumour"]
    assert nearest_columns("tumor", names) == "one of tumour (nearest: tumour)"


def test_weights_follow_the_formula_of_scikit_learns_user_guide() -> None:
    weights, terms, note = tf_idf(TEXTS, "t", WORDS)
    assert terms == ["t: card", "t: lost", "t: stolen", "t: top", "t: up"]
    # tf * (ln((1 + n) / (1 + df)) + 1), rows of length 1
    counts = np.array([[1, 1, 0, 0, 0], [2, 0, 1, 0, 0], [0, 0, 0, 1, 1]])
    idf = np.log(4 / (1 + np.array([2, 1, 1, 1, 1]))) + 1
    expected = counts * idf
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)  # float32
    assert weights.dtype == np.float32
    assert note == "'t' read as TF-IDF weights of 5 terms"


def test_only_the_most_frequent_terms_are_kept_and_empty_texts_counted() -> None:
    weights, terms, note = tf_idf(TEXTS, "t", TableOptions(analyzer="word", max_features=2))
    assert terms[0] == "t: card"
    assert weights.shape == (3, 2)
    assert note.endswith("2 terms; 1 texts hold none of them")


def test_pairs_of_words() -> None:
    _, terms, _ = tf_idf(TEXTS, "t", TableOptions(ngram_range=(2, 2)))
    assert terms == ["t: card lost", "t: card stolen", "t: stolen card", "t: top up"]


def test_runs_of_characters_end_with_the_word_and_count_less_the_more_often_they_occur() -> None:
    texts = pd.Series(["aa aa", "ab"])
    weights, terms, note = tf_idf(texts, "t", TableOptions(analyzer="char_wb", ngram_range=(2, 2)))
    assert terms == ["t:  a", "t: a ", "t: aa", "t: ab", "t: b "]  # nothing across "a a"
    counts = np.array([[2, 2, 2, 0, 0], [1, 0, 0, 1, 1]])
    idf = np.log(3 / (1 + np.array([2, 1, 1, 1, 1]))) + 1
    expected = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * idf
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert note == "'t' read as TF-IDF weights of 5 runs of characters"


def test_without_a_word_about_it_they_are_two_to_four_characters_long() -> None:
    _, terms, _ = tf_idf(TEXTS, "t", TableOptions())
    assert {len(term) - len("t: ") for term in terms} == {2, 3, 4}


def test_a_range_alone_is_one_of_words_as_before() -> None:
    assert tf_idf(TEXTS, "t", TableOptions(ngram_range=(1, 1)))[1] == tf_idf(TEXTS, "t", WORDS)[1]


def test_of_many_texts_fewer_runs_are_kept_and_a_part_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.table._MOST_BYTES", 4 * 10 * 6)
    monkeypatch.setattr("hcat_nb.data.reading.table._READ", 40)
    texts = pd.Series(["card", "rare"] * 5)  # 40 characters: all are read
    weights, terms, _ = tf_idf(texts, "t", TableOptions())
    assert weights.shape == (10, 6)
    monkeypatch.setattr("hcat_nb.data.reading.table._READ", 20)  # every second text
    _, terms, note = tf_idf(texts, "t", TableOptions(max_features=6))
    assert all(term[3:].strip() in "card" for term in terms)
    assert "5 texts hold none of them" not in note  # "ar" and "r" are in both


def test_a_missing_text_is_empty() -> None:
    weights, _, _ = tf_idf(pd.Series(["card lost", None]), "t", TableOptions())
    assert not weights[1].any()


def test_memory_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.table._MOST_BYTES", 24)
    with pytest.raises(DataError, match=r"3 texts with 5 terms .*max_features=2"):
        tf_idf(TEXTS, "t", WORDS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [(["a", 3], "named as text, and holds 3"), (["!", "?"], "holds no word")],
)
def test_what_is_no_text_is_refused(texts: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        tf_idf(pd.Series(texts, dtype=object), "t", WORDS)


@pytest.mark.parametrize("option", ["categorical", "text"])
def test_a_column_of_lists_is_no_word(option: str) -> None:
    frame = pd.DataFrame({"e": [[1, 2], [3, 4]], "x": [1, 2]})
    with pytest.raises(DataError, match="'e' holds lists"):
        read_table(frame, None, TableOptions(**{option: "e"}))


def test_a_name_that_a_list_would_take_is_told() -> None:
    frame = pd.DataFrame({"e": [[1, 2], [3, 4]], "e[1]": [1, 2]})
    with pytest.raises(DataError, match=r"as 'e\[1\]' is"):
        read_table(frame, None, TableOptions())
