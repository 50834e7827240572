from __future__ import annotations

import re

from hcat_nb.assets import asset
from hcat_nb.jupyter.replay_bar import ReplayBar


def test_its_traits_are_what_the_page_reads() -> None:
    source = asset("replay_bar.js").read_text()
    read = set(re.findall(r'model\.get\("(\w+)"\)', source))
    own = {name for name in ReplayBar.class_own_traits(sync=True) if not name.startswith("_")}
    assert own == read == {"epochs", "epoch", "note"}


def test_an_epoch_is_shown_when_it_is_asked_for() -> None:
    shown: list[int] = []
    bar = ReplayBar()
    bar._handle_custom_msg({"type": "epoch", "epoch": 1}, [])
    assert shown == []
    bar.offer([1, 3, 5], shown.append, note="every 2nd epoch")
    assert bar.epoch == 5
    bar._handle_custom_msg({"type": "epoch", "epoch": 3}, [])
    assert shown == [3]
    assert bar.epoch == 3  # where a view after a reload begins, as the map does
    assert (bar.epochs, bar.note) == ([1, 3, 5], "every 2nd epoch")
