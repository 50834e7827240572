"""What all tests share: where files lie, and that CI skips no browser test."""

from __future__ import annotations

import builtins
import gc
import multiprocessing
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.data.loading import load
from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.training.events import EndEvent, EpochEvent, StartEvent
from hcat_nb.training.interim import InterimScores

# Tests work on small tensors, which several threads make slower; and equal
# sums need equal ways of splitting them.
torch.set_num_threads(1)

# Programs that people start; they find each other beside themselves, as tests do not.
collect_ignore = ["benchmarks", "contract/saved"]  # and notebooks that earlier versions executed
# Collecting doctests would import it, and register its device for every test of the process.
collect_ignore += ["contract/pretend_device.py"]

ROOT = Path(__file__).resolve().parents[1]
BROWSER_FOLDER = ROOT / "tests" / "browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run files, and the tests of each, in any order"
    )


@pytest.hookimpl(tryfirst=True)  # before `-m` selects and users of a fixture are brought together
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow by its kind; begin with files that hold such tests.

    xdist hands out files in this order: the quick ones at the end keep every
    process busy to the last.
    """
    for item in items:
        several = "torchrun" in getattr(item, "fixturenames", ())
        if several or item.path.suffix == ".ipynb" or item.get_closest_marker("browser"):
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    seed = config.getoption("--shuffle")
    if seed is not None:
        _shuffle(items, random.Random(seed))


def _shuffle(items: list[pytest.Item], chance: random.Random) -> None:
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    for path, tests in files.items():
        if path.suffix != ".ipynb":  # cells have an order
            chance.shuffle(tests)
    order = list(files.values())
    chance.shuffle(order)
    items[:] = [item for tests in order for item in tests]


_DRAWN: dict[str, dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def _same_draws(request: pytest.FixtureRequest) -> None:
    """Let a module's ``RNG`` draw for each test what it would draw for the first one."""
    module = getattr(request, "module", None)
    rng = getattr(module, "RNG", None)
    if isinstance(rng, np.random.Generator):
        rng.bit_generator.state = _DRAWN.setdefault(module.__name__, rng.bit_generator.state)


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


@pytest.fixture(scope="session")
def forked(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run code in a process that begins with all that a run imports, and tell how it ended.

    It is forked from one that has imported that, once a session, and has one thread.
    """
    folder = tmp_path_factory.mktemp("forked")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hcat_nb.sweeps._preload"])

    def run(code: str) -> subprocess.CompletedProcess[str]:
        said = folder / f"said_{uuid.uuid4().hex}.txt"
        begin = (
            f"import os, torch\nsaid = os.open({str(said)!r}, os.O_CREAT | os.O_WRONLY)\n"
            "os.dup2(said, 1)\nos.dup2(said, 2)\ntorch.set_num_threads(1)\n"
        )
        process = context.Process(target=exec, args=(begin + code, {"__name__": "__main__"}))
        process.start()
        process.join()
        return subprocess.CompletedProcess(code, process.exitcode or 0, said.read_text())

    return run


@pytest.fixture
def torchrun(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """A function that runs a program's text in several processes; none of them stays.

    They find each other at a free port of this machine.  A list of words
    instead of a text is what stands behind ``torchrun`` on the command line.
    """
    mark = uuid.uuid4().hex

    def run(
        program: str | list[str], processes: int = 2, *, fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        words = program
        if isinstance(program, str):
            path = tmp_path / f"program_{uuid.uuid4().hex}.py"
            path.write_text(program)
            words = [str(path)]
        launch = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HCAT_TEST_MARK": mark}
        with subprocess.Popen(
            [sys.executable, "-m", *launch, *words],
            env=os.environ | environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                out, error = process.communicate(timeout=600)
            except subprocess.TimeoutExpired:
                process.terminate()  # torchrun ends those that it started
                out, error = process.communicate()
                pytest.fail(f"the processes hang:\n{out}\n{error}")
        assert (process.returncode != 0) == fails, error
        return subprocess.CompletedProcess(words, process.returncode, out, error)

    yield run
    assert not [one.pid for one in psutil.process_iter() if _mark(one) == mark]


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("HCAT_TEST_MARK")
    except psutil.Error:  # another user's, or gone
        return None


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


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache that no other process has."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HCAT_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A new IPython shell with the extension loaded."""
    # Doctests leave one, and IPython then keeps none of its own.
    monkeypatch.delattr(builtins, "_", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "hcat_nb")
    yield made
    made.history_manager.end_session()
    InteractiveShell.clear_instance()


class MadeUpRun:
    """Events of a run that nobody trained."""

    def __init__(self, n: int = 100, n_epochs: int = 3, truth: bool = True) -> None:
        rng = np.random.default_rng(0)
        self.n, self.n_epochs = n, n_epochs
        labels = rng.integers(0, 2, n)
        labels[0] = -1
        self.start = StartEvent(
            n_epochs=n_epochs,
            n_steps=4,
            dataset="<b>trees</b>",
            model="lenet",
            device="cpu",
            sample_ids=pd.Index([f"t{i}" for i in range(n)]),
            labels=labels,
            class_names=("oak", "<i>elm</i>"),
            is_hard=rng.random(n) < 0.2 if truth else None,
            methods={"aum": "epoch", "cleanlab": "final"},
        )

    def snapshot(self, epoch: int) -> MapSnapshot:
        rng = np.random.default_rng(epoch)
        confidence = rng.random(self.n, dtype=np.float32)
        confidence[0] = np.nan
        variability = np.where(np.isnan(confidence), np.nan, 0.1 * epoch).astype(np.float32)
        return MapSnapshot(epoch, confidence, variability, variability / 2, confidence, confidence)

    def epoch(self, epoch: int) -> EpochEvent:
        return EpochEvent(
            epoch=epoch,
            n_epochs=self.n_epochs,
            loss=1 / epoch,
            accuracy=0.25 * epoch,
            elapsed=2.0 * epoch,
            remaining=2.0 * (self.n_epochs - epoch),
            map=self.snapshot(epoch),
            scores=InterimScores(lambda: self.scores(epoch, last=epoch == self.n_epochs)),
        )

    def scores(self, epoch: int, last: bool) -> dict[str, np.ndarray]:
        values = np.random.default_rng(epoch).normal(size=self.n).astype(np.float32)
        return {"aum": values, **({"cleanlab": -values} if last else {})}

    def end(self, outcome: Any = "finished", epochs: int | None = None) -> EndEvent:
        epochs = self.n_epochs if epochs is None else epochs
        scores = InterimScores(lambda: self.scores(epochs, last=True)) if epochs else None
        return EndEvent(outcome, epochs, scores=scores)


@pytest.fixture(scope="session")
def made_up_run() -> type[MadeUpRun]:
    return MadeUpRun


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was shown: ("new" or "update", output by MIME type)."""
    shown: list[tuple[str, dict[str, Any]]] = []

    def publish(data: dict[str, Any], metadata: Any = None, **options: Any) -> None:
        shown.append(("update" if options.get("update") else "new", data))

    import IPython.core.display_functions as functions

    monkeypatch.setattr(functions, "publish_display_data", publish)
    monkeypatch.setattr("IPython.core.interactiveshell.InteractiveShell.initialized", lambda: True)
    return shown


@pytest.fixture(scope="session")
def image_run() -> Run:
    """200 digits, label noise, LeNet, all methods, dynamics kept."""
    return characterize(
        "digits",
        subset=200,
        hardness="uniform",
        p=0.1,
        epochs=3,
        batch_size=16,
        seed=0,
        keep_dynamics="probs",
    )


@pytest.fixture(scope="session")
def table_run() -> Run:
    """The wine table as it is, MLP."""
    return characterize(load("wine"), epochs=3, methods="aum,el2n,forgetting", seed=0)
