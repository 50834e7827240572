"""What a run is on the ranks that do not lead: they score, show and write nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import SpecError
from hcat_nb.runs.store.journal import Journal

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.store.record import Record
    from hcat_nb.spec import RunSpec
    from hcat_nb.training.ranks import Ranks


class FollowerJournal(Journal):
    """Reads checkpoints, and leaves it to the leading rank to write them."""

    def _nothing(self, *_arguments: Any, **_more: Any) -> None:
        """Write nothing, and take nothing away."""

    write = keep_seed = begin = discard = save = _nothing


def check_spec(spec: RunSpec, ranks: Ranks) -> None:
    """Refuse what several processes cannot do together."""
    if spec.keep_dynamics == "logits":
        raise SpecError(
            f"keep_dynamics is 'logits' for {ranks.size} processes, of which each sees a part",
            "'none' or 'probs'",
            "keep the logits of a run in one process",
        )


def broadcast(ranks: Ranks, run: Record | None, dataset: LabelledDataset | None) -> Record:
    """Return the run that rank 0 hands over, on all ranks at the same time."""
    if ranks.leads:
        assert run is not None
        ranks.broadcast(dataclasses.replace(run, dataset=None, logits=None))
        return run
    theirs = ranks.broadcast(run)
    assert theirs is not None
    return dataclasses.replace(theirs, dataset=dataset, follows=True)
