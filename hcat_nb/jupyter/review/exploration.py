"""What the explorer shows: filters, an order, a selection of samples, and pages.

No widgets: a panel calls these methods, and so can a test.  A selection is a
set of samples, not a region: other axes, another colour, another order or
another filter leave it as it is.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.charts.coloring import SCHEMES, Coloring, unused
from hcat_nb.charts.theme import CLASSES, NONE, TRUTH
from hcat_nb.checks.raw import feature_frame
from hcat_nb.errors import UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.runs.first_look import rankings, score_of
from hcat_nb.runs.review.decision import ACTIONS
from hcat_nb.runs.review.hardest import ranking
from hcat_nb.runs.review.queue import QUEUE, queue_of

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.review.queue import ReviewQueue
    from hcat_nb.runs.store.record import Record

PAGE = 100  # samples a page holds at most
DECISION = "decision"  # a filter and a colour
FILTERS = ("label", "group", "truth", "decision")
_COORDINATES = ("variability", "aleatoric", "confidence", "correctness")
# Schemes of groups, each named with its groups: "label: doubted", "Data-IQ: hard".
_GROUP_COLUMNS = {"label": "group", "Data-IQ": "dataiq_group", "Data Maps": "datamaps_group"}
_ASKED = re.compile(r"(.+?)\s*(!=|=|<|>)\s*(.+)")  # column, how it is compared, value
_COMPARED = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_NO_LABEL = "(no label)"
_DECIDED = ("undecided", "decided", *ACTIONS)


class Exploration:
    """The samples of a run, filtered, selected, ordered, in pages.

    ``decided`` returns codes into ``ACTIONS``, -1 for none, int8 of shape (n,). The ``queue`` is
    what :meth:`review` selects; one that was handed in is an order, too.
    """

    def __init__(
        self,
        run: Record,
        decided: Callable[[], np.ndarray] | None = None,
        queue: ReviewQueue | None = None,
    ) -> None:
        self.ids: pd.Index = run.details.index
        self.methods = run.methods
        self.queue = queue_of(run) if queue is None else queue
        self.orders = [*([QUEUE] if self.queue.given else []), *rankings(run)]
        self.reviewing = False
        self.by = self.orders[0]
        self.page = 0
        self._run = run
        self._decided = decided
        self._filters: dict[str, str] = {}
        self._selected: np.ndarray | None = None
        self._orders: dict[str, np.ndarray] = {}
        self._masks: dict[tuple[str, str], np.ndarray] = {}
        self._rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    # -- axes -------------------------------------------------------------

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of what can be an axis: the data map's, then every method."""
        details = self._run.details
        known = [one for one in _COORDINATES if one in details and details[one].notna().any()]
        return (*known, *(name for name in self.methods if name not in known))

    def coordinates(self, axis: str) -> np.ndarray:
        """Return where the samples stand on an axis, float32, NaN where they have no place."""
        if axis not in self.axes:
            raise UnknownNameError(f"there is no axis {axis!r}", nearest(axis, self.axes))
        source = self._run.details if axis in _COORDINATES else self._run.scores
        values: np.ndarray = source[axis].to_numpy(dtype=np.float32)
        return values

    # -- filters ----------------------------------------------------------

    def choices(self, name: str) -> list[str]:
        """Return the values that a filter can have; empty where it makes no sense."""
        details = self._run.details
        if name == "label":
            label = details["label"]
            known = [str(value) for value in label.cat.categories]
            return [*known, unused(_NO_LABEL, known)] if label.isna().any() else known
        if name == "group":
            there = {way: column for way, column in _GROUP_COLUMNS.items() if column in details}
            return [
                f"{way}: {group}" for way, column in there.items() for group in SCHEMES[column][1]
            ]
        if name == "truth":
            return list(TRUTH) if self._run.truth["is_hard"].any() else []
        if name == "decision":
            return [] if self._decided is None else list(_DECIDED)
        raise UnknownNameError(f"there is no filter {name!r}", nearest(name, FILTERS))

    def filter(self, name: str, value: str | None) -> None:
        """Show only samples of a class, a group, a truth or a decision; None: all."""
        choices = self.choices(name)
        if value is None:
            self._filters.pop(name, None)
        elif value in choices:
            self._filters[name] = value
        else:
            shown = nearest(value, choices[:20]) if choices else "nothing: it has no values here"
            raise UnknownNameError(f"the filter {name} cannot be {value!r}", shown)
        self._begin()

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are on."""
        return dict(self._filters)

    def passing(self) -> np.ndarray:
        """Return which samples the filters let through, bool of shape (n,)."""
        passing = np.ones(len(self), dtype=bool)
        for name, value in self._filters.items():
            passing &= self._mask(name, value)
        return passing

    # -- selection --------------------------------------------------------

    def brush(self, x: str, y: str, bounds: tuple[float, float, float, float] | None) -> int:
        """Select the samples in a rectangle, drawn or not, that filters let through; count them.

        ``bounds`` are ``(x_low, x_high, y_low, y_high)``, edges included; None selects nothing,
        which shows all.
        """
        if bounds is None:
            self.choose(None)
            return 0
        x_low, x_high, y_low, y_high = bounds
        across, up = self.coordinates(x), self.coordinates(y)
        inside = (across >= x_low) & (across <= x_high) & (up >= y_low) & (up <= y_high)
        rows = np.flatnonzero(inside & self.passing())
        self.choose(rows)
        return len(rows)

    def select(self, ids: Iterable[Hashable] | None) -> None:
        """Select the samples of these ids; every one of an id that repeats. None: nothing."""
        self.choose(None if ids is None else self.rows_of(ids))

    def rows_of(self, ids: Iterable[Hashable]) -> np.ndarray:
        """Return the positions of these ids, ascending."""
        from hcat_nb.runs.review.samples import rows_with

        return rows_with(self.ids, ids)

    def review(self) -> None:
        """Select the first batch of the queue."""
        self.choose(self.queue.rows)
        self.reviewing = True

    def find(self, words: str, cells: Callable[[], Iterable[str]]) -> None:
        """Select the samples whose id, or else whose text or row, holds these words.

        Case does not matter, and no words select nothing.  ``cells`` returns what
        each sample says; it is called where no id holds the words.  ``column = value``,
        ``!=``, ``<`` and ``>`` select by a column of the data, the scores or the details.
        """
        part, rows = words.strip().lower(), None
        asked = _ASKED.fullmatch(words.strip())
        if asked and (column := self._column(asked[1])) is not None:
            self.choose(np.flatnonzero(_COMPARED[asked[2]](*_comparable(column, asked[3]))))
            return
        for said in (lambda: map(str, self.ids), cells) if part else ():
            rows = np.flatnonzero([part in one.lower() for one in said()])
            if len(rows):
                break
        self.choose(rows)

    def _column(self, name: str) -> pd.Series | None:
        """Return a column of the data as they were given, the scores or the details, if any."""
        dataset = self._run.dataset
        own = None if dataset is None or dataset.modality == "image" else feature_frame(dataset)
        for table in (own, self._run.scores, self._run.details):
            if table is not None and name in table:
                return table[name]
        return None

    def choose(self, rows: np.ndarray | None) -> None:
        """Select by positions; None: nothing is selected, and all are shown."""
        self.reviewing = False
        self._selected = None if rows is None else np.asarray(rows, dtype=np.int64)
        self._begin()

    @property
    def chosen(self) -> np.ndarray | None:
        """Positions of the selection; None if there is none."""
        return self._selected

    @property
    def selected(self) -> pd.Index | None:
        """Ids of the selection, in the order of the dataset; None if there is none."""
        return None if self._selected is None else self.ids[np.sort(self._selected)]

    # -- order and pages --------------------------------------------------

    def sort(self, by: str) -> None:
        """Order by one of ``orders``, hardest first."""
        if by != QUEUE or by not in self.orders:
            score_of(self._run, by)  # if there is such an order
        self.by = by
        self._begin()

    @property
    def rows(self) -> np.ndarray:
        """Positions of the samples shown, hardest first, int64."""
        if self._rows is None:
            shown = self.passing()
            if self._selected is not None:
                chosen = np.zeros(len(self), dtype=bool)
                chosen[self._selected] = True
                shown &= chosen
            order = self._order(self.by)
            self._rows = order[shown[order]]
        return self._rows

    @property
    def pages(self) -> int:
        """How many pages the samples shown make, at least 1."""
        return max(1, -(-len(self.rows) // PAGE))

    def turn(self, page: int) -> bool:
        """Go to a page, or to the nearest one that exists; return whether it is another one."""
        before, self.page = self.page, min(max(page, 0), self.pages - 1)
        return self.page != before

    def on_page(self) -> np.ndarray:
        """Return the positions of the samples on the page, hardest first."""
        return self.rows[self.page * PAGE : (self.page + 1) * PAGE]

    def rank(self, row: int) -> int:
        """Return a sample's place in the order, from 1."""
        return int(np.flatnonzero(self._order(self.by) == row)[0]) + 1

    def share_easier(self, row: int, by: str) -> float | None:
        """Return the share of scored samples that are easier than this one, in [0, 1).

        None if it has no score.
        """
        scores = score_of(self._run, by).to_numpy()
        if not np.isfinite(scores[row]):
            return None
        return float(np.count_nonzero(scores < scores[row]) / np.isfinite(scores).sum())

    def found(self) -> str:
        """Return how many of what was made hard the looks so far have found, in words."""
        hard = self._run.truth["is_hard"].to_numpy(dtype=bool)
        looked = np.zeros_like(hard) if self._decided is None else self._decided() >= 0
        if not hard.any() or not looked.any():
            return ""
        return f"found {(looked & hard).sum():,} of {hard.sum():,} with {looked.sum():,} looks"

    def coloring(self, color: str, x: str) -> Coloring:
        """Return colours by what was decided, or see :func:`run_coloring`."""
        from hcat_nb.jupyter.run_scene import run_coloring

        if color != DECISION:
            return run_coloring(self._run, color, x)
        codes = np.full(len(self), -1) if self._decided is None else self._decided()
        palette = (NONE, *CLASSES[: len(ACTIONS)])
        return Coloring(DECISION, codes.astype(np.int64) + 1, ("undecided", *ACTIONS), palette)

    def decisions_changed(self) -> None:
        """Take in that decisions changed, which moves samples where they are filtered by."""
        if "decision" in self._filters:
            self._rows = None
            self.turn(self.page)

    def _begin(self) -> None:
        self._rows = None
        self.page = 0

    def _order(self, by: str) -> np.ndarray:
        if by not in self._orders:
            if by == QUEUE:  # what it does not name comes after it
                rest = ranking(self._run, rankings(self._run)[0])
                rest = rest[~np.isin(rest, self.queue.rows)]
                self._orders[by] = np.concatenate([self.queue.rows, rest])
            else:
                self._orders[by] = ranking(self._run, by)
        return self._orders[by]

    def _mask(self, name: str, value: str) -> np.ndarray:
        if name == "decision" and self._decided is not None:  # the only one that changes
            codes = self._decided()
            if value in ACTIONS:
                return _equal(codes, ACTIONS.index(value))
            return _equal(codes >= 0, value == "decided")
        if (name, value) not in self._masks:
            self._masks[name, value] = self._make_mask(name, value)
        return self._masks[name, value]

    def _make_mask(self, name: str, value: str) -> np.ndarray:
        details = self._run.details
        if name == "label":
            codes = details["label"].cat.codes.to_numpy()
            code = self.choices("label").index(value)
            missing = code == len(details["label"].cat.categories)
            return _equal(codes, -1 if missing else code)
        if name == "group":
            way, group = value.split(": ")
            return _equal(details[_GROUP_COLUMNS[way]].to_numpy(dtype=object), group)
        is_hard = self._run.truth["is_hard"].to_numpy(dtype=bool)
        return _equal(is_hard, value == list(TRUTH)[1])


def _comparable(column: pd.Series, value: str) -> tuple[np.ndarray, float | str]:
    """Return a column and a value as numbers where both are; else as words without case."""
    if column.dtype.kind in "fiu":
        with suppress(ValueError):
            return column.to_numpy(dtype=np.float64), float(value)
    return column.astype(str).str.lower().to_numpy(dtype=object), value.lower()


def _equal(values: np.ndarray, value: object) -> np.ndarray:
    mask: np.ndarray = values == value
    return mask
