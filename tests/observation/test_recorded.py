"""Recorded dynamics, replayed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from hcat_nb.observation.record import Need, Observation
from hcat_nb.observation.recorded import Recorded, Selected, chunk_rows, replay

E, N, C = 3, 11, 4
LOGITS = torch.from_numpy(np.random.default_rng(0).normal(0, 3, (E, N, C)).astype(np.float32))
LABELS = torch.arange(N) % C


class Memory(Recorded):
    """Dynamics in chunks of four rows; sample 5 is not recorded in epoch 2."""

    def __init__(self, values: Tensor, content: str, moment: str = "epoch_end") -> None:
        self.values, self.content, self.moment = values, content, moment
        self.n_epochs, self.n = values.shape[:2]

    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.arange(self.n).split(4):
            rows = rows[~((rows == 5) & (epoch == 2))]
            yield rows, self.values[epoch - 1, rows]


class Listener:
    def __init__(self, *needs: Need, sweeps: int = 1, epochs: tuple[int, ...] = (1, 2, 3)) -> None:
        self.needs, self.sweeps, self.epochs = frozenset(needs), sweeps, epochs
        self.heard: list[Observation] = []

    def due(self, epoch: int) -> bool:
        return epoch in self.epochs

    def options(self, need: Need) -> tuple:
        return ()

    def observe(self, record: Observation) -> None:
        self.heard.append(record)

    def rows(self, epoch: int) -> list[int]:
        return [int(row) for one in self.heard if one.epoch == epoch for row in one.rows]


def test_who_hears_what_and_when():
    train, end = Listener(Need.TRAIN_LOGITS), Listener(Need.LOGITS, epochs=(2,))
    final = Listener(Need.FINAL_LOGITS, sweeps=2)
    ended = []
    replay(Memory(LOGITS, "logits"), LABELS, [train, end, final], ended.append)
    assert {one.kind for one in train.heard} == {"train"}
    assert [train.rows(epoch) for epoch in (1, 3)] == [list(range(N))] * 2
    assert train.rows(2) == [row for row in range(N) if row != 5]
    assert {(one.kind, one.epoch) for one in end.heard} == {("epoch", 2)}
    assert {(one.kind, one.epoch, one.sweep) for one in final.heard} == {
        ("final", 3, 0),
        ("final", 3, 1),
    }
    assert final.rows(3) == [*range(N), *range(N)]
    assert ended == [1, 2, 3]


def test_probabilities_are_logits_up_to_a_constant():
    end = Listener(Need.LOGITS)
    replay(Memory(LOGITS.softmax(2), "probs"), LABELS, [end])
    for record in end.heard:
        expected = LOGITS[record.epoch - 1, record.rows].log_softmax(1)
        assert torch.allclose(record.log_probs, expected, atol=1e-6)  # the digits of float32
        assert torch.equal(record.labels, LABELS[record.rows])


def test_the_labels_probability_serves_what_derives_from_it():
    p = LOGITS.softmax(2).gather(2, LABELS.expand(E, N)[:, :, None]).squeeze(2)
    end = Listener(Need.LABEL_PROB)
    replay(Memory(p, "label_probs"), LABELS, [end])
    for record in end.heard:
        known = p[record.epoch - 1, record.rows]
        assert torch.allclose(record.label_prob, known, atol=1e-6)
        assert torch.allclose(record.label_log_prob, known.log(), rtol=1e-5, atol=1e-6)
        assert torch.allclose(record.error_prob, 1 - known, atol=1e-6)


def test_a_probability_of_zero_has_a_finite_logarithm():
    end = Listener(Need.LABEL_PROB)
    replay(Memory(torch.zeros(1, 3), "label_probs"), torch.zeros(3, dtype=torch.int64), [end])
    assert end.heard[0].label_log_prob.tolist() == pytest.approx([-87.3365] * 3, rel=1e-5)


def test_a_missing_label_does_not_reach_the_records():
    end = Listener(Need.LOGITS)
    replay(Memory(LOGITS, "logits"), torch.full((N,), -1), [end])
    assert all((one.labels == 0).all() for one in end.heard)


def test_what_is_met_to_the_letter():
    assert Memory(LOGITS, "logits").provides == {Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS}
    assert Memory(LOGITS, "probs", "train").provides == {Need.TRAIN_LOGITS}
    assert Memory(LOGITS[:, :, 0], "label_probs").provides == {Need.LABEL_PROB}
    assert Memory(LOGITS[:, :, 0], "label_probs", "train").provides == frozenset()


def test_a_selection_keeps_its_own_order():
    rows = torch.tensor([9, 2, 5])
    part = Selected(Memory(LOGITS, "logits"), rows)
    assert (part.n, part.n_epochs, part.content) == (3, E, "logits")
    end = Listener(Need.LOGITS)
    replay(part, LABELS[rows], [end])
    for record in end.heard:
        assert torch.equal(record.logits, LOGITS[record.epoch - 1, rows[record.rows]])
        assert torch.equal(record.labels, LABELS[rows[record.rows]])
    assert sorted(end.rows(1)) == [0, 1, 2]
    assert sorted(end.rows(2)) == [0, 1]


def test_a_chunk_holds_as_many_values_whatever_the_classes():
    assert chunk_rows(100) == 41943
    assert chunk_rows(2**30) == 1
