"""What stays behind: runs with the live view in a real kernel, panels, runs from the command line.

Counted after the first ``WARM`` rounds and at the end, so that what is built once does not count.
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from hcat_nb.cli import main
from tests.campaign.trials import LONGEST, SAID, Campaign, Trial, start, struck

GROWTH = 1.02  # of memory in use, from the first hundred rounds to the end
# Counts of objects move by a few: caches of a fixed size fill slowly.
SLACK = {"tensors": 3, "ours": 20, "threads": 1, "handles": 2, "files": 0, "shared": 0}

BEGIN = """
import gc, json, os, sys, tempfile, threading, time
from pathlib import Path
import psutil, torch
torch.set_num_threads(1)
import hcat_nb as hcat
shell = get_ipython()
shell.run_line_magic("load_ext", "hcat_nb")

def train():
    shell.run_line_magic("hcat_train", "wine --epochs 2 --methods aum el2n --model mlp --seed 0")

def counted():
    # What a run showed is let go of by threads, a moment after its end.
    found = []
    for _ in range(10):
        time.sleep(0.3)
        found.append(counted_now())
    return {name: min(one[name] for one in found) for name in found[0]}

def counted_now():
    shell.user_ns.pop("_", None)
    for _ in range(3):
        gc.collect()
    import ctypes
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    ours, tensors = 0, 0
    for one in gc.get_objects():
        kind = type(one)
        ours += str(kind.__module__).startswith("hcat_nb")
        tensors += issubclass(kind, torch.Tensor)
    # Pages of libraries' files are read and dropped as the system likes: they are told, not judged.
    said = dict(line.split(":", 1) for line in open("/proc/self/status"))
    own, shared, mapped = (1024 * int(said["Rss" + kind].split()[0])
                           for kind in ("Anon", "Shmem", "File"))
    return {
        "memory": own + shared, "mapped": mapped, "tensors": tensors, "ours": ours,
        "threads": threading.active_count(), "handles": psutil.Process().num_fds(),
        "files": len(os.listdir(tempfile.gettempdir())), "shared": len(os.listdir("/dev/shm")),
    }
"""
RUNS = "train()"
PANELS = """
panel = run.explore()
panel._ipython_display_()
panel.close()
"""
SETUP = """
panel = shell.run_line_magic("hcat_panel", "wine")
panel.close()
"""
AUDIT = """
panel = audit.explore()
panel._ipython_display_()
panel.close()
"""
WATCH = "run = work.watched(0, None)"  # a bare value would be kept in Out
COMPARE = """
from hcat_nb.jupyter.review.compare_panel import ComparePanel
panel = ComparePanel(run, run)
panel.close()
"""
PREPARE = """
run = hcat.characterize("wine", epochs=2, methods="aum el2n", seed=0)
audit = hcat.audit("wine", epochs=2, methods="aum el2n", seed=0)
from tests.campaign import work
"""
# What one round does, how many rounds, and after how many it is counted first.
ROUNDS = {
    "runs": (RUNS, 300, 100), "explorer": (PANELS, 200, 100), "panel": (SETUP, 200, 100),
    "comparison": (COMPARE, 200, 100), "audit": (AUDIT, 200, 100), "watched": (WATCH, 200, 100),
}  # fmt: skip


def _in_kernel(name: str, folder: Path) -> str:
    code, rounds, warm = ROUNDS[name]
    manager = KernelManager(kernel_name="python3")
    environment = {**os.environ, "TMPDIR": str(folder), "HCAT_CACHE": str(folder / "cache")}
    manager.start_kernel(env=environment, cwd=os.getcwd())
    client = manager.client()
    client.start_channels()
    found: list[dict[str, int]] = []

    def run(cell: str) -> str:
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        reply = client.execute_interactive(cell, timeout=3000, output_hook=hear)["content"]
        if reply["status"] != "ok":
            raise RuntimeError(f"{reply['ename']}: {reply['evalue']}")
        return "".join(said)

    try:
        client.wait_for_ready(timeout=120)
        run(BEGIN)
        run(PREPARE)
        for number in range(1, rounds + 1):
            run(code)
            if number in (warm, rounds):
                counts = run("print('COUNTS', json.dumps(counted()))")
                found.append(json.loads(counts.split("COUNTS", 1)[1]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    (folder / SAID).write_text(json.dumps(dict(zip((warm, rounds), found, strict=True))))
    return _grown(*found)


def _grown(before: dict[str, int], after: dict[str, int]) -> str:
    lost = [
        f"{name}: {before[name]} -> {after[name]}"
        for name, slack in SLACK.items()
        if name in before and after[name] > before[name] + slack
    ]
    if after.get("memory", 0) > GROWTH * before.get("memory", 0):
        lost.append(f"memory: {before['memory']:,} -> {after['memory']:,} bytes")
    return "; ".join(lost)


def _command(folder: Path) -> None:
    os.environ |= {"TMPDIR": str(folder / "tmp"), "HCAT_CACHE": str(folder / "cache")}
    tempfile.tempdir = None  # to be found anew
    words = ["run", "wine", "--epochs", "1", "--methods", "el2n", "--out", str(folder / "run")]
    raise SystemExit(main([*words, "--overwrite"]))


def _command_line(rounds: int, folder: Path) -> str:
    """Each in a process of its own, which has imported what a run needs: nothing else differs."""
    (folder / "tmp").mkdir()
    found = []
    for number in range(rounds):
        ended = struck(start(_command, folder), LONGEST)
        if ended:
            return f"run {number} ended with {ended}"
        if number in (0, rounds - 1):
            places = {"files": folder / "tmp", "shared": Path("/dev/shm"), "ours": folder}
            found.append({name: len(list(place.iterdir())) for name, place in places.items()})
    (folder / SAID).write_text(json.dumps({1: found[0], rounds: found[-1]}))
    return _grown(*found)


def trials() -> Iterator[Trial]:
    """300 runs and 100 openings after the first hundred, and 200 runs from the command line."""
    for name in ROUNDS:
        yield Trial(f"{name} in a kernel", functools.partial(_in_kernel, name))
    yield Trial("200 runs from the command line", functools.partial(_command_line, 200))


CAMPAIGN = Campaign(
    "soak: 300 runs with the live view, 200 watched, 200 from the command line, 200 openings of "
    "each panel", 7, trials,
)  # fmt: skip
