"""From data to a network: what nobody chose, and what does not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.runs._inputs import Inputs, make_spec
from hcat_nb.runs._study import Study


def prepared(model=None, **options) -> Study:
    settings = {"methods": "el2n", "seed": 0, "learning_check": False, **options}
    made = Study(make_spec("wine", model, None, settings))
    made.prepare(*Inputs("wine", None, None, model, None))
    return made


def test_auto_is_the_model_of_its_day_and_so_are_the_epochs():
    assert (prepared().model_name, prepared().epochs) == ("dense", 100)
    for options in ({"defaults": 1}, {"variant": "hcat"}):
        made = prepared(**options)
        assert (made.model_name, made.epochs) == ("mlp", 10)


def test_a_model_without_anything_to_train_is_refused():
    with pytest.raises(ModelError, match="no trainable parameter"):
        prepared(nn.Linear(13, 3).requires_grad_(False))


def test_weights_come_from_the_model_seed():
    first, again, other = prepared(), prepared(), prepared(model_seed=1)
    weights = [next(one.net.parameters()).detach().cpu() for one in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
