"""How the columns of a table are read: what is left out, encoded, imputed, or text."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.registry import nearest

__all__ = ["IMPUTATIONS", "TableOptions"]

IMPUTATIONS = ("mean", "median", "most_frequent")


@dataclass(frozen=True)
class TableOptions:
    """Options of every table with named columns: frames, files and named tables.

    Categorical columns (text, or pandas' category) become codes by
    scikit-learn's OrdinalEncoder, which the model turns into one indicator a
    level; a missing value is a level of its own.  Missing numbers are an
    error unless they are imputed, by scikit-learn's SimpleImputer.

    Parameters
    ----------
    drop : str or sequence of str
        Columns that are no features: identifiers, say.
    categorical : str or sequence of str
        Columns of numbers that are codes of categories, and columns of text
        that look like numbers.
    missing : str or sequence of str
        Texts that stand for a missing value, ``"?"`` say; spaces around them
        do not count.
    impute : {"mean", "median", "most_frequent"} or float, optional
        What a missing number becomes: that of its column, or this number.
    min_frequency : int or float, optional
        Levels with fewer rows (int), or a smaller share of them (float), are
        joined into one.
    max_categories : int, optional
        The most levels a column keeps; the rarest are joined into one.
    text : str, optional
        Column of texts, read as TF-IDF weights of its words.
    max_features : int
        The most words that are kept of the texts, the most frequent ones.
    ngram_range : pair of int
        Fewest and most neighbouring words that form a term.

    Raises
    ------
    SpecError
        If a value is out of range.
    """

    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    impute: str | float | None = None
    min_frequency: float | None = None
    max_categories: int | None = None
    text: str | None = None
    max_features: int = 2000
    ngram_range: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        for option in ("drop", "categorical", "missing"):
            object.__setattr__(self, option, _words(option, getattr(self, option)))
        if not (self.impute is None or self.impute in IMPUTATIONS or _finite(self.impute)):
            raise SpecError(
                f"impute is {self.impute!r}", "one of " + ", ".join(IMPUTATIONS) + ", or a number"
            )
        least = self.min_frequency
        if not (
            least is None or (_whole(least) and least >= 1) or (_finite(least) and 0 < least < 1)
        ):
            raise SpecError(f"min_frequency is {least!r}", "a number of rows, or a share in (0, 1)")
        for option, value in (
            ("max_categories", self.max_categories),
            ("max_features", self.max_features),
        ):
            optional = option == "max_categories" and value is None
            if not (optional or (_whole(value) and int(value or 0) >= 2)):
                raise SpecError(f"{option} is {value!r}", "a whole number, at least 2")
        if _whole(self.text):
            object.__setattr__(self, "text", str(self.text))
        pair = tuple(self.ngram_range) if isinstance(self.ngram_range, Sequence) else ()
        if len(pair) != 2 or not all(map(_whole, pair)) or not 1 <= pair[0] <= pair[1]:
            raise SpecError(f"ngram_range is {self.ngram_range!r}", "a pair like [1, 2]")
        object.__setattr__(self, "ngram_range", pair)

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return options made of keywords.

        Raises
        ------
        UnknownNameError
            If an option does not exist; names the nearest.
        """
        known = [item.name for item in dataclasses.fields(cls)]
        for name in options:
            if name not in known:
                raise UnknownNameError(f"a table has no option {name!r}", nearest(name, known))
        return cls(**options)


def _words(option: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or _whole(value):  # columns of an array are called 0, 1, ...
        return (str(value),)
    if not isinstance(value, Sequence):
        raise SpecError(f"{option} is {value!r}", "a name, or a list of names")
    return tuple(str(word) for word in value)


def _whole(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Integral)


def _finite(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Real) and math.isfinite(value)
