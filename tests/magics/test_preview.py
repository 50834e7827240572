from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.errors import DataError, MissingDataError
from hcat_nb.magics.preview import Previewer, identity

EVIL = "<b id=evil>oak</b>"


def frame(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", EVIL])
    return table.assign(kind=np.where(table.a > 0, EVIL, "elm"))


def test_images_stand_beside_their_originals() -> None:
    page = Previewer().show({"data": "digits", "hardness": "zoom_shift", "p": 0.1})
    assert page.count("<img") == 12
    assert "6 of 40 samples" in page  # of the 400 that are looked at


def test_table_rows_stand_beside_their_originals_and_are_text() -> None:
    keywords = {"data": frame(), "target": "kind", "hardness": "ood_covariate", "p": 0.1}
    page = Previewer().show(keywords)
    assert "before" in page
    assert EVIL not in page
    assert "&lt;b id=evil&gt;" in page


def test_texts_are_shown_with_their_labels() -> None:
    words = ["a <i>sunny</i> day", "a wet night", "the old sea", "a young tree"] * 30
    table = pd.DataFrame({"text": words, "kind": ["x", "y"] * 60})
    keywords = {
        "data": table,
        "target": "kind",
        "dataset_options": {"text": "text"},
        "hardness": "uniform",
        "p": 0.1,
    }
    page = Previewer().show(keywords)
    assert "&lt;i&gt;" in page or "night" in page
    assert "<i>" not in page
    assert "-&gt;" in page  # label before and after


def test_nothing_to_inject_says_so() -> None:
    assert "as they are" in Previewer().show({"data": "digits"})


def test_a_tiny_share_is_raised_so_that_there_is_something_to_see() -> None:
    page = Previewer().show({"data": "digits", "hardness": "uniform", "p": 0.001})
    assert "Here p is 0.015" in page
    assert "6 of 6 samples" in page


def test_only_some_rows_of_ones_own_are_read() -> None:
    class Counting(torch.utils.data.Dataset):  # type: ignore[type-arg]
        reads = 0

        def __len__(self) -> int:
            return 100_000

        def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
            Counting.reads += 1
            return torch.rand(1, 8, 8), row % 3

    previewer = Previewer()
    data = Counting()
    previewer.show({"data": data, "hardness": "uniform"})
    assert 0 < Counting.reads < 2000
    before = Counting.reads
    previewer.show({"data": data, "hardness": "zoom_shift"})
    assert Counting.reads == before  # the same few are made hard in another way
    previewer.show({"data": Counting(), "hardness": "zoom_shift"})
    assert Counting.reads > before


def test_arrays_and_their_labels_are_cut_alike() -> None:
    x = np.arange(3000.0).reshape(1000, 3)
    keywords = {"data": x, "labels": list(np.arange(1000) % 2), "name": "own"}
    assert "samples made hard" in Previewer().show({**keywords, "hardness": "uniform"})


def test_nothing_is_downloaded(tmp_path: object) -> None:
    with pytest.raises(MissingDataError):
        Previewer().show({"data": "cifar10", "hardness": "uniform", "root": str(tmp_path)})


def test_a_hardness_that_does_not_apply_says_so() -> None:
    with pytest.raises(DataError, match="does not apply"):
        Previewer().show({"data": "wine", "hardness": "zoom_shift"})


def test_identity_keeps_nothing_alive() -> None:
    array = np.zeros(3)
    mark = identity(array)
    assert mark == identity(array)
    assert mark != identity(np.zeros(3))
    assert identity("digits") == identity("digits")
    assert identity([1]) != identity([1])
    del array
    assert mark.reference() is None
    assert mark != identity(np.zeros(3))
