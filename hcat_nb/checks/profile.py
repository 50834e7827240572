"""What each column of a table holds, looked at once for all checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?")
_COMMA = re.compile(r"[-+]?\d{1,3}(\.?\d{3})*,\d+|[-+]?\d+,\d+")
_MOST = 0.9  # share of the rows from which the others are suspect


@dataclass(frozen=True, eq=False)
class Profile:
    """One column.

    ``codes`` (n,) int64: a code for each distinct value, -1 where missing; ``levels`` (k,) object
    or numeric: the distinct values, by code; ``values`` (n,) float64: of a column of numbers; NaN
    where missing.
    """

    name: str
    codes: np.ndarray
    levels: np.ndarray
    values: np.ndarray | None

    @property
    def n_missing(self) -> int:
        """Missing cells."""
        return int((self.codes < 0).sum())

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each level: (k,), int64."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    @cached_property
    def is_text(self) -> bool:
        """Whether every value is a str."""
        return self.values is None and all(isinstance(one, str) for one in self.levels)

    @property
    def whole(self) -> bool:
        """Whether it holds numbers, all of them whole."""
        if self.values is None or not len(self.levels) or self.levels.dtype.kind == "b":
            return False
        levels = self.levels.astype(np.float64)
        return bool((np.isfinite(levels) & (levels == np.floor(levels))).all())

    @cached_property
    def numeric(self) -> np.ndarray:
        """Each level of a text as a number, NaN where it is none: (k,), float64."""
        return pd.to_numeric(pd.Series(self.levels, dtype=object), errors="coerce").to_numpy(float)

    @cached_property
    def kind(self) -> str:
        """What it is in words: number, date, numbers as text, text, words, or its own type."""
        if self.values is not None:
            return "number"
        if not len(self.levels):
            return "empty"
        if self.levels.dtype.kind == "M":
            return "date"
        if not self.is_text:
            types = sorted({type(one).__name__ for one in self.levels})
            return f"mixed ({', '.join(types)})" if len(types) > 1 else types[0]
        texts = self.levels.tolist()
        if self.share(~np.isnan(self.numeric)) >= _MOST:
            return "numbers as text"
        if self._matches(_COMMA) >= _MOST:
            return "decimal commas"
        if self._matches(_DATE) >= _MOST:
            return "dates as text"
        spaces = sum(one.strip().count(" ") for one in texts[:1000]) / min(len(texts), 1000)
        return "text" if spaces >= 2 and 2 * len(texts) > len(self.codes) else "words"

    def share(self, chosen: np.ndarray) -> float:
        """Return the share of the present rows whose level is chosen, (k,) bool."""
        return float(self.counts[chosen].sum() / max(1, self.counts.sum()))

    def _matches(self, form: re.Pattern[str]) -> float:
        return self.share(np.array([bool(form.fullmatch(one.strip())) for one in self.levels]))


def profiles(frame: pd.DataFrame) -> list[Profile]:
    """Return the profile of each column."""
    return [_profile(frame.iloc[:, place], str(name)) for place, name in enumerate(frame.columns)]


def _profile(series: pd.Series, name: str) -> Profile:
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    levels: Any
    values = None
    if types.is_numeric_dtype(series.dtype) and not types.is_complex_dtype(series.dtype):
        values = series.to_numpy(np.float64, na_value=np.nan)
        codes, levels = pd.factorize(_exact(series))
    elif types.is_datetime64_any_dtype(series.dtype):
        codes, levels = pd.factorize(series)
        levels = np.asarray(levels, dtype="M8[ns]")
    else:
        cells: Any = series.to_numpy(dtype=object, na_value=np.nan)
        try:
            codes, levels = pd.factorize(cells)
        except TypeError:  # lists, arrays, dicts: equal where they are written alike
            cells = pd.Series([repr(one).encode() for one in cells], dtype=object)
            codes, levels = pd.factorize(cells)
        levels = np.asarray(levels, dtype=object)
    return Profile(name, codes.astype(np.int64), levels, values)


def _exact(series: pd.Series) -> np.ndarray:
    """Return numbers as they are told apart: whole ones are not cut to floats."""
    if series.dtype.kind in "iub" and isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    return series.to_numpy(np.float64, na_value=np.nan)
