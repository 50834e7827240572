"""Texts as weights of their words, or of short runs of their characters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.texts import tf_idf
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

TEXTS = pd.Series(["card lost", "card stolen card", "top up"])
WORDS = TableOptions(analyzer="word")


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
    monkeypatch.setattr("hcat_nb.data.reading.texts._MOST_BYTES", 4 * 10 * 6)
    monkeypatch.setattr("hcat_nb.data.reading.texts._READ", 40)
    texts = pd.Series(["card", "rare"] * 5)  # 40 characters: all are read
    weights, terms, _ = tf_idf(texts, "t", TableOptions())
    assert weights.shape == (10, 6)
    monkeypatch.setattr("hcat_nb.data.reading.texts._READ", 20)  # every second text
    _, terms, note = tf_idf(texts, "t", TableOptions(max_features=6))
    assert all(term[3:].strip() in "card" for term in terms)
    assert "5 texts hold none of them" not in note  # "ar" and "r" are in both


def test_a_missing_text_is_empty() -> None:
    weights, _, _ = tf_idf(pd.Series(["card lost", None]), "t", TableOptions())
    assert not weights[1].any()


def test_memory_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.texts._MOST_BYTES", 24)
    with pytest.raises(DataError, match=r"3 texts with 5 terms .*max_features=2"):
        tf_idf(TEXTS, "t", WORDS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [(["a", 3], "named as text, and holds 3"), (["!", "?"], "holds no word")],
)
def test_what_is_no_text_is_refused(texts: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        tf_idf(pd.Series(texts, dtype=object), "t", WORDS)
