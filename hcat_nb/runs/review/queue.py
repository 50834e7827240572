"""Which samples a person reviews first, with a proposed label and a reason for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.errors import DataError
from hcat_nb.runs.first_look import rankings, score_of
from hcat_nb.runs.review.hardest import ranking
from hcat_nb.runs.review.samples import Samples, quoted

if TYPE_CHECKING:
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record

FIRST = 50  # samples that are suggested where no label is proposed
QUEUE = "queue"  # the order of a queue that was handed in


@dataclass(frozen=True, eq=False)
class ReviewQueue:
    """Samples in the order of their review, and what is proposed for any sample."""

    rows: np.ndarray  # positions of the first batch, in order: int64 of shape (k,)
    codes: np.ndarray  # classes of proposed labels, -1 for none: int64 of shape (n,)
    probabilities: np.ndarray  # of the proposed labels, NaN where unknown: float32 of shape (n,)
    words: str  # what the batch is called
    evidence: Mapping[int, str] = field(default_factory=dict)  # a sentence, by position
    given: bool = False  # handed in, so that its order is its own

    def done(self, decisions: Decisions) -> int:
        """Return how many samples of the batch are decided on."""
        return sum(decisions.of(row) is not None for row in self.rows.tolist())

    def progress(self, decisions: Decisions) -> str:
        """Return how much of the batch is reviewed, in words."""
        return f"{self.done(decisions):,} of {len(self.rows):,} {self.words} reviewed"

    def outcome(self, decisions: Decisions) -> str:
        """Return what was decided so far, in words; accepted: relabelled as proposed."""
        counts = {"accepted": 0, "kept": 0, "relabelled": 0, "dropped": 0, "wrong": 0}
        said = {"keep": "kept", "drop": "dropped", "mislabeled": "wrong"}
        for row, one in decisions.items():
            accepted = one.code >= 0 and one.code == self.codes[row]
            counts[said.get(one.action, "accepted" if accepted else "relabelled")] += 1
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def queue_of(run: Record, given: Any = None) -> ReviewQueue:
    """Return what to review first.

    ``given`` is a queue in its own order: ``sample_id`` (column or index), and where known
    ``proposal`` (a class, or missing), ``probability`` and ``evidence`` (a sentence).  Default: the
    samples of :meth:`Run.hardest` whose label the run doubts; without such, the first 50.
    """
    label = run.details["label"].cat.codes.to_numpy()
    if given is not None:
        return _given(run, given, label)
    codes = np.full(len(label), -1, dtype=np.int64)
    chances = np.full(len(label), np.nan, dtype=np.float32)
    if "suggested" in run.details:  # an earlier version proposed nothing
        codes = run.details["suggested"].cat.codes.to_numpy().astype(np.int64)
        codes[codes == label] = -1
        chances = run.details["suggested_probability"].to_numpy()
    by = rankings(run)[0]
    order = ranking(run, by)
    rows = order[codes[order] >= 0]
    words = "suspects"
    if len(rows) == 0:
        scored = np.isfinite(score_of(run, by).to_numpy())
        rows = order[scored[order]][:FIRST]
        words = "hardest"
    return ReviewQueue(rows, codes, chances, words)


def _given(
    run: Record, given: pd.DataFrame | Iterable[Mapping[str, Any]], label: np.ndarray
) -> ReviewQueue:
    frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(list(given))
    if "sample_id" not in frame and frame.index.name == "sample_id":
        frame = frame.reset_index()
    if "sample_id" not in frame or frame.empty:
        raise DataError("the queue names no samples", "a column sample_id")
    samples = Samples(run.details.index, run.details["label"].array)
    rows = samples.rows(frame["sample_id"])
    if len(set(rows.tolist())) < len(rows):
        twice = frame["sample_id"][frame["sample_id"].duplicated()].iloc[0]
        raise DataError(f"sample {quoted(twice)} stands twice in the queue", "each sample once")
    codes = np.full(len(label), -1, dtype=np.int64)
    chances = np.full(len(label), np.nan, dtype=np.float32)
    if "proposal" in frame:
        codes[rows] = [samples.code(one) for one in frame["proposal"]]
        codes[codes == label] = -1
    if "probability" in frame:
        chances[rows] = frame["probability"].to_numpy(dtype=np.float32)
    said = frame["evidence"].fillna("") if "evidence" in frame else [""] * len(rows)
    evidence = {row: str(one) for row, one in zip(rows.tolist(), said, strict=True) if one}
    return ReviewQueue(rows, codes, chances, "suspects", evidence, given=True)
