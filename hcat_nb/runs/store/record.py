"""The record of a run: what was asked for, and the plain tables of what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.observation.stored_logits import StoredLogits


@dataclass(eq=False, repr=False)
class Record:
    """What a run measured, and nothing that works on it.

    Its attributes are those of :class:`hcat_nb.Run`.  ``follows``: another
    process of ``torchrun`` has the same record, and saves it.
    """

    spec: RunSpec
    scores: pd.DataFrame
    details: pd.DataFrame
    truth: pd.DataFrame
    flags: pd.DataFrame
    history: pd.DataFrame
    timings: dict[str, float]
    info: dict[str, Any]
    dynamics: pd.DataFrame | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)
    dataset: LabelledDataset | None = None
    logits: StoredLogits | None = None
    held_out: pd.DataFrame | None = None
    seed_scores: pd.DataFrame | None = None
    folder: Path | None = None
    follows: bool = False

    @property
    def methods(self) -> list[str]:
        """Names of the methods that scored."""
        return list(self.info["methods"])

    @property
    def learning_check(self) -> str:
        """Whether the network learned, in a sentence; empty where there is nothing to say."""
        check = self.info.get("check")
        return "" if check is None else str(check["sentence"])

    def without_data(self) -> Self:
        """Return the run without dataset, model and logits: tables only, the same evaluation."""
        return replace(self, dataset=None, weights={}, logits=None)

    def by_seed(self) -> list[pd.DataFrame]:
        """Return the scores of each seed, a column a method; one frame where there is one seed."""
        if self.seed_scores is None:
            return [self.scores[self.methods]]
        table = self.seed_scores
        return [
            table[[f"{name}_seed_{number}" for name in self.methods]].set_axis(
                self.methods, axis="columns"
            )
            for number in range(len(self.info["model_seeds"]))
        ]
