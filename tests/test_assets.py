from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hcat_nb import assets
from hcat_nb.errors import HcatError


def test_a_checkout_serves_the_source(repository: Path) -> None:
    assert assets.asset("live_map.js") == repository / "widgets" / "src" / "live_map.js"


def test_weights_lie_beside_their_method(repository: Path) -> None:
    shipped = repository / "hcat_nb" / "methods" / "detector.safetensors"
    assert assets.asset("detector.safetensors") == shipped


def test_an_installed_copy_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "static").mkdir()
    shipped = tmp_path / "static" / "live_map.js"
    shipped.write_text("export default {};")
    monkeypatch.setattr(assets, "_FOLDERS", (tmp_path / "static", *assets._FOLDERS[1:]))
    assert assets.asset("live_map.js") == shipped


def test_a_missing_file_is_named() -> None:
    with pytest.raises(HcatError, match=r"'no\.js' is missing.*install the package again"):
        assets.asset("no.js")


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HCAT_CACHE", str(tmp_path / "own"))
    assert assets.user_cache() == tmp_path / "own"
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("platform", "variable", "end"),
    [
        ("linux", "XDG_CACHE_HOME", ("hcat_nb",)),
        ("win32", "LOCALAPPDATA", ("hcat_nb",)),
        ("darwin", "HOME", ("Library", "Caches", "hcat_nb")),
    ],
)
def test_each_platform_has_its_cache(
    platform: str,
    variable: str,
    end: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("HCAT_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert assets.user_cache() == tmp_path.joinpath(*end)


def test_front_end_files_are_text_unless_they_are_being_edited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANYWIDGET_HMR", raising=False)
    assert assets.source("live_map.css") == assets.asset("live_map.css").read_text("utf-8")
    monkeypatch.setenv("ANYWIDGET_HMR", "1")
    assert assets.source("live_map.css") == assets.asset("live_map.css")
