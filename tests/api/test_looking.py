"""What a run inherits to show its samples."""

from __future__ import annotations

from hcat_nb.api._looking import RunLooks
from hcat_nb.api.run import Run


def test_a_run_inherits_what_names_samples(table_run):
    assert issubclass(Run, RunLooks)
    assert len(table_run.hardest(7)) == 7
    assert table_run.duplicates().empty
    assert table_run.first_look is table_run.first_look  # made once
