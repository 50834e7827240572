"""Properties of run folders and decisions: what is read is what was written, or it is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hcat_nb as hcat
from hcat_nb.errors import SpecError
from hcat_nb.runs.review.decisions import Decisions
from hcat_nb.runs.review.samples import Samples
from hcat_nb.runs.store.digests import sealed, unsealed
from tests.contract.properties import accepted, examples

pytestmark = pytest.mark.slow  # hundreds of examples

ROWS = 12


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    run = hcat.characterize(
        rng.normal(size=(ROWS, 3)), np.arange(ROWS) % 3, epochs=2, methods="el2n aum", seed=0,
        model="dense", judges=False, learning_check=False, device="cpu", keep_dynamics="logits",
    )  # fmt: skip
    return run.save(tmp_path_factory.mktemp("saved") / "run")


def read(folder: Path) -> list[Any]:
    run = hcat.load_run(folder)
    logits = [run.logits.epoch(number) for number in (1, 2)]
    weights = [value.numpy().tobytes() for value in run.weights.values()]
    tables = [run.scores, run.details, run.history, run.truth, run.flags, run.dynamics, *logits]
    return [run.spec, weights, *(table.to_json(double_precision=15) for table in tables)]


@examples(100)
@given(st.data())
def test_a_folder_whose_bytes_changed_reads_as_before_or_not_at_all(
    saved: Path, tmp_path_factory: Any, data: st.DataObject
) -> None:
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("changed") / "run"))
    for _ in range(data.draw(st.integers(1, 3))):
        files = sorted(one for one in folder.rglob("*") if one.is_file())
        file = data.draw(st.sampled_from(files), label="file")
        content = file.read_bytes()
        at = data.draw(st.integers(0, max(0, len(content) - 1)), label="at")
        how = data.draw(st.sampled_from(["other", "cut", "longer", "gone", "another's"]))
        if how == "gone":
            file.unlink()
        elif how == "another's":
            file.write_bytes(data.draw(st.sampled_from(files)).read_bytes() if files else b"")
        else:
            new = data.draw(st.binary(min_size=1, max_size=4), label="bytes")
            parts = {"other": new + content[at + len(new) :], "cut": b"", "longer": new}
            file.write_bytes(content[:at] + parts[how] + content[at:] * (how == "longer"))
        if not any(one.is_file() for one in folder.rglob("*")):
            break
    found = accepted(lambda: read(folder))
    assert found is None or found == read(saved)


LOOKS: list[Callable[[hcat.Run], Any]] = [
    repr, lambda run: run.learning_check, lambda run: run.hardest(3), lambda run: run.by_seed(),
    lambda run: run.costs(), lambda run: run.first_look, lambda run: run.decisions(),
    lambda run: run.apply(dataset=(np.zeros((ROWS, 3)), np.arange(ROWS) % 3)),
    lambda run: run.compare(run), lambda run: run.neighbours(0), lambda run: run.data_map(),
]  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("../x")),
    lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(st.text(max_size=4), one)),
    max_leaves=4,
)


@examples(40)
@given(st.data())
def test_an_index_of_a_stranger_is_data(
    saved: Path, tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Sealed as ours are: whatever it says, one line refuses it, or the run can be looked at."""
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("strange") / "run"))
    values = unsealed((folder / "run.json").read_bytes())
    inner: Any = values
    for _ in range(data.draw(st.integers(0, 2))):
        key = data.draw(st.sampled_from(sorted(inner)))
        if not (isinstance(inner[key], dict) and inner[key]):
            break
        inner = inner[key]
    key = data.draw(st.sampled_from(sorted(inner)), label="key")
    inner[key] = data.draw(JSON, label="value")
    (folder / "run.json").write_text(sealed(values), encoding="utf-8")
    run = accepted(lambda: hcat.load_run(folder))
    if run is not None:
        assert run.scores.equals(hcat.load_run(saved).scores)
        for look in LOOKS:
            accepted(lambda look=look, run=run: look(run))
    assert sorted(folder.parent.iterdir()) == [folder]


IDS = st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=3, unique=True)
NOTES = st.text(max_size=5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["mislabeled", "drop", "keep"]), IDS, NOTES),
        st.tuples(st.just("relabel"), IDS, st.integers(0, 2)),
        st.tuples(st.sampled_from(["clear", "undo", "redo", "again"]), IDS, NOTES),
    ),
    max_size=12,
)


@examples(40)
@given(STEPS)
def test_decisions_are_what_was_said_whatever_was_taken_back(
    tmp_path_factory: Any, steps: list[tuple[str, list[int], Any]]
) -> None:
    """Compared with a list of states: the file, read anew at any time, says the same."""
    labels = pd.Categorical.from_codes(np.arange(ROWS) % 3, categories=["a", "b", "c"])
    samples = Samples(pd.Index(range(ROWS)), labels)
    file = tmp_path_factory.mktemp("decisions") / "run.decisions.json"
    table, states, at = Decisions(samples, file), [{}], 0
    for word, ids, more in steps:
        if word == "again":
            table = Decisions(samples, file)
        elif word in ("undo", "redo"):
            getattr(table, word)()
            at = max(0, at - 1) if word == "undo" else min(len(states) - 1, at + 1)
        elif word == "clear":
            table.clear(ids)
            kept = {row: one for row, one in states[at].items() if row not in ids}
            if kept != states[at]:  # nothing said, nothing to take back
                states[at + 1 :], at = [kept], at + 1
        elif word == "relabel":
            if any(row % 3 == more for row in ids):
                with pytest.raises(SpecError, match="already"):
                    table.relabel(ids, "abc"[more])
                continue
            table.relabel(ids, "abc"[more])
            states[at + 1 :], at = [{**states[at], **dict.fromkeys(ids, word)}], at + 1
        else:
            getattr(table, word)(ids, note=more)
            states[at + 1 :], at = [{**states[at], **dict.fromkeys(ids, word)}], at + 1
        for one in (table, Decisions(samples, file)):
            assert {row: decision.action for row, decision in one.items()} == states[at]
            assert one.steps == (at, len(states) - 1 - at)
    for suffix in (".csv", ".parquet"):
        passed_on = Decisions(samples)
        passed_on.add(table.export(file.with_name(f"kept{suffix}")))
        assert passed_on.items() == table.items()


@examples(40)
@given(JSON, JSON)
def test_a_file_of_decisions_by_a_stranger_is_read_or_refused(
    tmp_path_factory: Any, steps: Any, done: Any
) -> None:
    samples = Samples(pd.Index(range(ROWS)), pd.Categorical.from_codes([0] * ROWS, ["a", "b"]))
    file = tmp_path_factory.mktemp("decisions") / "run.decisions.json"
    right = {"action": "drop", "time": "", "note": "", "ids": ["1"], "labels": ["a"]}
    for content in (steps, [steps], [[steps]], [[{**right, "ids": steps}]], [[right, done]],
                    [[{**right, "labels": steps}]], [[{**right, "action": steps}]],
                    [[{**right, "note": steps, "time": done}]]):  # fmt: skip
        text = sealed({"schema_version": 1, "steps": content, "done": done})
        file.write_text(text, encoding="utf-8")
        accepted(lambda: Decisions(samples, file).frame())
        text = sealed({"schema_version": 1, "steps": content, "done": 1})
        file.write_text(text, encoding="utf-8")
        accepted(lambda: Decisions(samples, file).frame())
