"""Image files with labels: transforms frozen, broken files named."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.data.files.image_files import ImageFiles, from_files, missing_files
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.errors import DataError


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Six plain pictures; the one at position i is grey 10 * i."""
    made = [tmp_path / f"{i}.png" for i in range(6)]
    for i, path in enumerate(made):
        Image.new("RGB", (8, 6), (10 * i,) * 3).save(path)
    return made


def files(paths: list[Path], **more: Any) -> ImageFiles:
    return ImageFiles(paths, ["a", "b"] * (len(paths) // 2), "pictures", **more)


def test_files_become_samples_in_order(paths: list[Path]) -> None:
    parts = from_files(files(paths, options=ImageOptions(size=4)), seed=0)
    assert parts.features.shape == (6, 3, 4, 4)
    assert parts.features[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert parts.notes == ("6 image files made 3 x 4 x 4, their middle",)


def noisy(image: Image.Image) -> torch.Tensor:
    """Draw from all three global streams."""
    grey = torch.full((1, 2, 2), float(np.asarray(image)[0, 0, 0]))
    return grey + random.random() + np.random.random() + torch.rand(1, 2, 2)  # noqa: NPY002


def test_a_random_transform_is_drawn_once_a_row_from_the_seed(paths: list[Path]) -> None:
    state = torch.get_rng_state()
    first = from_files(files(paths, transform=noisy), seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    again = from_files(files(paths, transform=noisy), seed=0)
    other = from_files(files(paths, transform=noisy), seed=1)
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)
    noise = first.features - 10 * np.arange(6.0)[:, None, None, None]
    assert len(np.unique(noise)) == noise.size
    assert any("once for each sample" in note for note in first.notes)


def test_a_row_draws_the_same_among_other_rows(paths: list[Path]) -> None:
    whole = from_files(files(paths, transform=noisy), seed=0).features
    assert np.array_equal(from_files(files(paths[:2], transform=noisy), seed=0).features, whole[:2])


def test_a_transform_without_chance_gets_no_note(paths: list[Path]) -> None:
    seen: list[tuple[str, tuple[int, int]]] = []

    def halve(image: Image.Image) -> Image.Image:
        seen.append((image.mode, image.size))
        return image.resize((4, 3))

    parts = from_files(files(paths, transform=halve), seed=0)
    assert parts.features.shape == (6, 3, 3, 4)
    assert set(seen) == {("RGB", (8, 6))}
    assert parts.notes == ("6 image files made 3 x 3 x 4 by your transform",)


def test_arrays_from_a_transform_may_have_channels_last(paths: list[Path]) -> None:
    dataset = coerce(files(paths, transform=np.asarray))
    assert dataset.sample_shape == (3, 6, 8)
    assert dataset.features.dtype == torch.uint8


def test_a_transform_that_fails_names_the_file(paths: list[Path]) -> None:
    def fails(image: Image.Image) -> Image.Image:
        raise RuntimeError("no such crop")

    with pytest.raises(DataError, match=r"transform fails on .*0\.png: RuntimeError: no such crop"):
        from_files(files(paths, transform=fails), seed=0)
    with pytest.raises(DataError, match="transform is a str"):
        files(paths, transform="flip")


@pytest.mark.parametrize("transform", [None, noisy])
def test_broken_files_are_named_left_out_or_kept(paths: list[Path], transform: Any) -> None:
    paths[0].write_bytes(b"no image")
    paths[3].write_bytes(paths[3].read_bytes()[:45])
    given = files(paths, transform=transform, options=ImageOptions(size=2))
    with pytest.raises(DataError, match=r"2 of 6 image files.*0\.png: .*; .*3\.png: .*on_bad_row"):
        coerce(given)
    dropped = coerce(given, on_bad_row="drop")
    assert list(dropped.sample_ids) == [1, 2, 4, 5]
    kept = coerce(given, on_bad_row="keep")
    assert kept.readable.tolist() == [False, True, True, False, True, True]
    assert (kept.features[[0, 3]] == 0).all()
    assert torch.equal(kept.features[kept.readable], dropped.features)
    assert any("0.png" in note and "kept as unreadable" in note for note in kept.notes)
    assert len(kept.class_counts) == 2


def test_nothing_readable_is_an_error_whatever_the_policy(paths: list[Path]) -> None:
    for path in paths:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match="none of 6 image files"):
        coerce(files(paths), on_bad_row="drop")


def test_absent_files_are_counted_and_named(paths: list[Path]) -> None:
    missing_files(paths)
    paths[1].unlink()
    with pytest.raises(DataError, match=r"1 of 6 image files do not exist: .*1\.png.*image_root"):
        missing_files(paths)


def test_ids_are_kept(paths: list[Path]) -> None:
    ids = pd.Index([path.name for path in paths])
    assert list(coerce(files(paths, ids=ids)).sample_ids) == list(ids)
