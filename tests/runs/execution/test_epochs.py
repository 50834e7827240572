"""How many epochs a run has where nobody chose."""

from __future__ import annotations

import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.api.run import load_run
from hcat_nb.runs.execution.epochs import chosen_epochs
from hcat_nb.runs.execution.forecast import forecast
from hcat_nb.spec import RunSpec
from hcat_nb.training.events import Control, EpochEvent, Listener

FEW = {"methods": "el2n", "seed": 0, "batch_size": 8, "learning_check": False}


@pytest.mark.parametrize(
    ("options", "n_rows", "epochs"),
    [
        ({}, 100_000, 10),
        ({}, 33 * 64, 10),
        ({}, 700, 30),
        ({}, 24, 100),
        ({"batch_size": 8}, 700, 10),
        ({"epochs": 2}, 24, 2),
        ({"defaults": 1}, 24, 10),
        ({"variant": "hcat"}, 24, 10),
    ],
)
def test_few_rows_are_seen_more_often_unless_somebody_chose(
    options: dict[str, object], n_rows: int, epochs: int
) -> None:
    found, note = chosen_epochs(RunSpec.from_options(**options), n_rows)
    assert found == epochs
    assert (note == "") == ("epochs" in options)


def test_few_texts_are_not_learned_by_heart() -> None:
    assert chosen_epochs(RunSpec(), 700, n_columns=2000)[0] == 10
    assert chosen_epochs(RunSpec(), 700, n_columns=20)[0] == 30


class _StopsAfter(Listener):
    def __init__(self, epoch: int) -> None:
        self.control, self._epoch = Control(), epoch

    def on_epoch(self, event: EpochEvent) -> None:
        if event.epoch == self._epoch:
            self.control.stop.set()


def test_the_run_says_so_and_goes_on_with_as_many(tmp_path) -> None:
    whole = characterize("wine", out=tmp_path / "whole", **FEW)
    assert whole.spec.epochs == len(whole.history) == 15  # 330 steps of 23 in an epoch
    assert [note for note in whole.info["notes"] if note.startswith("15 epochs, for nobody chose")]
    assert load_run(tmp_path / "whole").spec.epochs == 15
    stops = _StopsAfter(2)
    out = tmp_path / "stopped"
    characterize("wine", out=out, listeners=[stops], control=stops.control, **FEW)
    again = resume(out)
    assert (again.spec, again.info["notes"]) == (whole.spec, whole.info["notes"])
    assert again.scores.equals(whole.scores)


def test_a_forecast_knows_how_many() -> None:
    told = forecast("wine", **FEW)
    assert told.epochs == 15
    assert "15 epochs" in repr(told)
