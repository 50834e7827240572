"""A21 of the field reports: what cells show does not keep data and models alive."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from hcat_nb.magics.history import add_history

TRAIN = "%hcat_train digits --epochs 1 --methods el2n --seed "


def run_cell(shell: InteractiveShell, code: str) -> Any:
    result = shell.run_cell(code, store_history=True)
    result.raise_error()
    return result.result


def test_only_the_newest_shown_run_keeps_its_data(shell: InteractiveShell) -> None:
    for seed in range(3):
        run_cell(shell, TRAIN + str(seed))
    shown = list(shell.user_ns["Out"].values())
    assert [run.dataset is None for run in shown] == [True, True, False]
    assert [bool(run.weights) for run in shown] == [False, False, True]
    assert shell.user_ns["_"] is shown[2]
    for name in ("__", "___"):
        assert shell.user_ns[name].dataset is None
    # A light run still evaluates.
    assert len(shown[0].scores) == 1797
    assert repr(shown[0]) == repr(shown[2])


@pytest.mark.slow
def test_shown_runs_do_not_pile_up(
    shell: InteractiveShell, live_tensor_bytes: Callable[[], int]
) -> None:
    sizes = []
    for seed in range(4):
        run_cell(shell, TRAIN + str(seed))
        gc.collect()
        sizes.append(live_tensor_bytes())
    # The same run four times.  Each keeps its tables, 65 kB; without the care they would
    # keep weights and data too, another .6 MB each.
    assert sizes[3] - sizes[0] < 3 * 75_000


def test_a_variable_keeps_everything(shell: InteractiveShell) -> None:
    run_cell(shell, f"run = {TRAIN}0")
    run_cell(shell, "run")
    run_cell(shell, TRAIN + "1")
    assert shell.user_ns["run"].dataset is not None
    first = min(shell.user_ns["Out"])
    assert shell.user_ns["Out"][first].dataset is None


def test_perturbed_data_become_their_truth(shell: InteractiveShell) -> None:
    perturb = "%hcat_perturb digits --hardness uniform --p 0.1"
    first, second = run_cell(shell, perturb), run_cell(shell, perturb)
    old, new = shell.user_ns["Out"].values()
    assert old is first.truth
    assert new is second


def test_reprs_are_short(shell: InteractiveShell) -> None:
    for code in (
        TRAIN + "0",
        "%hcat_perturb digits --hardness uniform",
        "%hcat_panel digits",
    ):
        assert len(repr(run_cell(shell, f"x = {code}\nx"))) < 200


def test_it_watches_once(shell: InteractiveShell) -> None:
    before = len(shell.events.callbacks["post_run_cell"])
    add_history(shell)
    assert len(shell.events.callbacks["post_run_cell"]) == before


def test_other_results_are_left_alone(shell: InteractiveShell) -> None:
    run_cell(shell, "[1, 2]")
    run_cell(shell, TRAIN + "0")
    run_cell(shell, "3")
    assert next(iter(shell.user_ns["Out"].values())) == [1, 2]
    assert shell.user_ns["__"].dataset is not None
