"""Frames and columns of other libraries as pandas', by narwhals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

_OTHERS = (np.ndarray, Tensor, Dataset, DataLoader, list, tuple, dict, str, range, type(None))


def as_pandas(data: Any) -> Any:
    """Return a frame or a column of another library as pandas' own, all else as it is.

    ``data``: of polars, pyarrow, duckdb, ...: eager, or lazy and then collected here. An index that
    a pyarrow table remembers is kept.

    >>> import pyarrow
    >>> as_pandas(pyarrow.table({"size": [3, None]}))["size"].tolist()
    [3, <NA>]
    """
    if isinstance(data, (*_OTHERS, pd.DataFrame, pd.Series, pd.Index)):
        return data
    import narwhals as nw

    frame = nw.from_native(data, pass_through=True, allow_series=True)
    if isinstance(frame, nw.Series):
        return as_pandas(frame.to_frame().to_native()).iloc[:, 0]
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        return data
    if frame.implementation.is_pandas_like():
        return frame.to_pandas()
    table = frame.to_arrow()
    if b"pandas" not in (table.schema.metadata or {}):
        # Their categories stand in the order in which values came: an order that nobody chose.
        chance = [name for name, kind in frame.schema.items() if kind == nw.Categorical]
        table = frame.with_columns(nw.col(*chance).cast(nw.String)).to_arrow() if chance else table
    made = table.to_pandas()
    for name, kind in frame.schema.items():
        if kind.is_integer() and made[name].dtype.kind == "f":  # else a missing one makes 7 a 7.0
            values = table[name].to_pandas(types_mapper=lambda _: pd.Int64Dtype())
            made[name] = values.set_axis(made.index)
    return made


def type_name(data: Any) -> str:
    """Return what a message calls the type of data, the library too where it is not plain.

    >>> import pandas
    >>> type_name([]), type_name(pandas.DataFrame())
    ('list', 'pandas.DataFrame')
    """
    kind = type(data)
    library = kind.__module__.partition(".")[0]
    plain = library in ("builtins", "numpy", "torch", "__main__")
    return kind.__name__ if plain else f"{library}.{kind.__name__}"
