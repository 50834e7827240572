"""Trains again as a run was trained, on the data as decisions make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hcat_nb.errors import SpecError
from hcat_nb.runs.execution.carry_out import carry_out
from hcat_nb.runs.execution.inputs import Inputs, check_audience, make_spec
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.review.applying import apply_to

if TYPE_CHECKING:
    from hcat_nb.models._building import ModelLike
    from hcat_nb.runs.store.record import Record
    from hcat_nb.training.events import Control, Listener

# What was done to the data when they were loaded, and is not done again.
_LOADED: dict[str, Any] = {
    "dataset_options": {},
    "target": None,
    "truth": None,
    "groups": None,
    "weights": None,
    "subset": None,
    "on_missing_label": "keep",
    "on_bad_row": "keep",
    "join_spellings": False,
    "exclude": (),
    "hardness": None,
    "hardness_options": {},
}


def retrain(
    run: Record,
    listeners: Sequence[Listener],
    control: Control | None,
    model: ModelLike | None,
    features: Any,
    **mending: Any,
) -> Record:
    """Train again; see :meth:`hcat_nb.Run.retrain`. ``mending`` are arguments of ``apply_to``."""
    from hcat_nb.training.seed import undisturbed

    if run.info.get("kind") or run.info["model"] == "precomputed":
        raise SpecError(
            "this run was not trained by hcat.characterize",
            remedy="train your own model again on run.apply(), and compare the runs",
        )
    listeners = check_audience(listeners, control)
    mended = apply_to(run, **mending)
    spec = make_spec(mended, model, run.spec, _LOADED, None, features)
    inputs = Inputs(mended, None, None, model, None, None, features)
    with undisturbed():
        return carry_out(Pipeline, spec, inputs, listeners, control, None)
