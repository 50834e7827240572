"""What a run is on the ranks that do not lead: they score, show and write nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import SpecError
from hcat_nb.runs._journal import Journal
from hcat_nb.runs.run import Run

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.ranks import Ranks

__all__ = ["FollowerJournal", "FollowerRun", "check_spec", "from_leader"]


class FollowerRun(Run):
    """The leading rank's run, on another one: the same tables, which it does not save."""

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write nothing: the leading rank does; return the folder."""
        from hcat_nb.runs.store import folder_path

        return folder_path(folder)


class FollowerJournal(Journal):
    """Reads checkpoints, and leaves it to the leading rank to write them."""

    def write(self, *_arguments: Any, **_more: Any) -> None:
        """Write nothing."""

    def keep_seed(self, seed: int, run: Run) -> None:
        """Write nothing."""

    def begin(self) -> None:
        """Write nothing."""

    def discard(self) -> None:
        """Take nothing away."""

    def save(self, run: Run, *, resumable: bool) -> None:
        """Write nothing."""


def check_spec(spec: RunSpec, ranks: Ranks) -> None:
    """Refuse what several processes cannot do together.

    Raises
    ------
    SpecError
    """
    if spec.keep_dynamics == "logits":
        raise SpecError(
            f"keep_dynamics is 'logits' for {ranks.size} processes, of which each sees a part",
            "'none' or 'probs'",
            "keep the logits of a run in one process",
        )


def from_leader(ranks: Ranks, run: Run | None, dataset: LabelledDataset) -> Run:
    """Return the run that rank 0 hands over, on all ranks at the same time.

    Parameters
    ----------
    ranks : Ranks
    run : Run or None
        None but on rank 0.
    dataset : LabelledDataset
        The same on all ranks.
    """
    if ranks.leads:
        assert run is not None
        ranks.from_leader(dataclasses.replace(run, dataset=None, logits=None))
        return run
    told = ranks.from_leader(run)
    assert told is not None
    fields = {item.name: getattr(told, item.name) for item in dataclasses.fields(told)}
    return FollowerRun(**{**fields, "dataset": dataset})
