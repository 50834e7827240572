"""A widget's four files carry one stem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def test_each_widget_module_has_its_python_half_and_its_tests(repository: Path) -> None:
    stems = {path.stem for path in (repository / "widgets/src").glob("*.js")}
    assert stems
    for stem in stems:
        assert list((repository / "hcat_nb/jupyter").rglob(f"{stem}.py")), stem
        assert list((repository / "tests/jupyter").rglob(f"test_{stem}.py")), stem
        assert (repository / f"widgets/tests/{stem}.test.js").is_file()


def test_style_sheets_belong_to_a_module(repository: Path) -> None:
    source = repository / "widgets/src"
    assert {path.stem for path in source.glob("*.css")} <= {
        path.stem for path in source.glob("*.js")
    }


def test_modules_import_shared_pieces_only_by_name(repository: Path) -> None:
    # assets.source() joins those: anywidget loads a blob URL, where a relative import cannot work
    for path in (repository / "widgets/src").rglob("*.js"):
        where = r"\./" if path.parent.name == "shared" else r"\./shared/"
        for found in re.finditer(r"^\s*import\b[^;]*;", path.read_text(), re.MULTILINE):
            assert re.fullmatch(rf'import \{{[^}}]*\}} from "{where}\w+\.js";', found[0]), path.name
            assert " as " not in found[0], path.name


def test_views_take_their_measures_from_the_tokens(repository: Path) -> None:
    for path in (repository / "widgets/src").glob("*.css"):
        text = path.read_text()
        assert text.startswith('@import "./shared/tokens.css";\n'), path.name
        assert not re.search(r"--jp-", text), f"{path.name}: the tokens stand for them"


def test_packages_of_the_tools_name_no_registry(repository: Path) -> None:
    lock = repository / "widgets/package-lock.json"
    if not lock.is_file():
        pytest.skip("the widgets' tools have no lock file")
    assert '"resolved"' not in lock.read_text()
