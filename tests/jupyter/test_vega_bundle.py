from __future__ import annotations

import re
from pathlib import Path

import pytest

from hcat_nb.jupyter.vega_bundle import vega_bundle


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCAT_CACHE", str(tmp_path / "cache"))
    vega_bundle.cache_clear()
    return tmp_path / "cache"


def test_it_is_made_once_and_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import vl_convert

    bundle = vega_bundle()
    (file,) = cache.iterdir()
    assert file.read_text() == bundle
    vega_bundle.cache_clear()

    def fail(*_: object, **__: object) -> str:
        raise AssertionError("made again")

    monkeypatch.setattr(vl_convert, "javascript_bundle", fail)
    assert vega_bundle() == bundle


def test_a_cache_that_cannot_be_written_is_said_and_does_not_matter(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="HCAT_CACHE"):
        assert "hcatVegaEmbed" in vega_bundle()


def test_it_imports_nothing(cache: Path) -> None:
    pattern = r"""^\s*(import|export)\s|from\s*["']https?:|import\(["']"""
    assert not re.search(pattern, vega_bundle(), re.MULTILINE)
