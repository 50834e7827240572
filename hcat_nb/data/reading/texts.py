"""Texts as TF-IDF weights of their terms, by scikit-learn.

Terms are short runs of characters, which misspellings, endings and languages
without a list of words share, or words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer

    from hcat_nb.data.table_options import TableOptions

__all__ = ["tf_idf"]

# Of the dense matrix.  VoG keeps two more of its size.
_MOST_BYTES = 2**31
_RUNS, _WORDS = 5000, 2000  # terms, where nobody said how many
_READ = 2**24  # characters in which runs are counted, to choose the most frequent ones


def tf_idf(texts: pd.Series, name: str, options: TableOptions) -> tuple[np.ndarray, list[str], str]:
    """Return the weights of the most frequent terms.

    Parameters
    ----------
    texts : pandas.Series of length n
        A missing text is an empty one.
    name : str
        Of the column.
    options : TableOptions
        Its ``analyzer``, ``max_features`` and ``ngram_range``.

    Returns
    -------
    weights : array of shape (n, terms), float32
        Rows of length 1, or 0 where no term occurs.
    terms : list of str
        Names of the columns.
    note : str

    Raises
    ------
    DataError
        If the column holds no text, or the weights would not fit in memory.
    """
    missing = texts.isna().to_numpy()
    words = texts.astype(object).where(~missing, "").tolist()
    odd = next((one for one in words if not isinstance(one, str)), None)
    if odd is not None:
        raise DataError(
            f"the column {name!r} was named as text, and holds {odd!r}",
            "text",
            f"frame.astype({{{name!r}: str}})",
        )
    try:
        vectorizer = _words(options) if options.counts_words else _characters(words, options)
        sparse = vectorizer.fit_transform(words)
    except ValueError as error:
        raise DataError(
            f"the column {name!r} holds no word ({error})", "texts of words of two letters or more"
        ) from error
    n, width = sparse.shape
    if 4 * n * width > _MOST_BYTES:
        raise DataError(
            f"{n:,} texts with {width:,} terms take {4 * n * width / 2**30:.1f} GiB",
            f"at most {_MOST_BYTES / 2**30:g} GiB",
            f"max_features={_MOST_BYTES // (4 * n)}",
        )
    terms = [f"{name}: {term}" for term in vectorizer.get_feature_names_out()]
    empty = int((np.diff(sparse.indptr) == 0).sum())
    kind = "terms" if options.counts_words else "runs of characters"
    note = f"{name!r} read as TF-IDF weights of {width:,} {kind}"
    if empty:
        note += f"; {empty:,} texts hold none of them"
    return sparse.toarray(), terms, note


def _words(options: TableOptions) -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        max_features=options.max_features or _WORDS,
        ngram_range=options.ngram_range or (1, 1),
        dtype=np.float32,
    )


def _characters(texts: list[str], options: TableOptions) -> TfidfVectorizer:
    """Return what weighs the runs of characters that are the most frequent in texts.

    Their number is that of no language: a part of the texts, evenly spread,
    says which to keep, so that memory for counting all others is bounded.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    most = max(2, min(_RUNS, _MOST_BYTES // (4 * len(texts))))
    kept: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": options.ngram_range or (2, 4)}
    step = -(-sum(map(len, texts)) // _READ)
    counter = CountVectorizer(**kept, max_features=options.max_features or most)
    vocabulary = counter.fit(texts[:: max(step, 1)]).vocabulary_
    return TfidfVectorizer(**kept, vocabulary=vocabulary, sublinear_tf=True, dtype=np.float32)
