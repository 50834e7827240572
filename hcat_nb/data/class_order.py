"""In which order classes stand: by their names where there are any, else by what columns hit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, ModelError

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

ROWS_A_CLASS = 5  # with fewer, the best of all orders hits much by chance

_LEAST = 0.6  # accuracy under another order
_LISTED = 12
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def ranks(values: Sequence[Any]) -> list[Any]:
    """Return what class values are sorted by: texts that are all numbers, as "10", as these.

    >>> sorted(["10", "9"]), ranks(["10", "9"])
    (['10', '9'], [(10.0, '10'), (9.0, '9')])
    """
    if len(values) and all(isinstance(one, str) and are_numbers([one]) for one in values):
        return [(float(one), one) for one in values]
    return list(values)


def are_numbers(texts: Sequence[str]) -> bool:
    """Whether all texts are plain numbers."""
    return all(_NUMBER.fullmatch(one.strip()) for one in texts)


def by_names(values: Sequence[Any], names: Sequence[str]) -> tuple[Any, ...]:
    """Return the class that each name says, as text; another name is a class without samples.

    >>> by_names((0, 10), ["10", "5", "0"])
    (10, 5, 0)
    """
    own = {str(value): value for value in values}
    kind = type(values[0])
    for name in names:
        fits = kind is str or (kind is float and are_numbers([name]))
        if not (name in own or fits or (kind is int and name.lstrip("-").isdecimal())):
            raise DataError(
                f"a class is called {name!r} beside " + ", ".join(map(repr, values[:_LISTED])),
                "names of one kind",
            )
    return tuple(own[name] if name in own else kind(name) for name in names)


def fit_classes(dataset: LabelledDataset, width: int) -> LabelledDataset:
    """Return the dataset with one class for each of the model's ``width`` outputs.

    A model may know classes that no row has: where the class values are integers in ``[0, width)``,
    each value is its own output.
    """
    values = dataset.class_values
    if width == dataset.n_classes:
        return dataset
    codes = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    if not (codes and width > dataset.n_classes and min(values) >= 0 and max(values) < width):
        raise ModelError(
            f"the model has {width} outputs for {dataset.n_classes} classes "
            f"(the largest label is {max(values, key=str) if not codes else max(values)!r})",
            f"{dataset.n_classes} outputs",
        )
    empty = sorted(set(range(width)) - set(values))
    note = "no sample of class " + ", ".join(map(str, empty))
    return dataset.with_classes(range(width)).replace(notes=(*dataset.notes, note))


def in_recorded_order(dataset: LabelledDataset, values: Sequence[Any]) -> LabelledDataset:
    """Return the dataset with its classes in the order that a run recorded, if they are its."""
    own = dataset.class_values
    same = len(own) == len(values) and own != tuple(values) and set(own) == set(values)
    return dataset.with_classes(values) if same else dataset


def check_order(
    predicted: np.ndarray, labels: np.ndarray, classes: Sequence[Any], what: str, remedy: str
) -> None:
    """Raise DataError if columns hit the labels far better in another order.

    That is, if accuracy as given is below half of that under the best permutation, or shift, of the
    columns, and that is at least .6. Label noise does not do that, unless most labels were changed
    in one direction.

    ``predicted``, ``labels`` (m,) int: column of the largest value, and the label's code, of each
    row; ``what``, ``remedy``: what the columns are of, and how to say their order.
    """
    k = len(classes)
    hits = np.zeros((k, k), dtype=np.int64)  # label, column
    np.add.at(hits, (labels, predicted), 1)
    given, order = int(np.trace(hits)), best_order(hits, len(labels) >= ROWS_A_CLASS * k)
    best, m = int(hits[np.arange(k), order].sum()), max(1, len(labels))
    # Whoever predicts one class only knows nothing of an order.
    frequent = float(hits.sum(axis=1).max(initial=0)) / m
    enough = max(_LEAST, frequent + (1 - frequent) / 4)
    if 2 * given >= best or best < enough * m:
        return
    place = np.argsort(order)  # the class of each column
    shown = [repr(classes[one]) for one in place[:_LISTED]]
    raise DataError(
        f"{what} hit {given / m:.0%} of the labels as they stand, and {best / m:.0%} if they are "
        f"of the classes {', '.join(shown)}{', ...' if k > _LISTED else ''}, in this order",
        "columns in the order of the classes: " + ", ".join(map(repr, classes[:_LISTED])),
        remedy,
    )


def best_order(hits: np.ndarray, any_order: bool) -> np.ndarray:
    """Return the column of each class that hits most: of all orders, or of shifts."""
    from scipy.optimize import linear_sum_assignment

    k = len(hits)
    if any_order:
        found: np.ndarray = linear_sum_assignment(hits, maximize=True)[1]
        return found
    shifts = [(np.arange(k) + by) % k for by in range(k)]
    return max(shifts, key=lambda order: hits[np.arange(k), order].sum())
