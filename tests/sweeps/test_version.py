from __future__ import annotations

from pathlib import Path

import pytest

from hcat_nb.sweeps import _version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("methods/aum.py", "methods/detector.safetensors", "jupyter/magics.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(_version, "_PACKAGE", tmp_path)
    return tmp_path


def _now() -> str:
    return _version.code_version.__wrapped__()


@pytest.mark.parametrize("name", ["methods/aum.py", "methods/detector.safetensors"])
def test_what_decides_numbers_changes_the_version(package: Path, name: str) -> None:
    before = _now()
    assert before == _now()
    (package / name).write_text("2")
    assert _now() != before


def test_a_new_module_changes_the_version_and_what_shows_results_does_not(package: Path) -> None:
    before = _now()
    (package / "jupyter/magics.py").write_text("2")
    assert _now() == before
    (package / "methods/more.py").write_text("")
    assert _now() != before
