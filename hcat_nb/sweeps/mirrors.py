"""The results of many runs in an experiment tracker: MLflow, or Weights & Biases without a network.

A mirror is a copy to look at; the runs and their table stay what counts.  Each
run of the table becomes a run of the tracker, with its specification as
parameters and ``auroc/aum`` and the like as figures.  A run that is there
already is left alone, so a mirror can be brought up to date as a sweep grows.
No account is needed: MLflow writes to a file of SQLite or a server of one's
own, and Weights & Biases to a folder that ``wandb sync`` can upload.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import as_path
from hcat_nb.errors import HcatError, StoreError

if TYPE_CHECKING:
    import pandas as pd

_PROJECT = "hcat_nb"
_TAG = "hcat_nb.digest"
_NOT_OF_A_RUN = ("run", "planned")  # what tells where it lies, not what it is
_LONGEST = 6000  # characters of a parameter that MLflow takes
_BATCH = 1000  # figures that it takes in one call; a specification's parameters always fit


@dataclass(frozen=True)
class _MirroredRun:
    """What a tracker is told of a run."""

    name: str
    parameters: dict[str, Any]
    figures: dict[str, float]

    @property
    def digest(self) -> str:
        """Of all that is told: a run whose figures changed is another one."""
        text = json.dumps([self.name, self.parameters, self.figures], sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def mirror_to_mlflow(table: pd.DataFrame, uri: str, *, experiment: str = _PROJECT) -> int:
    """Write the runs of :func:`hcat_nb.results` to MLflow; return how many were not there yet.

    ``uri`` is ``sqlite:///runs.db``, or the address of a server: MLflow 3 takes no plain folder
    any more.
    """
    try:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise _absent("MLflow") from error

    try:
        client = MlflowClient(uri)
        known = client.get_experiment_by_name(experiment)
    except MlflowException as error:
        reason = str(error).strip().partition("\n")[0]
        raise HcatError(
            f"MLflow cannot use {uri!r} ({reason})",
            "sqlite:///runs.db, or the address of a server",
        ) from error
    place = client.create_experiment(experiment) if known is None else known.experiment_id
    written = 0
    for one in _runs(table):
        if client.search_runs([place], f"tags.`{_TAG}` = '{one.digest}'", max_results=1):
            continue
        made = client.create_run(place, run_name=one.name).info
        figures = [Metric(key, value, made.start_time, 0) for key, value in one.figures.items()]
        parameters = [Param(key, str(value)[:_LONGEST]) for key, value in one.parameters.items()]
        client.log_batch(made.run_id, params=parameters)
        for at in range(0, len(figures), _BATCH):
            client.log_batch(made.run_id, metrics=figures[at : at + _BATCH])
        # The mark comes last: a run that was written in part is written again.
        client.log_batch(made.run_id, tags=[RunTag(_TAG, one.digest)])
        client.set_terminated(made.run_id)
        written += 1
    return written


def mirror_to_wandb(
    table: pd.DataFrame, folder: str | os.PathLike[str], *, project: str = _PROJECT
) -> int:
    """Write the runs of :func:`hcat_nb.results` as offline runs of W&B; return how many are new.

    Nothing leaves the machine; ``wandb sync FOLDER/wandb/offline-run-*`` uploads them for those
    who have an account. A run in whose middle this was killed counts as written: remove its folder
    to have it written again.
    """
    try:
        import wandb
    except ImportError as error:
        raise _absent("Weights & Biases") from error

    root = as_path(folder, StoreError).resolve()
    root.mkdir(parents=True, exist_ok=True)
    there = {path.name.rsplit("-", 1)[-1] for path in root.glob("wandb/offline-run-*")}
    settings = wandb.Settings(console="off", silent=True, disable_git=True, x_disable_stats=True)
    written = 0
    for one in _runs(table):
        if one.digest in there:
            continue
        with wandb.init(
            project=project,
            name=one.name,
            id=one.digest,
            dir=root,
            config=one.parameters,
            mode="offline",
            settings=settings,
        ) as run:
            run.summary.update(one.figures)
        written += 1
    return written


def _absent(name: str) -> HcatError:
    return HcatError(f"{name} is not installed", remedy="pip install 'hcat-nb[tracking]'")


def _runs(table: pd.DataFrame) -> Iterator[_MirroredRun]:
    """Yield what a tracker is told of each run of a table of results."""
    # Without the column no run has a figure.
    at = list(table.columns).index("hcm") if "hcm" in table else len(table.columns)
    for name, rows in table.groupby("run", sort=False):
        head = rows.iloc[0, :at]
        parameters = {
            str(key): _plain(value) for key, value in head.items() if key not in _NOT_OF_A_RUN
        }
        figures = {}
        for row in rows.iloc[:, at:].to_dict("records"):
            if row.get("hcm") is None or row["hcm"] != row["hcm"]:
                continue
            # Of a mixture each kind has figures of its own.
            kind = row.get("metric_hardness", head.get("hardness"))
            kind = f"/{kind}" if head.get("hardness") == "mixture" else ""
            for key, value in row.items():
                if isinstance(value, float | int) and math.isfinite(value):
                    figures[f"{key}{kind}/{row['hcm']}"] = float(value)
        yield _MirroredRun(str(name), parameters, figures)


def _plain(value: Any) -> Any:
    """Return a value that JSON knows; None for a figure that is absent."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
