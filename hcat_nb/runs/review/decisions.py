"""What a person decided about samples: a table with undo, kept in a file as it grows."""

from __future__ import annotations

import datetime
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.errors import StoreError
from hcat_nb.runs.review.decision import ACTIONS, Decision, Step
from hcat_nb.runs.review.decision_files import DecisionFile, read_table, write_table
from hcat_nb.runs.review.samples import Samples

if TYPE_CHECKING:
    from hcat_nb.runs.store.record import Record


class Decisions:
    """Decisions on samples, by their ids; a sample or class that there is not: UnknownNameError.

    Each call is about one sample or several, and one step, which :meth:`undo`
    takes back.  With a file, every step is written there, whole or not at
    all, before the call returns, and a later object with the same file goes
    on from there, undo included.

    ``file`` is JSON, read if it exists; one that cannot be read, or does not fit the samples, is a
    StoreError. ``listeners`` are called without arguments after each change.

    Examples
    --------
    >>> import tempfile, hcat_nb as hcat
    >>> run = hcat.characterize("wine", epochs=2, methods="el2n")
    >>> decisions = run.decisions()
    >>> decisions.mislabeled([3, 7], note="seen")
    >>> decisions.relabel(5, "class_2")
    >>> decisions.drop(9)
    >>> decisions.keep(11)
    >>> decisions.clear(7)
    >>> decisions.undo(), decisions.redo(), decisions.steps
    ([7], [7], (5, 0))
    >>> decisions.decide([20], "keep")
    >>> decisions.relabel_each([21, 22], [1, 2])
    >>> decisions.of(9).action, len(decisions.items()), int((decisions.codes() >= 0).sum())
    ('drop', 7, 7)
    >>> folder = Path(tempfile.mkdtemp())
    >>> decisions.keep_in(folder / "kept.json")
    >>> decisions.file.name
    'kept.json'
    >>> file = decisions.export(folder / "decisions.csv")
    >>> other = hcat.characterize("wine", epochs=2, methods="el2n").decisions()
    >>> other.add(file)
    >>> list(other.frame()["action"]) == list(decisions.frame()["action"])
    True
    """

    def __init__(self, samples: Samples, file: Path | None = None) -> None:
        self.samples = samples
        self.listeners: list[Callable[[], object]] = []
        self._lock = threading.RLock()
        self._steps: list[Step] = []
        self._done = 0
        self._now: dict[int, Decision] = {}
        self._journal: DecisionFile | None = None
        if file is not None:
            self.keep_in(file)

    @property
    def file(self) -> Path | None:
        """Where the decisions are kept; None: in memory only."""
        return None if self._journal is None else self._journal.path

    def keep_in(self, file: Path) -> None:
        """Keep the decisions in ``file`` from now on; those already in it count as made before.

        Raises
        ------
        StoreError
            If the file cannot be read or written, or does not fit the samples.
        """
        with self._lock:
            journal = DecisionFile(as_path(file, StoreError).absolute(), self.samples)
            steps, done = journal.read()
            mine = self._steps[: self._done]
            self._steps, self._done = ([*steps[:done], *mine] if mine else steps), done + len(mine)
            self._fold()
            if mine:
                journal.write(self._steps, self._done)
            self._journal = journal
        self._tell()

    def mislabeled(self, ids: Iterable[Hashable] | Hashable, *, note: str = "") -> None:
        """Say that the labels of these samples are wrong."""
        self.decide(self.samples.rows(ids), "mislabeled", note=note)

    def relabel(self, ids: Iterable[Hashable] | Hashable, label: Any, *, note: str = "") -> None:
        """Give these samples another label, one of the classes of the data."""
        self.decide(self.samples.rows(ids), "relabel", self.samples.code(label), note=note)

    def drop(self, ids: Iterable[Hashable] | Hashable, *, note: str = "") -> None:
        """Leave these samples out."""
        self.decide(self.samples.rows(ids), "drop", note=note)

    def keep(self, ids: Iterable[Hashable] | Hashable, *, note: str = "") -> None:
        """Say that these samples were looked at and are right as they are."""
        self.decide(self.samples.rows(ids), "keep", note=note)

    def clear(self, ids: Iterable[Hashable] | Hashable) -> None:
        """Take back whatever was decided about these samples."""
        rows = self.samples.rows(ids)
        self._add({int(row): None for row in rows if int(row) in self._now})

    def decide(self, rows: Iterable[int], action: str, code: int = -1, *, note: str = "") -> None:
        """Decide by positions instead of ids; ``code`` is the class of a new label."""
        decision = Decision(action, _now(), code, note)
        chosen = list(dict.fromkeys(int(row) for row in rows))
        for row in chosen:
            self.samples.check_change(row, code)
        self._add(dict.fromkeys(chosen, decision))

    def relabel_each(self, rows: Iterable[int], codes: Iterable[int]) -> None:
        """Give samples, by positions, a label each, by class codes, as one step."""
        now = _now()
        step = {int(row): int(code) for row, code in zip(rows, codes, strict=True)}
        for row, code in step.items():
            self.samples.check_change(row, code)
        self._add({row: Decision("relabel", now, code) for row, code in step.items()})

    def undo(self) -> list[int]:
        """Take the last step back; return the positions it was about, none if there is none."""
        return self._move(-1)

    def redo(self) -> list[int]:
        """Do again what was taken back last; return the positions it was about."""
        return self._move(1)

    def listen(self, method: Callable[[], object]) -> Callable[[], object]:
        """Call a method of an object after each change, as long as it lives; return what ends it.

        No example here: it needs an object that lives as long.
        A table lives as long as its run: an object that it held, and that
        holds the run, would keep both for ever.
        """
        held = weakref.WeakMethod(method)

        def tell() -> None:
            if (alive := held()) is not None:
                alive()

        self.listeners.append(tell)
        owner = cast(MethodType, method).__self__
        return weakref.finalize(owner, self.listeners.remove, tell)

    @property
    def steps(self) -> tuple[int, int]:
        """How many steps can be taken back, and how many done again."""
        return self._done, len(self._steps) - self._done

    def of(self, row: int) -> Decision | None:
        """Return what was decided about the sample at a position."""
        return self._now.get(row)

    def items(self) -> list[tuple[int, Decision]]:
        """Return positions and decisions, in the order of the samples."""
        with self._lock:
            return sorted(self._now.items(), key=lambda item: item[0])

    def codes(self) -> np.ndarray:
        """Return, for each sample, the position of its action in ``ACTIONS``, -1 for none; int8."""
        codes = np.full(len(self.samples.ids), -1, dtype=np.int8)
        for row, decision in self.items():
            codes[row] = ACTIONS.index(decision.action)
        return codes

    def frame(self) -> pd.DataFrame:
        """Return the decisions in the order of the samples.

        Returns
        -------
        pandas.DataFrame
            Index ``sample_id``; ``action``, ``label`` (the observed one),
            ``new_label`` (missing unless the action is ``"relabel"``),
            ``note`` and ``time``.
        """
        now = self.items()
        rows = np.array([row for row, _ in now], dtype=np.int64)
        categories = self.samples.labels.categories
        new = pd.Categorical.from_codes([one.code for _, one in now], categories=categories)
        return pd.DataFrame(
            {
                "action": pd.Categorical([one.action for _, one in now], categories=ACTIONS),
                "label": self.samples.labels[rows],
                "new_label": new,
                "note": pd.Series([one.note for _, one in now], dtype=object).to_numpy(),
                "time": pd.Series([one.time for _, one in now], dtype=object).to_numpy(),
            },
            index=self.samples.ids[rows],
        )

    def export(self, path: str | Path) -> Path:
        """Write :meth:`frame` as CSV or Parquet, as the suffix says, and return the path.

        Raises
        ------
        StoreError
            If the suffix is neither .csv nor .parquet, or the file cannot be written.
        """
        return write_table(self.frame(), as_path(path, StoreError))

    def add(self, table: pd.DataFrame | str | Path) -> None:
        """Take in decisions from a table or a file (.csv, .parquet), as one step.

        It has what :meth:`export` writes: ``sample_id`` as index or column, ``action``,
        ``new_label`` where it relabels; ``label``, ``note`` and ``time`` may be left out. A sample
        that occurs twice, or whose label is not the one decided on, is a DataError, a file that
        cannot be read a StoreError, a sample, class or action that there is not an
        UnknownNameError.
        """
        self._add(read_table(table, self.samples))

    def __len__(self) -> int:
        return len(self._now)

    def __repr__(self) -> str:
        actions = [decision.action for _, decision in self.items()]
        counts = [f"{n:,} {action}" for action in ACTIONS if (n := actions.count(action))]
        where = f"kept in {self.file}" if self.file else "kept in memory only"
        word = "decision" if len(actions) == 1 else "decisions"
        return f"<{len(actions):,} {word} ({', '.join(counts) or 'none yet'}); {where}>"

    def _add(self, step: Step) -> None:
        if not step:
            return
        with self._lock:
            steps = [*self._steps[: self._done], step]
            if self._journal is not None:
                self._journal.write(steps, len(steps))
            self._steps, self._done = steps, len(steps)
            _apply(self._now, step)
        self._tell()

    def _move(self, by: int) -> list[int]:
        with self._lock:
            done = self._done + by
            if not 0 <= done <= len(self._steps):
                return []
            if self._journal is not None:
                self._journal.write(self._steps, done)
            self._done = done
            self._fold()
            step = self._steps[done if by < 0 else done - 1]
        self._tell()
        return list(step)

    def _fold(self) -> None:
        self._now = {}
        for step in self._steps[: self._done]:
            _apply(self._now, step)

    def _tell(self) -> None:
        for listener in list(self.listeners):
            listener()


# One table a run, whoever asks; it goes with the run.
_tables: weakref.WeakKeyDictionary[Record, Decisions] = weakref.WeakKeyDictionary()


def decisions_of(run: Record, file: str | Path | None = None) -> Decisions:
    """Return the decisions on the samples of ``run``; see :meth:`Run.decisions`."""
    if run not in _tables:
        samples = Samples(run.details.index, run.details["label"].array)
        kept = _beside(run.folder) if file is None and run.folder is not None else None
        _tables[run] = Decisions(samples, kept)
    table = _tables[run]
    if file is not None and (path := as_path(file, StoreError).absolute()) != table.file:
        table.keep_in(path)
    return table


def keep_beside(run: Record) -> None:
    """Keep decisions that were in memory beside the folder that ``run`` was saved to."""
    table = _tables.get(run)
    if table is not None and table.file is None and run.folder is not None:
        table.keep_in(_beside(run.folder))


def _beside(folder: Path) -> Path:
    # Not in the folder: a run that replaces this one there would take them along.
    return folder.with_name(f"{folder.name}.decisions.json")


def _apply(now: dict[int, Decision], step: Step) -> None:
    for row, decision in step.items():
        if decision is None:
            now.pop(row, None)
        else:
            now[row] = decision


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
