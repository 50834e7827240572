"""What a pipeline consists of, by name."""

from __future__ import annotations

from hcat_nb.runs.execution.inputs import make_spec
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.execution.state import OUTPUTS, PipelineState


def test_accumulators_are_the_map_the_outputs_and_each_method_by_its_name() -> None:
    settings = {"epochs": 2, "methods": "aum vog", "keep_dynamics": "probs"}
    pipeline = Pipeline(make_spec("wine", None, None, settings))
    pipeline.prepare("wine", None, None, None, None)
    names = list(pipeline.accumulators())
    assert names[:3] == ["run.map", OUTPUTS, "run.dynamics"]
    assert {"aum", "vog"} <= set(names)
    assert isinstance(pipeline, PipelineState)
    assert pipeline.dataset is pipeline.perturbed.dataset
