"""Which samples had no finite output, by records that are made here."""

from __future__ import annotations

import torch

from hcat_nb.observation.finite import FiniteOutputs
from hcat_nb.observation.record import Need, Observation

CPU = torch.device("cpu")


def look(outputs, epoch, logits, rows=None, measured=None):
    logits = torch.tensor(logits)
    rows = torch.arange(len(logits)) if rows is None else torch.tensor(rows)
    labels = torch.zeros_like(rows)
    outputs.observe(Observation("epoch", epoch, rows, labels, logits, measured or {}))


def test_the_first_epoch_counts_and_probabilities_decide():
    nan, inf = torch.nan, torch.inf
    outputs = FiniteOutputs(6, CPU)
    look(outputs, 1, [[0.0, 1.0]] * 6)
    assert not outputs.none.any()
    assert outputs.note() == ""
    look(outputs, 2, [[0.0, nan], [inf, 0.0], [-inf, -inf], [-inf, 0.0]], rows=[5, 4, 3, 2])
    look(outputs, 3, [[nan, nan]] * 2, rows=[5, 0])
    assert outputs.since.tolist() == [3, 0, 0, 2, 2, 2]
    assert outputs.partly.tolist() == [True, False, True, True, True, True]
    assert outputs.note().startswith("4 of 6 samples have no score")
    assert outputs.note().endswith("from epoch 2 on")


def test_a_measurement_that_overflows_is_partly():
    outputs = FiniteOutputs(3, CPU)
    values = torch.tensor([[[1.0, torch.inf]], [[1.0, 1.0]], [[torch.nan, 1.0]]])
    norms = torch.tensor([1.0, torch.inf, 1.0])
    measured = {(Need.INPUT_GRADIENTS, ()): values, (Need.GRADIENT_NORM, ()): norms}
    look(outputs, 1, [[0.0, 1.0]] * 3, measured=measured)
    assert outputs.partly.tolist() == [True] * 3
    assert not outputs.none.any()


def test_a_state_goes_over():
    outputs = FiniteOutputs(2, CPU)
    look(outputs, 4, [[0.0, torch.nan], [0.0, 1.0]])
    other = FiniteOutputs(2, CPU)
    other.load_state(outputs.state())
    assert other.since.tolist() == [4, 0]
