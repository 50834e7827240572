"""Features in a .npy file, by path, with labels beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hcat_nb as hcat
from hcat_nb.data.files.array_file import names_array_file, read_arrays
from hcat_nb.errors import DataError, MissingDataError

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.arange(60) % 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.save(tmp_path / "birds.npy", X)
    np.save(tmp_path / "species.npy", Y)
    return tmp_path / "birds.npy"


@pytest.mark.parametrize("as_text", [True, False])
def test_a_path_is_read_with_labels_beside_it_or_named(file: Path, as_text: bool) -> None:
    path = str(file) if as_text else file
    for given in (
        hcat.load(path, Y),
        hcat.load(path, file.with_name("species.npy")),
        hcat.load(path, target=str(file.with_name("species.npy"))),
    ):
        assert given.name == "birds"
        assert not given.mapped
        np.testing.assert_array_equal(given.features.numpy(), X)
        np.testing.assert_array_equal(given.labels.numpy(), Y)


def test_on_disk_the_file_itself_is_mapped_and_never_written_to(file: Path) -> None:
    broken = X.copy()
    broken[7, 2] = np.nan
    np.save(file, broken)
    before = file.read_bytes()
    dataset = hcat.load(file, Y, data_on="disk", on_bad_row="keep")
    assert dataset.mapped
    assert dataset.unreadable is not None
    assert dataset.unreadable.nonzero().tolist() == [[7]]
    assert dataset.features[7].tolist() == [0, 0, 0, 0]
    assert file.read_bytes() == before
    dropped = hcat.load(file, Y, data_on="disk", on_bad_row="drop")
    assert len(dropped) == 59
    assert dropped.mapped


@pytest.mark.parametrize("changed", [X.astype(np.float64), np.asfortranarray(X), X.astype(">f4")])
def test_another_form_is_written_to_a_file_of_ours(file: Path, changed: np.ndarray) -> None:
    np.save(file, changed)
    dataset = hcat.load(file, Y, data_on="disk")
    assert dataset.mapped
    assert not np.shares_memory(dataset.features.numpy(), np.load(file, mmap_mode="r"))
    np.testing.assert_array_equal(dataset.features.numpy(), X)


def test_names() -> None:
    assert names_array_file("x.NPY")
    assert not names_array_file("x.npz")


def test_what_cannot_be_read_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no labels; expected labels beside it, or target="):
        read_arrays(file, None, None)
    with pytest.raises(DataError, match="labels and target="):
        read_arrays(file, Y, "species.npy")
    with pytest.raises(DataError, match="target is 3"):
        read_arrays(file, None, 3)
    with pytest.raises(MissingDataError, match=r"nowhere\.npy does not exist"):
        read_arrays(tmp_path / "nowhere.npy", Y, None)
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object))
    with pytest.raises(DataError, match=r"objects\.npy cannot be read"):
        read_arrays(file, tmp_path / "objects.npy", None)
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(DataError, match=r"text\.npy cannot be read"):
        read_arrays(tmp_path / "text.npy", Y, None)
