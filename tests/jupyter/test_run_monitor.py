from __future__ import annotations

import re

from hcat_nb.assets import asset
from hcat_nb.jupyter.run_monitor import RunMonitor


def test_its_traits_are_what_the_page_reads() -> None:
    read = set(re.findall(r'model\.get\("(\w+)"\)', asset("run_monitor.js").read_text()))
    own = {name for name in RunMonitor.class_own_traits(sync=True) if not name.startswith("_")}
    assert own == read == {"share", "line", "outcome"}
