"""Other data and other models are told apart; the same ones are not."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.runs.store.fingerprint import (
    data_fingerprint,
    differences,
    environment,
    model_fingerprint,
    spec_fingerprint,
    tensor_digest,
)
from hcat_nb.spec import RunSpec


def dataset(**changes: object) -> LabelledDataset:
    made = LabelledDataset(
        "toy", torch.arange(12.0).reshape(4, 3), torch.arange(4) % 2, ("a", "b"), pd.RangeIndex(4)
    )
    return made.replace(**changes)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"features": torch.arange(12.0).reshape(4, 3) + 1e-6}, ["features"]),
        ({"labels": torch.tensor([0, 1, 0, 0])}, ["labels"]),
        ({"sample_ids": pd.Index(list("wxyz"))}, ["sample ids"]),
        ({"class_values": ("a", "c")}, ["class values was ['a', 'b'] and is ['a', 'c']"]),
        ({"unreadable": torch.arange(4) == 0}, ["unreadable rows was 0 and is 1"]),
        ({"name": "renamed", "features": torch.arange(12.0).reshape(4, 3)}, []),
    ],
)
def test_what_differs_is_named(changes, what):
    assert differences(data_fingerprint(dataset()), data_fingerprint(dataset(**changes))) == what


def test_tensors_are_told_apart_by_value_whatever_their_layout():
    values = torch.arange(6.0).reshape(2, 3)
    assert tensor_digest(values.T.contiguous().T) == tensor_digest(values)
    assert tensor_digest(values) != tensor_digest(values + 1)
    assert tensor_digest(torch.tensor([True])) == tensor_digest(torch.tensor([True]))
    assert tensor_digest(torch.zeros(0)) == tensor_digest(torch.zeros(3, 0))


def test_a_model_of_another_build_differs():
    class Odd(nn.Module):
        def extra_repr(self) -> str:
            return f"{object()}"  # an address, another one each time

    assert model_fingerprint(Odd()) == model_fingerprint(Odd())
    nets = [nn.Sequential(nn.Linear(2, 2), nn.Dropout(p)) for p in (0.1, 0.2)]
    assert differences(*map(model_fingerprint, nets)) == ["build"]


def test_an_address_does_not_tell_specifications_apart():
    one, two = (RunSpec(hardness_options={"source": object()}) for _ in range(2))
    assert spec_fingerprint(one) == spec_fingerprint(two)
    assert spec_fingerprint(one) != spec_fingerprint(one.replace(lr=0.1))


def test_the_number_of_processes_is_a_condition():
    alone, two = (environment(torch.device("cpu"), processes) for processes in (1, 2))
    assert alone == environment(torch.device("cpu"))
    assert differences(alone, two) == ["processes was None and is 2"]
