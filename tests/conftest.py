"""What all tests share: where files lie, and that CI skips no browser test."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

# Tests work on small tensors, which several threads make slower; and equal
# sums need equal ways of splitting them.
torch.set_num_threads(1)

# Programs that people start; they find each other beside themselves, as tests do not.
collect_ignore = ["benchmarks"]

ROOT = Path(__file__).resolve().parents[1]
BROWSER_FOLDER = ROOT / "tests" / "browser"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data beside the checkout; skips where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the public data in ../shared/data, which is absent here")
    return folder


@pytest.fixture
def live_tensor_bytes() -> Callable[[], int]:
    """A function that returns how many bytes all living dense tensors hold."""

    def count() -> int:
        gc.collect()
        # isinstance would ask lazy modules of other packages for their class
        tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
        dense = [one for one in tensors if one.layout is torch.strided]
        return sum(one.numel() * one.element_size() for one in dense)

    return count


@pytest.fixture
def fresh_python(tmp_path: Path) -> Callable[..., str]:
    """Run code in a new interpreter, in an empty folder, and return what it printed."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _browser_required() -> bool:
    return bool(os.environ.get("HCAT_REQUIRE_BROWSER"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    report = yield
    if report.skipped and _browser_required() and item.get_closest_marker("browser"):
        _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> pytest.CollectReport:
    report = yield
    if report.skipped and _browser_required() and collector.path.is_relative_to(BROWSER_FOLDER):
        _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"HCAT_REQUIRE_BROWSER forbids to skip a browser test ({reason})"
