"""What was computed is found again by its content, and never grows without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from hcat_nb.data import feature_cache
from hcat_nb.data.feature_cache import content_digest, kept


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "hcat_nb" / "features"


def refuse() -> torch.Tensor:
    raise AssertionError("it is kept")


def test_it_is_made_once(folder: Path) -> None:
    made = torch.randn(5, 3)
    assert torch.equal(kept("a", lambda: made), made)
    assert torch.equal(kept("a", refuse), made)
    assert [path.name for path in folder.iterdir()] == ["a.npy"]


def test_what_is_found_may_be_written_to_and_stays_as_it_was() -> None:
    kept("a", lambda: torch.ones(2))
    kept("a", refuse)[0] = 7
    assert kept("a", refuse).tolist() == [1, 1]


def test_a_digest_tells_values_shapes_types_and_words_apart() -> None:
    x = torch.arange(6)
    others = [x + 1, x.reshape(2, 3), x.to(torch.int32), x[:5]]
    digests = {content_digest(one) for one in (x, *others)} | {content_digest(x, "word")}
    assert len(digests) == 6
    assert content_digest(x.reshape(2, 3).T.contiguous().T) == content_digest(x.reshape(2, 3))


def test_the_oldest_go_when_there_is_no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "_MOST", 1000)
    for number, key in enumerate("abc"):
        kept(key, lambda: torch.zeros(80))  # 448 bytes with their head
        os.utime(folder / f"{key}.npy", (number, number))
    kept("d", lambda: torch.zeros(80))
    assert sorted(path.stem for path in folder.iterdir()) == ["c", "d"]


def test_where_nothing_can_be_written_it_says_so(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    with pytest.warns(RuntimeWarning, match="not kept for the next run"):
        assert kept("a", lambda: torch.ones(2)).tolist() == [1, 1]
