"""Repetitions differ by their seeds; what differs in more is told."""

from __future__ import annotations

import dataclasses

import pandas as pd

from hcat_nb.evaluation.comparison import BLOCKS
from hcat_nb.spec import RunSpec
from hcat_nb.study.mixed import DECISIVE, mixed_options

# What a run is repeated over, what names its rows, and what changes no figure.
_OTHERS = (
    *("seed", "data_seed", "model_seed", "methods", "method_options", "variant"),
    *("root", "download", "device", "data_on", "observe_batch_size", "keep_dynamics"),
    *("judges", "learning_check", "strict"),
)


def _table(**columns: object) -> pd.DataFrame:
    head = {"hcm": "aum", "hardness": "uniform", "dataset": "wine", "model": "mlp", "p": 0.1}
    return pd.DataFrame({**head, **columns})


def test_every_field_of_a_run_is_accounted_for() -> None:
    fields = [item.name for item in dataclasses.fields(RunSpec)]
    assert sorted((*BLOCKS, *DECISIVE, *_OTHERS)) == sorted(fields)


def test_options_count_within_a_block_only() -> None:
    assert mixed_options(_table(p=[0.1, 0.3], epochs=[1, 3], seed=[0, 1])) == {}
    assert mixed_options(_table(hcm=["aum", "vog"], epochs=[1, 3])) == {}
    found = mixed_options(_table(p=[0.1, 0.1, 0.3], epochs=[3, 1, 9], lr=[0.1, 0.1, 0.2]))
    assert found == {"epochs": [3, 1, 9]}
    assert list(mixed_options(_table(lr=[None, 0.1]))) == ["lr"]
    assert mixed_options(_table(hardness=None, lr=[0.1, 0.2])) == {"lr": [0.1, 0.2]}
