"""What an extra training hands over, from records as an observer makes them."""

from __future__ import annotations

import numpy as np
import torch

from hcat_nb.observation.record import Need, Observation
from hcat_nb.runs.execution.extra_gauges import make_gauge
from hcat_nb.runs.execution.extra_jobs import Job


def test_held_out_logits_come_back_in_the_order_of_their_rows():
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    quantity = (Need.OUT_OF_FOLD, (("folds", 2),))
    job = Job("f", quantity, 1, labels, 2, torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5]))
    gauge = make_gauge(job, labels, epochs=3)
    logits = torch.arange(12.0).reshape(6, 2)
    for rows in (torch.tensor([5, 3]), torch.tensor([4])):
        gauge.observe(Observation("final", 3, rows, labels[rows], logits[rows]))
    record = gauge.record()
    assert (record.kind, record.sweep) == ("extra", 1)
    assert record.rows.tolist() == [3, 4, 5]
    assert torch.equal(record.logits, logits[3:])
    assert record.labels.tolist() == [1, 0, 1]


def test_margins_of_threshold_samples_are_taken_against_the_extra_class():
    labels = torch.tensor([0, 2, 1, 2])  # rows 1 and 3 have the extra class of 0 and 1
    quantity = (Need.THRESHOLD_SAMPLES, ())
    rows = torch.tensor([0, 1, 3])  # row 2 is not trained on
    job = Job("t", quantity, 0, labels, 3, rows, torch.tensor([1, 3]))
    gauge = make_gauge(job, labels, epochs=2)
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 3))).float()
    for epoch in (1, 2):
        gauge.observe(Observation("train", epoch, rows, labels[rows], logits[epoch - 1][rows]))
    measured = gauge.record().measured[quantity]
    others = logits.masked_fill(torch.nn.functional.one_hot(labels, 3).bool(), -torch.inf)
    own = logits.gather(2, labels.expand(2, 4)[..., None])[..., 0]
    expected = (own - others.amax(2)).mean(0)[rows]
    assert torch.allclose(measured[:, 0].float(), expected, atol=1e-6)  # float32 logits
    assert measured[:, 1].tolist() == [0, 1, 1]
