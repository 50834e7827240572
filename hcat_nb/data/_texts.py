"""Texts as TF-IDF weights of their words, by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.table_options import TableOptions

__all__ = ["tf_idf"]

# Of the dense matrix.  VoG keeps two more of its size.
_MOST_BYTES = 2**31


def tf_idf(texts: pd.Series, name: str, options: TableOptions) -> tuple[np.ndarray, list[str], str]:
    """Return the weights of the most frequent terms.

    Parameters
    ----------
    texts : pandas.Series of length n
        A missing text is an empty one.
    name : str
        Of the column.
    options : TableOptions
        Its ``max_features`` and ``ngram_range``.

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
    from sklearn.feature_extraction.text import TfidfVectorizer

    missing = texts.isna().to_numpy()
    words = texts.astype(object).where(~missing, "").tolist()
    odd = next((one for one in words if not isinstance(one, str)), None)
    if odd is not None:
        raise DataError(
            f"the column {name!r} was named as text, and holds {odd!r}",
            "text",
            f"frame.astype({{{name!r}: str}})",
        )
    vectorizer = TfidfVectorizer(
        max_features=options.max_features, ngram_range=options.ngram_range, dtype=np.float32
    )
    try:
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
    note = f"{name!r} read as TF-IDF weights of {width:,} terms"
    if empty:
        note += f"; {empty:,} texts hold none of them"
    return sparse.toarray(), terms, note
