"""What is allocated for its shape alone."""

from __future__ import annotations

import copy

import pytest
import torch

from hcat_nb.methods.base import Context
from hcat_nb.observation.shapes_only import ShapesOnly
from hcat_nb.registry import METHODS

N, C, E = 60, 3, 5
LABELS = torch.arange(N) % C


@pytest.mark.parametrize("name", METHODS.names())
def test_a_method_takes_as_much_as_its_shapes_say(name):
    method, planned = METHODS.get(name)(), METHODS.get(name)()
    with ShapesOnly():
        planned.begin(Context(LABELS, C, E))
    method.begin(Context(LABELS, C, E))
    sizes = {key: value.nbytes for key, value in method.state().items()}
    assert {key: value.nbytes for key, value in planned.state().items()} == sizes
    assert {value.device.type for value in planned.state().values()} == {"meta"}


def test_a_copy_leaves_the_method_as_it_was():
    method = METHODS.get("detector")()
    before = dict(vars(method))
    with ShapesOnly():
        copy.copy(method).begin(Context(LABELS, C, E))
    assert vars(method) == before


def test_numbers_of_what_is_there_stay():
    with ShapesOnly():
        assert int((LABELS == 1).sum()) == 20
        assert LABELS.new_zeros(2**40).device.type == "meta"
        assert torch.full_like(LABELS, 1.5, dtype=torch.float64).nbytes == 8 * N
    assert torch.zeros(2).tolist() == [0, 0]
