"""How the columns of a table are read: what is left out, encoded, imputed, or text."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from hcat_nb.errors import SpecError
from hcat_nb.registry import refuse_unknown

ANALYZERS = ("char_wb", "word")
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
    missing : str, number, sequence of these, or mapping of a column to them
        Words that stand for a missing value, ``"?"`` or ``-999`` say.  They do in
        every column, the target included, or in those that a mapping names;
        spaces around them do not count.
    impute : {"mean", "median", "most_frequent"} or float, optional
        What a missing number becomes: that of its column, or this number.
    min_frequency : int or float, optional
        Levels with fewer rows (int), or a smaller share of them (float), are
        joined into one.
    max_categories : int, optional
        The most levels a column keeps; the rarest are joined into one.
    text : str, optional
        Column of texts, read as TF-IDF weights of its terms.
    analyzer : {"char_wb", "word"}, optional
        What a term is made of: characters within a word, or words.  Default:
        characters; words where an ``ngram_range`` is given without it.
    max_features : int, optional
        The most terms kept, the most frequent ones (default: 5,000 of characters, 2,000 of words).
        Fewer of characters where their weights would not fit in memory.
    ngram_range : pair of int, optional
        Fewest and most neighbouring characters (default: 2 to 4), or words (1),
        that form a term.
    sep : str, optional
        Character between the fields of a text file; default: the one that gives
        all lines equally many fields.
    encoding : str, optional
        Encoding of a text file; default: as its first bytes say, else UTF-8, else
        Latin-1.
    decimal, thousands : str, optional
        Signs in numbers: a dot or a comma; for groups of digits also a space or
        ``'``.  Default: those that all numbers of a column share.
    header : {"first", "none"} or int, optional
        Where the names of columns stand: first, none, or a line counted from 0.
        The first is that below comments; without names columns are called 0,
        1, ...  Default: the first, if it looks like names.
    comment : str, optional
        One character; it and the rest of its line are no data.  Default: lines
        above the header that begin with ``#``, ``%`` or ``//``.
    quote : str, optional
        What stands around fields that hold a separator; ``"none"`` for nothing.
    sheet : str or int, optional
        Of a workbook; default: its first.

    Raises
    ------
    SpecError
        If a value is out of range.
    """

    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing: tuple[str, ...] | Mapping[str, tuple[str, ...]] = ()
    impute: str | float | None = None
    min_frequency: float | None = None
    max_categories: int | None = None
    text: str | None = None
    analyzer: str | None = None
    max_features: int | None = None
    ngram_range: tuple[int, int] | None = None
    sep: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: str | int | None = None
    comment: str | None = None
    quote: str | None = None
    sheet: str | int | None = None

    def __post_init__(self) -> None:
        for option in ("drop", "categorical", "missing"):
            object.__setattr__(self, option, _words(option, getattr(self, option)))
        self._check_reading()
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
            if not (value is None or (_whole(value) and int(value) >= 2)):
                raise SpecError(f"{option} is {value!r}", "a whole number, at least 2")
        if _whole(self.text):
            object.__setattr__(self, "text", str(self.text))
        if self.analyzer not in (None, *ANALYZERS):
            raise SpecError(f"analyzer is {self.analyzer!r}", "one of " + ", ".join(ANALYZERS))
        if self.ngram_range is None:
            return
        pair = tuple(self.ngram_range) if isinstance(self.ngram_range, Sequence) else ()
        if len(pair) != 2 or not all(map(_whole, pair)) or not 1 <= pair[0] <= pair[1]:
            raise SpecError(f"ngram_range is {self.ngram_range!r}", "a pair like [1, 2]")
        object.__setattr__(self, "ngram_range", pair)

    def _check_reading(self) -> None:
        if isinstance(self.header, str) and self.header.isdecimal():
            object.__setattr__(self, "header", int(self.header))
        if not (
            self.header in (None, "first", "none")
            or (_whole(self.header) and int(self.header) >= 0)
        ):
            raise SpecError(f"header is {self.header!r}", "first, none, or a line counted from 0")
        for option, known in (("decimal", ".,"), ("thousands", ".,' ")):
            value = getattr(self, option)
            if value is not None and (len(str(value)) != 1 or str(value) not in known):
                raise SpecError(f"{option} is {value!r}", "one of " + " ".join(map(repr, known)))
        if self.decimal is not None and self.decimal == self.thousands:
            raise SpecError(f"decimal and thousands are both {self.decimal!r}", "two signs")
        for option in ("comment", "quote"):
            value = getattr(self, option)
            if value is not None and len(value) != 1 and (option, value) != ("quote", "none"):
                raise SpecError(f"{option} is {value!r}", "one character")
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, TypeError, ValueError):
                raise SpecError(
                    f"encoding is {self.encoding!r}", "an encoding of text, such as utf-8 or cp1252"
                ) from None
        if self.sep in ("\\t", "tab"):  # as a shell hands it over
            object.__setattr__(self, "sep", "\t")
        if self.sep is not None and (self.sep == "" or (len(self.sep) > 1 and self.sep != r"\s+")):
            raise SpecError(
                f"sep is {self.sep!r}", r"one character, tab, or \s+ for any white space"
            )

    def missing_in(self, column: str) -> tuple[str, ...]:
        """Return the words that stand for a missing value in a column.

        Examples
        --------
        >>> TableOptions(missing={"age": -999}).missing_in("age")
        ('-999',)
        """
        if isinstance(self.missing, Mapping):
            return self.missing.get(column, ())
        return self.missing

    @property
    def counts_words(self) -> bool:
        """Whether the terms of a text are made of words, not of characters."""
        return self.analyzer == "word" or (self.analyzer is None and self.ngram_range is not None)

    @classmethod
    def among(cls, options: Mapping[str, Any]) -> Self:
        """Return those of the options of a dataset that are a table's."""
        known = {item.name for item in dataclasses.fields(TableOptions)}
        return cls(**{key: value for key, value in options.items() if key in known})

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return options made of keywords; UnknownNameError, with the nearest, of one unknown."""
        known = [item.name for item in dataclasses.fields(cls)]
        refuse_unknown(options, known, "a table has no option {!r}")
        return cls(**options)


def _words(option: str, value: Any) -> Any:
    if option == "missing" and isinstance(value, Mapping):
        return {str(column): _words(option, words) for column, words in value.items()}
    # columns of an array are called 0, 1, ...
    if isinstance(value, str) or _whole(value) or (option == "missing" and _finite(value)):
        return (str(value),)
    if not isinstance(value, Sequence):
        raise SpecError(f"{option} is {value!r}", "a name, or a list of names")
    return tuple(str(word) for word in value)


def _whole(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Integral)


def _finite(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, numbers.Real) and math.isfinite(value)
