from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcat_nb.jupyter.sweep_screen import SweepScreen
from hcat_nb.magics.magics import _answer
from hcat_nb.sweeps.progress import SweepProgress
from hcat_nb.sweeps.sweep import Sweep


class _Handle:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def display(self, bundle: dict[str, str], **options: Any) -> _Handle:
        assert options == {"raw": True, "display_id": True}
        self.sent.append(bundle)
        return self

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.sent.append(bundle)


def test_one_output_is_updated_where_something_changed() -> None:
    handle = _Handle()
    screen = SweepScreen(handle.display)
    for progress in (
        SweepProgress(4, 1, running=2),
        SweepProgress(4, 1, running=2),
        SweepProgress(4, 1, done=1, running=2, seconds_left=50.1),
        SweepProgress(4, 1, done=1, running=2, seconds_left=50.3),
        SweepProgress(4, 1, done=2, failed=1),
    ):
        screen.show(progress)
    screen.end()
    assert [one["text/plain"] for one in handle.sent] == [
        "sweep: 1/4 done, 2 running",
        "sweep: 2/4 done, 2 running, 50 s left",
        "sweep: 3/4 done, 1 failed",
    ]
    assert 'value="0.5000"' in handle.sent[1]["text/html"]
    assert "<progress" not in handle.sent[-1]["text/html"]  # there is nothing to wait for
    assert "3/4 done, 1 failed" in handle.sent[-1]["text/html"]


def test_the_answer_comes_first_in_the_end_and_what_the_user_named_is_text() -> None:
    handle = _Handle()
    screen = SweepScreen(handle.display)
    screen.show(SweepProgress(3, 0, done=2, best="best so far: <aum>"))
    assert "best so far: &lt;aum&gt;" in handle.sent[-1]["text/html"]
    screen.conclude("On these data: <em>aum</em>.", "<table></table>", "hcat report 'a<b>'")
    page, plain = handle.sent[-1]["text/html"], handle.sent[-1]["text/plain"]
    parts = ["<b>On these data", "<table>", "hcat report &#x27;a&lt;b&gt;&#x27;", "<progress"]
    places = [page.index(one) for one in parts]
    assert places == sorted(places)
    assert plain.startswith("On these data: aum.")


def test_a_sweep_of_which_nothing_is_done_has_no_answer(tmp_path: Path) -> None:
    screen = SweepScreen(lambda *_, **__: pytest.fail("something is shown"))
    _answer(screen, Sweep(tmp_path, (), {}, 0, 0.0))
