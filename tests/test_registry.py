"""Names from file stems, classes by name."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint

import pytest

import hcat_nb.registry as registry_module
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import HcatError, UnknownNameError
from hcat_nb.methods.el2n import EL2N
from hcat_nb.registry import (
    ALIASES,
    METHODS,
    MODELS,
    PERTURBATIONS,
    SOURCES,
    names_file,
    refuse_unknown,
    register,
)

ALL = [METHODS, MODELS, PERTURBATIONS, SOURCES]


@pytest.mark.parametrize("registry", ALL, ids=lambda one: one.kind)
def test_every_name_is_the_stem_of_its_only_class(registry):
    assert registry.names()
    for name in registry.names():
        assert registry.get(name).name == name


@pytest.mark.parametrize("registry", ALL, ids=lambda one: one.kind)
def test_an_unknown_name_answers_with_the_nearest(registry):
    name = registry.names()[0]
    with pytest.raises(UnknownNameError, match=f"nearest: .*{name}"):
        registry.get(name + "x")


def test_aliases_lead_to_names_of_their_kind():
    kinds = {registry.kind: registry for registry in ALL}
    for kind, aliases in ALIASES.items():
        for alias, names in aliases.items():
            assert kinds[kind].resolve(alias) == names
            assert set(names) <= set(kinds[kind].names())
            assert alias not in kinds[kind].names()


def test_an_alias_of_several_is_no_single_class():
    with pytest.raises(UnknownNameError, match=r"stands for several.*dataiq, datamaps"):
        METHODS.get("data_uncert")


def mine(name: str) -> type:
    return type("Mine", (EL2N,), {"name": name})


def test_a_registered_class_is_used_like_a_built_in():
    try:
        first, second = mine("my_hcm"), mine("my_hcm")
        assert register(first) is first
        assert METHODS.get("my_hcm") is first
        assert METHODS.names()[-1] == "my_hcm"
        register(second)  # a cell that is run again
        assert METHODS.get("my_hcm") is second
    finally:
        METHODS.unregister("my_hcm")
    assert "my_hcm" not in METHODS.names()


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (mine("el2n"), "'el2n' exists already"),
        (int, "cannot be registered"),
    ],
)
def test_what_cannot_be_registered_is_named(plugin, message):
    with pytest.raises(HcatError, match=message):
        register(plugin)


def test_a_name_is_an_identifier():
    with pytest.raises(HcatError, match="a Python identifier"):
        register(type("Mine", (Source,), {"name": "my-data"}))


def test_other_packages_add_plug_ins_by_entry_points(monkeypatch):
    points = [EntryPoint("theirs", "theirs_package:Theirs", "hcat_nb.methods")]
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points)
    assert "theirs" in METHODS.names()
    monkeypatch.setattr(EntryPoint, "load", lambda self: mine("theirs"))
    assert METHODS.get("theirs").name == "theirs"
    both = [*points, EntryPoint("aum", "rival:Aum", "hcat_nb.methods")]
    monkeypatch.setattr(registry_module, "entry_points", lambda group: both)
    with pytest.raises(HcatError, match=r"two plug-ins are called 'aum' \(rival:Aum"):
        METHODS.names()


def test_entry_points_are_read_once_until_a_package_comes(monkeypatch, tmp_path):
    reads = []
    monkeypatch.setattr(registry_module, "entry_points", lambda group: reads.append(group) or [])
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(3):
        METHODS.names()
    assert reads == ["hcat_nb.methods"]
    (tmp_path / "theirs.dist-info").mkdir()  # a folder's time of change is the sign
    os.utime(tmp_path, ns=(1, 1))
    METHODS.names()
    assert len(reads) == 2


@pytest.mark.parametrize(
    ("name", "is_file"),
    [
        ("a.csv", True),
        ("~/b/a.CSV.gz", True),
        ("a.parquet", True),
        ("a", False),
        ("a.gz", False),
        ("csv", False),
        ("a.xlsx", True),
    ],
)
def test_paths_of_tables_are_told_from_names(name, is_file):
    assert names_file(name) == is_file


def test_an_option_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no option 'sise'; expected .*\(nearest: size\)"):
        refuse_unknown(["fit", "sise"], ("size", "fit"), "images have no option {!r}")
    with pytest.raises(UnknownNameError, match="expected no options"):
        refuse_unknown(["size"], (), "there is no option {!r}")
