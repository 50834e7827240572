"""What is allocated before a training, and in which order it hears."""

from __future__ import annotations

import pytest

from hcat_nb.runs.execution.inputs import Inputs, make_spec
from hcat_nb.runs.execution.pipeline import Pipeline


@pytest.mark.parametrize(
    ("kept", "more"),
    [("none", []), ("probs", ["DynamicsKeeper"]), ("logits", ["DynamicsKeeper", "LogitsKeeper"])],
)
def test_the_map_hears_first_and_then_what_watches_and_keeps(kept, more):
    options = {"epochs": 2, "methods": "el2n", "judges": False, "keep_dynamics": kept, "seed": 0}
    made = Pipeline(make_spec("wine", None, None, options))
    made.prepare(*Inputs("wine", None, None, None, None))
    heard = [type(one).__name__ for one in made.trainer.observer.subscribers]
    assert heard == ["MapDynamics", "FiniteOutputs", *more, "EL2N"]
    assert made.methods[0].context.outputs is made.outputs
