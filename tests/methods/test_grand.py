"""GraNd: one early epoch's norms, as they were measured."""

from __future__ import annotations

import math

import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.grand import GraNd, early_epoch
from hcat_nb.observation.record import Need, Observation


def begun(n_epochs: int, **options) -> GraNd:
    method = GraNd(**options)
    method.begin(Context(torch.tensor([0, 1, 1]), 2, n_epochs))
    return method


@pytest.mark.parametrize("n_epochs", range(1, 60))
def test_the_default_epoch_is_the_end_of_the_first_fifth(n_epochs):
    assert early_epoch(n_epochs) == math.ceil(n_epochs / 5)
    method = begun(n_epochs)
    due = [epoch for epoch in range(1, n_epochs + 1) if method.due(epoch)]
    assert due == [math.ceil(n_epochs / 5)]


def test_an_epoch_of_choice():
    method = begun(10, at=7)
    assert [epoch for epoch in range(1, 11) if method.due(epoch)] == [7]


def test_the_score_is_the_norm():
    method = begun(10)
    rows, norms = torch.tensor([2, 0, 1]), torch.tensor([3.0, 1.0, 2.0])
    labels = torch.tensor([1, 0, 1])
    measured = {(Need.GRADIENT_NORM, ()): norms}
    method.observe(Observation("epoch", 2, rows, labels, torch.zeros(3, 2), measured))
    assert method.scores().scores.tolist() == [1, 2, 3]


@pytest.mark.parametrize("at", [0, -1, 1.0, "2", True])
def test_option_out_of_range(at):
    with pytest.raises(SpecError, match=r"grand\.at is .*an epoch"):
        GraNd(at=at)


def test_an_epoch_after_the_last():
    with pytest.raises(SpecError, match=r"grand\.at is 11; expected at most 10"):
        begun(10, at=11)


def test_hcat_takes_the_last_epoch():
    for options, expected in (({}, [10]), ({"at": 3}, [3])):
        method = begun(10, variant="hcat", **options)
        assert [epoch for epoch in range(1, 11) if method.due(epoch)] == expected
