"""A record is plain tables, and knows nothing of what works on them."""

from __future__ import annotations

from pathlib import Path

from hcat_nb.api.run import Run
from hcat_nb.runs.store.record import Record
from hcat_nb.runs.store.saving import load_record


def test_a_face_has_the_tables_of_its_record(tmp_path: Path, table_run: Run) -> None:
    record = load_record(table_run.save(tmp_path / "run"))
    assert type(record) is Record
    face = Run.of(record)
    assert face.scores is record.scores
    assert face.info is record.info
    assert Run.of(face) is face


def test_it_says_which_methods_scored_and_what_each_seed_gave(table_run: Run) -> None:
    assert table_run.methods == ["aum", "el2n", "forgetting"]
    (scores,) = table_run.by_seed()
    assert list(scores) == table_run.methods


def test_without_data_only_tables_stay(table_run: Run) -> None:
    bare = table_run.without_data()
    assert isinstance(bare, Run)
    assert (bare.dataset, bare.weights, bare.logits) == (None, {}, None)
    assert bare.scores is table_run.scores
