"""Carries out what a person decides in the queue, and says what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError
from hcat_nb.jupyter.review.gallery_page import sample_words

if TYPE_CHECKING:
    from hcat_nb.jupyter.review.exploration import Exploration
    from hcat_nb.runs.review.decisions import Decisions

# What a wrong label becomes is chosen when decisions are applied.
_WRONG = "left without a label when applied; run.apply(mislabeled=) drops or keeps it"
_MOVED = {"undo": "taken back", "redo": "done again"}


class Reviewer:
    """Decides on samples of an exploration; ``off`` says why there is no table of decisions."""

    def __init__(
        self, exploration: Exploration, table: Decisions | None, off: str, classes: list[str]
    ) -> None:
        self.table = table
        self.off = off
        self._exploration = exploration
        self._classes = classes

    @property
    def decisions(self) -> Decisions:
        """The decisions; DataError where ids repeat, so that none could name a sample."""
        if self.table is None:
            raise DataError(self.off)
        return self.table

    def act(self, kind: str, content: dict[str, Any]) -> tuple[str, bool]:
        """Do what is asked for, and return what was done, and whether that is nothing.

        ``kind`` is "act", "accept_shown", "undo", "redo", "export" or "import".
        """
        decisions = self.decisions
        if kind == "accept_shown":
            return self._accept(self._exploration.rows)
        if kind == "export":
            return f"exported to {decisions.export(content['path'])}", False
        if kind == "import":
            decisions.add(content["path"])
            return f"taken in from {content['path']}", False
        if kind in _MOVED:
            rows = decisions.undo() if kind == "undo" else decisions.redo()
            if not rows:
                return f"nothing to {kind}", True
            return f"{sample_words(len(rows))} {_MOVED[kind]}", False
        rows, action = [int(row) for row in content["rows"]], content["action"]
        if action == "accept":
            return self._accept(np.array(rows))
        if action == "clear":
            decisions.clear(self._exploration.ids[rows])
        else:
            decisions.decide(rows, action, int(content["code"]))
        new = f" → {self._classes[int(content['code'])]}" if action == "relabel" else ""
        left = f": {_WRONG}" if action == "mislabeled" else ""
        return f"{sample_words(len(rows))}: {action}{new}{left}", False

    def _accept(self, rows: np.ndarray) -> tuple[str, bool]:
        """Give each of these samples its proposed label; those without one are counted."""
        codes = self._exploration.queue.codes[rows]
        can = codes >= 0
        if can.any():
            self.decisions.relabel_each(rows[can], codes[can])
        words = f"{sample_words(int(can.sum()))} relabelled as proposed"
        if skipped := int((~can).sum()):
            words += f", {skipped:,} skipped: no label is proposed"
        return words, not can.any()
