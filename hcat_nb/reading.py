"""Options of reading data, which are options of a run too: one vocabulary wherever data are read.

They stand in ``dataset_options``; given by themselves they are put there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcat_nb.errors import SpecError

READING: dict[str, str] = {
    "drop": "columns that are no features",
    "categorical": "columns whose numbers are codes of categories",
    "missing": 'words that stand for a missing value; by column as JSON, {"age": [-999]}',
    "impute": "what a missing number becomes: mean, median, most_frequent, or a number",
    "min_frequency": "levels with fewer rows (or, below 1, a smaller share of the rows) are joined",
    "max_categories": "the most levels that a column keeps; rarer ones are joined",
    "text": "column of texts, read as TF-IDF weights",
    "analyzer": "what the terms of a text are made of: char_wb (characters) or word",
    "max_features": "the most terms that texts are described by",
    "ngram_range": "fewest and most characters (or words) in a term",
    "sep": "character between the fields of a file",
    "encoding": "encoding of a text file, such as utf-8 or latin-1",
    "decimal": "decimal sign: . or ,",
    "thousands": "sign between groups of three digits",
    "header": "line with the names of the columns: first, none, or its number, counted from 0",
    "comment": "sign that begins a comment",
    "quote": "sign around fields, or none",
    "sheet": "sheet of a workbook to read",
    "image": "column of images, or of their paths",
    "image_root": "folder in which the paths of the column image= begin",
    "size": "height and width of images",
    "fit": "what to do with images of another shape: crop, pad or stretch",
    "color": "how images are read: rgb or grey",
    "background": "colour under transparent pixels",
    "split": "which split of a folder of images to read, such as train",
    "transform": "function that takes an image (in Python only)",
}
SEVERAL = ("drop", "categorical", "missing", "ngram_range", "size")  # take several values


def with_reading(
    options: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return options of a run in which those of reading stand among the ``dataset_options``.

    ``before`` are ``dataset_options`` that hold where ``options`` have none.

    >>> with_reading({"dataset": "a.csv", "text": "words"})
    {'dataset': 'a.csv', 'dataset_options': {'text': 'words'}}
    """
    own = {name: value for name, value in options.items() if name in READING}
    if not own:
        return dict(options)
    rest = {name: value for name, value in options.items() if name not in own}
    beside = rest.get("dataset_options", before or {})
    if not isinstance(beside, Mapping):  # the check of the fields names it
        return rest
    if "dataset_options" in rest and (twice := [name for name in own if name in beside]):
        raise SpecError(f"{twice[0]} is given twice, in dataset_options too", "one of the two")
    return {**rest, "dataset_options": {**beside, **own}}
