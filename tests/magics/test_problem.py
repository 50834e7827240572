"""Errors in the panel: which of them a button mends, and what it does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.loading import load
from hcat_nb.errors import HcatError
from hcat_nb.magics.problem import Mend, Problem, mends

VALUES = {"target": "", "on_bad_row": "error", "on_missing_label": "error", "hardness": "none"}


def _frame() -> pd.DataFrame:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["a", "b"])
    return frame.assign(kind=["oak", "elm"] * 10)


def _error(frame: pd.DataFrame, **options: Any) -> HcatError:
    with pytest.raises(HcatError) as caught:
        load(frame, **options)
    return caught.value


def test_the_library_s_own_errors_are_mended_by_a_choice() -> None:
    frame = _frame()
    # Real errors, so that a text that changes does not lose its button unseen.
    offered = mends(_error(frame), VALUES)
    assert offered[0] == Mend("target: kind", "target", "kind")
    assert [one.value for one in offered] == ["kind", "b", "a"]
    found = mends(_error(frame, target="knd"), {**VALUES, "target": "knd"})
    assert found == [Mend("target: kind", "target", "kind")]
    frame.loc[3, "a"] = np.nan
    assert mends(_error(frame, target="kind"), VALUES) == [
        Mend("Leave these rows out", "on_bad_row", "drop")
    ]
    frame = _frame()
    frame.loc[3, "kind"] = None
    assert mends(_error(frame, target="kind"), VALUES) == [
        Mend("Leave these rows out", "on_missing_label", "drop")
    ]


def test_what_no_control_holds_has_no_button() -> None:
    assert mends(_error(_frame()), {}) == []
    assert mends(ValueError("a defect"), VALUES) == []
    unsure = HcatError("unknown 'x'", "one of a, b")
    assert mends(unsure, {"kind": "x"}) == []


def test_a_button_sets_the_control_and_goes_with_its_error() -> None:
    target = SimpleNamespace(widget=SimpleNamespace(value=""))
    problem = Problem(lambda: {"target": target})  # type: ignore[dict-item]
    problem.fail(_error(_frame()), "<b>no</b> labels")
    line, buttons = problem.children
    assert "&lt;b&gt;no" in line.value
    assert 'role="alert"' in line.value
    buttons.children[0].click()
    assert target.widget.value == "kind"
    problem.say("all is well")
    assert buttons.children == ()
