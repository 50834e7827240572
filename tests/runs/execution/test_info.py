"""What a run writes down about itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.loading import load
from hcat_nb.runs.execution.info import (
    describe_dataset,
    describe_methods,
    describe_model,
    peak_memory_mb,
    versions,
)
from hcat_nb.runs.execution.inputs import make_methods
from hcat_nb.spec import RunSpec


def test_everything_is_plain_json():
    record = [
        describe_dataset(load("digits")),
        describe_methods(make_methods(RunSpec())),
        versions(),
        describe_dataset(load(pd.DataFrame({"a": ["x", None, "y"], "b": [1, 2, 3]}), [0, 1, 1])),
    ]
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_codes_and_words_are_told():
    frame = pd.DataFrame({"t": ["to go", "go on"], "b": [1, 2], "a": [7, 5]})
    told = describe_dataset(load(frame, [0, 1], text="t", analyzer="word", categorical="a"))
    assert told["columns"] == ["b", "a", "t: go", "t: on", "t: to"]
    assert told["levels"] == {"a": [5, 7]}
    assert told["words"] == [2, 5]
    assert told["encoded_shape"] == [6]
    assert "levels" not in describe_dataset(load("wine"))


def test_only_trained_parameters_count():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    net[0].requires_grad_(False)
    assert describe_model(net, net[1]) == {"model_parameters": 6, "embedding": "1"}
    assert describe_model(net, None)["embedding"] is None


def test_peak_memory_covers_what_lives_now():
    block = torch.ones(30 * 2**20 // 4)  # 30 MB, touched
    assert peak_memory_mb() > block.numel() * 4 / 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="there is no peak on Windows")
def test_peak_memory_is_not_that_of_the_process_that_started_this_one():
    block = b"x" * 2**30  # a gigabyte that is written, so resident
    code = "from hcat_nb.runs.execution.info import peak_memory_mb; print(peak_memory_mb())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert len(block) / 2**20 > float(told.stdout) > 5
