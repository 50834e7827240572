"""The folder of an audit: any flipped bit is told, and a stranger's is refused."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pandas as pd
import pytest

from hcat_nb.audits import store
from hcat_nb.audits.plan import Plan
from hcat_nb.errors import StoreError
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.spec import RunSpec

PLAN = Plan(1, 1, ("aum", "el2n"), 3.5, 60.0)


@pytest.fixture
def folder(tmp_path):
    tmp_path = tmp_path / "audit"
    tmp_path.mkdir()
    store.begin(tmp_path, PLAN, RunSpec())
    tables = {name: pd.DataFrame({"x": range(50)}) for name in store.TABLES}
    store.write(tmp_path, {"recommended": "aum"}, tables)
    return tmp_path


def test_plan_and_tables_come_back(folder):
    assert store.read_plan(folder) == PLAN
    found, tables = store.read(folder)
    assert found["recommended"] == "aum"
    assert all(table["x"].tolist() == list(range(50)) for table in tables.values())


@pytest.mark.parametrize("name", ["audit.json", "samples.parquet", "methods.parquet"])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_bit_is_never_read_over(folder, name, place):
    file = folder / name
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 4
    file.write_bytes(content)
    with pytest.raises(StoreError, match=name):
        store.read(folder)


@pytest.mark.parametrize("text", ["{}", "[]", "[" * 5000, '{"schema_version": 99}', "\0"])
def test_what_no_audit_wrote_is_refused(tmp_path, text):
    (tmp_path / "audit.json").write_text(text)
    with (
        pytest.raises(StoreError, match=r"expected a file of an audit|has the schema 99"),
        ExitStack() as held,
    ):
        store.check_place(tmp_path, RunSpec(), held)


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({"plan": {"x": 1}}, store.read_plan),
        ({"plan": {}}, store.read_plan),
        ({"digests": 3}, store.read),
        ({"digests": None}, store.read),
        ({"digests": {}}, store.read),
    ],
)
def test_a_strangers_audit_is_refused_by_name(folder, changed, read):
    plain = unsealed((folder / "audit.json").read_bytes())
    (folder / "audit.json").write_text(sealed(plain | changed))
    (folder / "samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"audit\.json|samples\.parquet"):
        read(folder)


def test_an_audit_begun_with_other_options_is_not_gone_on_with(tmp_path):
    place = tmp_path / "a"
    with ExitStack() as held:
        store.check_place(place, RunSpec(), held)
        store.begin(place, PLAN, RunSpec())
    with pytest.raises(StoreError, match="begun with other options"), ExitStack() as held:
        store.check_place(place, RunSpec(seed=1), held)
    with ExitStack() as held:
        assert store.check_place(place, RunSpec(), held) == place
        with pytest.raises(StoreError, match="process"), ExitStack() as other:
            store.check_place(place, RunSpec(), other)  # one owner at a time


def test_replacing_an_audit_takes_nothing_of_a_users(folder):
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    with ExitStack() as held:
        store.check_place(folder, RunSpec(), held, overwrite=True)
    assert (folder / "notes" / "mine.txt").read_text() == "mine"
    assert json.dumps(sorted(one.name for one in folder.iterdir() if one.is_dir())) == '["notes"]'


def test_a_disk_that_is_full_when_it_begins_is_told(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_json", full)
    with pytest.raises(StoreError, match=r"audit in .* cannot be written .*make room there"):
        store.begin(folder, PLAN, RunSpec("wine"))
