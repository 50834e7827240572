from __future__ import annotations

import re
from pathlib import Path

import pytest

from hcat_nb.assets import asset
from hcat_nb.jupyter.vega_bundle import live_map_module, vega_bundle


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


def test_the_module_is_whole_and_imports_nothing(cache: Path) -> None:
    module = live_map_module()
    assert module.endswith(asset("live_map.js").read_text())
    assert not re.search(r"""^\s*import\s|from\s*["']https?:|import\(["']""", module, re.MULTILINE)
    assert "export default { render }" in module
