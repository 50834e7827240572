"""Recorded dynamics in frames: rows by their index, columns by the names of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from hcat_nb.errors import DataError

_LISTED = 12


class Aligned(NamedTuple):
    """What was in frames, as arrays in the order of ids and classes.

    ``arrays`` are as given where there was no frame, else a list of one array an epoch; ``named``:
    names of columns settle the order of the classes.
    """

    arrays: Any
    ids: Any
    classes: Sequence[Any] | None
    named: bool


def align(given: Any, labels: Any, ids: Any, classes: Sequence[Any] | None, name: str) -> Aligned:
    """Return recorded frames, or Series of the label's probability, as arrays.

    ``given``, which messages call ``name``: one an epoch, or only one; of any library.
    """
    from hcat_nb.data.reading.any_frame import as_pandas
    from hcat_nb.data.reading.ids import is_plain

    items = list(given) if isinstance(given, (list, tuple)) else [given]
    tables = [as_pandas(one) for one in items]
    kinds = {type(one) for one in tables}
    if not kinds & {pd.DataFrame, pd.Series}:
        return Aligned(given, ids, classes, named=False)
    if len(kinds) > 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(f"{name} hold {found}", "epochs of one kind: DataFrames, Series or arrays")
    named = labels.index if isinstance(labels, pd.Series) else None
    index = pd.Index(ids) if ids is not None else tables[0].index if named is None else named
    for epoch, (table, item) in enumerate(zip(tables, items, strict=True), start=1):
        if table is not item and is_plain(table.index) and len(table) == len(index):
            table = tables[epoch - 1] = table.set_axis(index)  # of a library without an index
        _check_rows(table.index, index, epoch, name, ids is None and named is None)
    if kinds == {pd.DataFrame}:
        order, columns = _order(tables, labels, classes, name)
        tables = [table[of] for table, of in zip(tables, columns, strict=True)]
        classes = order
    if index.is_unique:  # else all are in this order
        tables = [table.reindex(index) for table in tables]
    return Aligned([one.to_numpy() for one in tables], index, classes, kinds == {pd.DataFrame})


def _check_rows(rows: pd.Index, ids: pd.Index, epoch: int, name: str, positional: bool) -> None:
    """Refuse rows that are not those of ``ids``; fewer are epochs that lack a sample."""
    from hcat_nb.data.reading.ids import is_plain

    if rows.equals(ids):
        return
    if positional:
        raise DataError(
            f"{name} of epoch 1 and {epoch} have their rows in different orders, and the labels "
            "have no index to tell which is theirs",
            "labels that name their samples",
            "labels=pandas.Series(labels, index=...), with the ids of their samples",
        )
    if not (rows.is_unique and ids.is_unique):
        raise DataError(
            f"ids repeat, and {name} of epoch {epoch} have them in another order",
            "ids that name one sample each",
        )
    if len(strangers := rows.difference(ids, sort=False)):
        alike = len(rows) == len(ids) and is_plain(rows)
        raise DataError(
            f"{name} of epoch {epoch} hold {len(strangers)} ids that have no label, such as "
            f"{strangers.tolist()[0]!r}",
            "the ids of the labels as the index",
            "frame.set_axis(labels.index), if row i of both is the same sample" if alike else None,
        )


def _order(
    tables: Sequence[pd.DataFrame], labels: Any, classes: Sequence[Any] | None, name: str
) -> tuple[Sequence[Any], list[list[Any]]]:
    """Return the class values in their order, and the columns of each frame in it."""
    from hcat_nb.data.class_order import by_names
    from hcat_nb.data.reading.label_kinds import kind_of
    from hcat_nb.data.reading.labels import code_labels

    if labels is None:
        raise DataError("no labels were given", "the label of each sample", "labels=y")
    known = list(code_labels(labels).class_values if classes is None else classes)
    wanted = list(map(str, known))
    kinds = {kind_of(type(value)) for value in known}
    first = [str(column) for column in tables[0].columns]
    if classes is None and kinds == {"number"}:  # a number more is a class that no sample has
        more = [column for column in first if column not in wanted and column.lstrip("-").isdigit()]
        known = sorted([*known, *by_names(known, more)]) if more else known
        wanted = list(map(str, known))
    for epoch, table in enumerate(tables, start=1):
        found = [str(column) for column in table.columns]
        stray = [column for column in found if column not in wanted]
        absent = [column for column in wanted if column not in found]
        if stray or absent or len(found) > len(wanted):
            wrong = f"the column {stray[0]!r}" if stray else f"no column {absent[0]!r}"
            wrong = wrong if stray or absent else "a column twice"
            raise DataError(
                f"{name} of epoch {epoch} have {wrong}; their columns are "
                + ", ".join(map(repr, found[:_LISTED])),
                "a column for each class, with its name: " + ", ".join(map(repr, wanted[:_LISTED])),
                "frame.set_axis([...], axis=1) with the class of each column; classes=[...] if "
                "there are classes that no sample has",
            )
    places = [{str(column): column for column in table.columns} for table in tables]
    return known, [[place[value] for value in wanted] for place in places]
