"""A shell, a made-up run, and a cache of the test's own."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.training.events import EndEvent, EpochEvent, StartEvent
from hcat_nb.training.interim import InterimScores


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
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


@pytest.fixture
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
