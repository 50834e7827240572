"""Mirrors of results: what a tracker then holds, without a network and without an account."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import HcatError
from hcat_nb.sweeps.mirrors import mirror_to_mlflow, mirror_to_wandb

MIRRORS = [mirror_to_mlflow, mirror_to_wandb]


@pytest.fixture
def table() -> pd.DataFrame:
    """A run with figures, one without hardness, and a mixture of two kinds."""
    rows: list[dict[str, Any]] = []
    plain = {"run": "a/run", "dataset": "wine", "hardness": "uniform", "p": 0.1, "root": None}
    for hcm, auroc in (("aum", 0.9), ("vog", np.nan)):
        rows.append({**plain, "hcm": hcm, "metric_hardness": "uniform", "auroc": auroc, "n": 18})
    rows.append({**plain, "run": "b/run", "hardness": None, "p": np.nan})
    for kind, auroc in (("uniform", 0.8), ("far_ood", 0.7)):
        mixed = {**plain, "run": "c/run", "hardness": "mixture", "hcm": "aum"}
        rows.append({**mixed, "metric_hardness": kind, "auroc": auroc, "n": 9})
    return pd.DataFrame(rows)


def test_mlflow_holds_parameters_and_figures_of_each_run_once(
    tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="MLflow is not installed")
    pytest.importorskip("alembic", reason="MLflow cannot use SQLite without alembic")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    uri = f"sqlite:///{tmp_path}/runs.db"
    assert mirror_to_mlflow(table[table["run"] == "a/run"], uri) == 1
    assert mirror_to_mlflow(table, uri) == 2  # it grew
    assert mirror_to_mlflow(table, uri) == 0
    client = tracking.MlflowClient(uri)
    place = client.get_experiment_by_name("hcat_nb").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([place])}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs["a/run"].data.metrics == {"auroc/aum": 0.9, "n/aum": 18.0, "n/vog": 18.0}
    assert runs["a/run"].data.params["dataset"] == "wine"
    assert runs["a/run"].data.params["p"] == "0.1"
    assert runs["b/run"].data.metrics == {}
    assert runs["c/run"].data.metrics["auroc/far_ood/aum"] == 0.7


def test_wandb_holds_each_run_once_offline(
    tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "online")  # whatever the environment says
    assert mirror_to_wandb(table[table["run"] == "a/run"], tmp_path) == 1
    assert mirror_to_wandb(table, tmp_path) == 2
    assert mirror_to_wandb(table, tmp_path) == 0
    stored = {path.name for path in tmp_path.glob("wandb/offline-run-*/*.wandb")}
    assert len(stored) == 3
    texts = [path.read_bytes() for path in tmp_path.glob("wandb/offline-run-*/*.wandb")]
    assert [b"auroc/aum" in text for text in texts].count(True) == 1
    assert [b"auroc/far_ood/aum" in text for text in texts].count(True) == 1


@pytest.mark.parametrize("mirror", MIRRORS)
def test_what_is_not_installed_is_named(
    mirror: Callable[[pd.DataFrame, str], int],
    tmp_path: Path,
    table: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] in ("mlflow", "wandb"):
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(HcatError, match=r"is not installed; to mend it: pip install .*tracking"):
        mirror(table, str(tmp_path))


def test_an_address_that_mlflow_does_not_know_is_told(table: pd.DataFrame) -> None:
    pytest.importorskip("mlflow", reason="needs the extra `tracking`")
    with pytest.raises(HcatError, match=r"MLflow cannot use 'foo://bar' .* expected sqlite"):
        mirror_to_mlflow(table, "foo://bar")
