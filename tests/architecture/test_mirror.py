"""Tests mirror the source: `hcat_nb/a/b.py` is tested in `tests/a/test_b.py`."""

from __future__ import annotations

from pathlib import Path

# Folders of tests that look at the whole instead of at one module.
ACROSS = {
    *("architecture", "contract", "notebooks", "browser", "typing", "benchmarks", "campaign"),
}

# Modules without a test file of their own, each with the reason.
EXEMPT = {
    "__main__": "three lines that call cli; test_cli runs them as a command",
}


def _modules(repository: Path) -> set[str]:
    package = repository / "hcat_nb"
    paths = [path for path in package.rglob("*.py") if path.name != "__init__.py"]
    return {path.relative_to(package).with_suffix("").as_posix() for path in paths}


def _test_of(module: str) -> str:
    folder, _, stem = module.rpartition("/")
    return f"{folder}/test_{stem.lstrip('_')}".lstrip("/")


def _tests(repository: Path) -> set[str]:
    folder = repository / "tests"
    found = {path.relative_to(folder).with_suffix("") for path in folder.rglob("test_*.py")}
    return {path.as_posix() for path in found if path.parts[0] not in ACROSS}


def test_every_module_has_its_test(repository: Path) -> None:
    expected = {_test_of(module): module for module in _modules(repository) - EXEMPT.keys()}
    missing = {module for test, module in expected.items() if test not in _tests(repository)}
    assert not missing


def test_every_test_has_its_module(repository: Path) -> None:
    mirrored = {_test_of(module) for module in _modules(repository)} | {"test_init"}
    assert not _tests(repository) - mirrored


def test_every_exemption_is_needed(repository: Path) -> None:
    assert _modules(repository) >= EXEMPT.keys()
    assert not {_test_of(module) for module in EXEMPT} & _tests(repository)


def test_folders_of_tests_hold_no_package_files(repository: Path) -> None:
    assert not list((repository / "tests").rglob("__init__.py"))


# What authors of plug-ins import stands in these, and is loaded when it is asked for.
OPEN = {"methods", "observation", "perturbations"}


def test_subpackages_hold_a_docstring_only(repository: Path) -> None:
    for path in (repository / "hcat_nb").glob("*/**/__init__.py"):
        if path.parent.name in OPEN:
            assert (path.parent / "__init__.pyi").is_file()
            continue
        text = path.read_text().strip()
        assert text.startswith('"""'), path
        assert text.count('"""') == 2, path
        assert text.endswith('"""'), path
