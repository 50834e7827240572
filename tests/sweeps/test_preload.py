from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.slow


def test_it_starts_no_thread_of_python_and_no_device(fresh_python: Callable[..., str]) -> None:
    code = (
        "import hcat_nb.sweeps._preload, sys, threading, torch\n"
        "print(threading.active_count(), torch.cuda.is_initialized())"
    )
    assert fresh_python(code).split() == ["1", "False"]


def test_a_run_imports_little_more(fresh_python: Callable[..., str]) -> None:
    code = (
        "import hcat_nb.sweeps._preload, sys\n"
        "before = set(sys.modules)\n"
        "from hcat_nb.api.characterize import characterize\n"
        "import tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    characterize('wine', epochs=2, hardness='uniform', out=folder + '/run')\n"
        "print(sorted(set(sys.modules) - before))"
    )
    missed = fresh_python(code).splitlines()[-1]
    heavy = ("'torch'", "'pandas'", "'sklearn.metrics'", "'scipy.stats'", "'cleanlab'")
    assert not [name for name in heavy if name in missed]
    assert "hcat_nb.runs" not in missed
