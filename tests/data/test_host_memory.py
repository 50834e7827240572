"""What is free is what the system and the container leave."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hcat_nb.data.host_memory import _left_in_cgroup, free_host_memory


def test_a_container_leaves_what_its_limit_says(tmp_path: Path) -> None:
    assert _left_in_cgroup(tmp_path) is None
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 50\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert _left_in_cgroup(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert _left_in_cgroup(tmp_path) == 750


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux counts")
def test_the_limit_of_a_process_counts(forked) -> None:
    done = forked(
        "import psutil, resource\n"
        "from hcat_nb.data.host_memory import free_host_memory\n"
        "now = psutil.Process().memory_info().vms\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, resource.RLIM_INFINITY))\n"
        "print(free_host_memory())\n"
    )
    assert done.returncode == 0, done.stdout
    assert 2**27 < int(done.stdout) <= 2**28


def test_this_machine_has_some_left() -> None:
    assert free_host_memory() > 2**20
