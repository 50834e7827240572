"""Recorded dynamics in arrays of any kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import DataError
from hcat_nb.observation.recorded_arrays import ArrayDynamics

E, N, C = 3, 10, 4


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(E, N, C)).astype(np.float32)


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def read(dynamics: ArrayDynamics, epoch: int) -> np.ndarray:
    whole = np.full((N, *dynamics._arrays[0].shape[1:]), np.nan, np.float32)
    for rows, values in dynamics.chunks(epoch):
        whole[rows.numpy()] = values.numpy()
    return whole


@pytest.mark.parametrize("chunk", [None, 1, 3, 100])
def test_arrays_of_any_kind_are_read_alike(logits, chunk, tmp_path):
    np.save(tmp_path / "z.npy", logits)
    kinds = [
        logits,
        torch.from_numpy(logits),
        torch.from_numpy(logits).requires_grad_(),
        np.load(tmp_path / "z.npy", mmap_mode="r"),
        list(logits),
        tuple(torch.from_numpy(logits)),
        logits.astype(np.float64),
        np.asfortranarray(logits),
    ]
    for arrays in kinds:
        dynamics = ArrayDynamics(arrays, "logits", "epoch_end", chunk=chunk)
        assert (dynamics.n_epochs, dynamics.n, dynamics.n_classes) == (E, N, C)
        for epoch in range(1, E + 1):
            assert np.array_equal(read(dynamics, epoch), logits[epoch - 1])
    half = ArrayDynamics(torch.from_numpy(logits).bfloat16(), "logits", "train")
    assert np.allclose(read(half, 1), logits[0], rtol=2**-8)  # bfloat16 has 8 bits


def test_the_users_array_stays_as_it_is(logits):
    before = logits.copy()
    for _, values in ArrayDynamics(logits, "logits", "epoch_end").chunks(1):
        values.zero_()
    assert np.array_equal(logits, before)


def test_two_axes_are_the_labels_probability(logits):
    dynamics = ArrayDynamics(softmax(logits)[:, :, 0], "probs", "epoch_end")
    assert (dynamics.content, dynamics.n_classes) == ("label_probs", None)
    dynamics.survey()


@pytest.mark.parametrize("content", ["logits", "probs"])
def test_a_survey_finds_who_was_seen(logits, content):
    values = logits if content == "logits" else softmax(logits)
    values[1, 3:5] = np.nan
    survey = ArrayDynamics(values, content, "epoch_end", chunk=4).survey()
    expected = np.ones((E, N), bool)
    expected[1, 3:5] = False
    assert np.array_equal(survey.seen.numpy(), expected)
    rows = [rows for rows, _ in ArrayDynamics(values, content, "epoch_end", chunk=4).chunks(2)]
    assert torch.cat(rows).tolist() == [0, 1, 2, 5, 6, 7, 8, 9]


def test_zeros_are_counted(logits):
    p = np.eye(C)[np.zeros((E, N), int)]
    assert ArrayDynamics(p, "probs", "epoch_end").survey().zeros == E * N * (C - 1)


def test_half_precision_probabilities_add_up_nearly(logits):
    wide = np.random.default_rng(0).normal(size=(1, 50, 1000))
    ArrayDynamics(softmax(wide).astype(np.float16), "probs", "epoch_end").survey()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z: np.where(np.indices(z.shape)[2] == 1, np.nan, z), "hold nan .epoch 1, sample 0"),
        (lambda z: np.where(np.indices(z.shape)[1] == 7, np.inf, z), "inf .epoch 1, sample 7, cl"),
        (lambda z: z.astype(np.float64) * 1e300, "hold -?inf"),
        (lambda z: np.where(np.indices(z.shape)[0] == 1, np.nan, z), "nothing but NaN in epoch 2"),
    ],
)
def test_bad_values_are_named_with_their_place(logits, change, message):
    with pytest.raises(DataError, match=message):
        ArrayDynamics(change(logits), "logits", "epoch_end", chunk=4).survey()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p - 0.5, r"probs hold -0.* \(epoch 1.*expected a probability.*as logits="),
        (lambda p: p * 0.5, "of epoch 1, sample 0, add up to 0.5; expected 1, as"),
        (lambda p: p[:, :, 0] - 1, r"probs hold -0.* \(epoch 1, sample 0\)"),
        (lambda p: p[:, :, 0] + 1, "expected a probability"),
    ],
)
def test_what_is_no_probability_is_refused(logits, change, message):
    with pytest.raises(DataError, match=message):
        ArrayDynamics(change(softmax(logits)), "probs", "epoch_end", chunk=4).survey()


@pytest.mark.parametrize(
    ("arrays", "content", "message"),
    [
        (np.zeros(3), "logits", r"shape \(3,\); expected \(epochs, samples, classes\)"),
        (np.zeros((2, 3)), "logits", r"shape \(2, 3\); expected \(epochs, samples, classes\)"),
        (np.zeros((2, 3, 4, 5)), "probs", "for the probability of the label alone"),
        (np.zeros((2, 0, 4)), "logits", "they are empty"),
        (np.zeros((2, 3, 1)), "logits", "two classes at least"),
        (np.zeros((2, 3, 4), complex), "logits", "type complex128; expected real numbers"),
        (np.full((2, 3, 4), "a"), "logits", "expected real numbers"),
        (torch.zeros(2, 3, 4, dtype=torch.bool), "logits", "expected real numbers"),
        ([], "logits", "an empty list"),
        ([np.zeros((3, 4)), np.zeros((2, 4))], "logits", "epochs 1 and 2 have the shapes"),
        ("z.npy", "logits", "logits hold a str where an array is expected"),
    ],
)
def test_what_has_no_such_shape_is_refused(arrays, content, message):
    with pytest.raises(DataError, match=message):
        ArrayDynamics(arrays, content, "epoch_end")
