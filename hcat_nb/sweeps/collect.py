"""All runs of a folder as one table, without loading any of them.

Of each run only ``run.json`` is read: its specification and the metrics that
were measured when it was saved.
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import as_path
from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import delivered, make_room, refuse_foreign
from hcat_nb.runs.store.checkpoint import INDEX
from hcat_nb.runs.store.digests import unsealed
from hcat_nb.runs.store.folder import RECORD, settle
from hcat_nb.sweeps._plan_file import is_planned
from hcat_nb.sweeps._state import ATTEMPTS, DONE, RUN, STATE, read_state

if TYPE_CHECKING:
    import pandas as pd

# Of packages whose version moves last digits.
_PACKAGES = {"torch": "torch_version"}


def results(
    folder: str | os.PathLike[str],
    *,
    version: str | None = None,
    planned: bool = False,
    out: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Return the metrics of all runs below ``folder``, a row for each run and method.

    Parameters
    ----------
    folder : str or Path
        Of a sweep, or any folder of saved runs.
    version : str, optional
        Only runs of this version of the code (the end of a run's address).
        Without it, a warning tells where several stand side by side.
    planned : bool
        Only runs of the plan that the sweep began last.  Without it, a warning
        tells where others stand beside them: of an earlier plan, or of a file
        of data as it was before it changed.
    out : str or Path, optional
        A ``.parquet`` or ``.csv`` file to write the table to; DuckDB, Polars
        and others read it.

    Returns
    -------
    pandas.DataFrame
        ``run`` (its folder, from ``folder``), ``code_version``, ``planned`` (of the
        last plan; True where there is no plan), ``run_tag``;
        a column for each field of RunSpec (mappings as JSON text, seeds as
        they were used); ``outcome``, ``check_state`` (of the learning check: learned,
        not_learned, ...; None where it was left out), ``n_samples``, ``seconds``,
        ``peak_memory_mb``; then the columns of :func:`hcat_nb.evaluate`.  A
        run without injected hardness has one row, without metrics.

    Raises
    ------
    StoreError
        If there is no such folder, or no run in it.

    Examples
    --------
    >>> import tempfile, hcat_nb as hcat
    >>> folder = tempfile.mkdtemp()
    >>> options = {"epochs": 2, "methods": "el2n", "hardness": "uniform", "p": 0.1}
    >>> for seed in (0, 1):
    ...     run = hcat.characterize("wine", seed=seed, out=f"{folder}/{seed}", **options)
    >>> hcat.results(folder)["run"].unique().tolist()
    ['0', '1']
    """
    root = as_path(folder, StoreError).resolve()
    if not str(folder) or not root.is_dir():  # an empty text would be where this process works
        shown = str(root) if str(folder) else "''"
        raise StoreError(f"{shown} is no folder", "the folder of a sweep, or of saved runs")
    target = None if out is None else _target(out)
    heads: list[dict[str, Any]] = []
    metrics: list[list[dict[str, Any]]] = []
    versions = set()
    of_plan = functools.cache(is_planned)
    n_others = 0
    for place, state in _runs(root):
        of = _version(state)
        if version is not None and of != version:
            continue
        head, measured = _read(root, place, state)
        if state is not None and not of_plan(place.parent.parent)(place.parent.name):
            head["planned"] = False
            n_others += 1
            if planned:
                continue
        versions.add(of)
        heads.append(head)
        metrics.append(measured)
    if not heads:
        of_version = "" if version is None else f" of version {version}"
        beside = f" of its last plan, and {n_others} of others" if n_others else ""
        raise StoreError(
            f"{root} holds no finished run{of_version}{beside}", f"folders with a {RECORD}"
        )
    if len(versions - {""}) > 1:
        warnings.warn(
            f"{root} holds runs of {len(versions)} versions of the code "
            f"({', '.join(sorted(versions))}); choose one by version=, "
            "or tell them apart by the column code_version",
            stacklevel=2,
        )
    if n_others and (planned or version is None):
        others = f"{root} holds runs that are not of the plan that it began last: {n_others}"
        choice = "they are left out" if planned else "planned=True leaves them out"
        warnings.warn(
            f"{others} (of another plan, other code, or data that changed); {choice}", stacklevel=2
        )
    # Folders of a sweep have hashes for names, an order that means nothing to a reader.
    order = sorted(range(len(heads)), key=lambda number: _place(heads[number]))
    table = _joined([heads[number] for number in order], [metrics[number] for number in order])
    if target is not None:
        write = table.to_csv if target.suffix == ".csv" else table.to_parquet
        delivered(target, partial(write, index=False))
    return table


def _place(head: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a run comes by in the table: its data, what was done to it, its seeds."""
    words = (str(head["dataset"]), str(head["hardness"] or ""), str(head["model"]))
    return (*words, head["p"] or 0.0, head["data_seed"], head["model_seed"], head["run"])


def _runs(root: Path) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Yield folders that hold a finished run, with the state that a sweep wrote."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            names = {entry.name: entry for entry in entries}
        settle(folder)  # a save that was killed is completed first
        if (folder / RECORD).is_file():
            yield folder, None
        elif STATE in names or ATTEMPTS in names:
            state = read_state(folder)
            inner = folder / RUN
            # One without a state is at work, or was interrupted before its end.
            done, there = state is not None and state["state"] == DONE, (inner / RECORD).is_file()
            if done and there:
                yield inner, state
            elif done or (state is None and STATE in names):
                lacks = f"{inner} is gone" if done else f"{folder / STATE} is damaged"
                warnings.warn(
                    f"{lacks}, so this run is left out; "
                    "to mend it: start the sweep again, which does the run anew",
                    stacklevel=3,
                )
        elif INDEX not in names:  # beside checkpoints stand seeds of a run that is not finished
            waiting += [
                Path(entry.path)
                for name, entry in sorted(names.items(), reverse=True)
                if not name.startswith(".") and entry.is_dir()
            ]


def _read(
    root: Path, place: Path, state: dict[str, Any] | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a run was, and its metrics."""
    path = place / RECORD
    try:
        record = unsealed(path.read_bytes())
        spec, info = record["spec"], record["info"]
        head = {
            "run": place.relative_to(root).as_posix(),
            "code_version": _version(state),
            "planned": True,
            "run_tag": (state or {"parameters": {}})["parameters"].get("run_tag", ""),
            **{key: _plain(value) for key, value in spec.items()},
            "data_seed": spec["seed"] if spec["data_seed"] is None else spec["data_seed"],
            "model_seed": spec["seed"] if spec["model_seed"] is None else spec["model_seed"],
            "dataset": info["dataset"]["name"],
            "model": info["model"],
            "outcome": info["outcome"],
            "check_state": (info.get("check") or {}).get("state"),
            "n_samples": info["dataset"]["n_samples"],
            "seconds": record["timings"].get("total"),
            "peak_memory_mb": record["timings"].get("peak_memory_mb"),
            **{name: info["versions"].get(key) for key, name in _PACKAGES.items()},
        }
        metrics = record["metrics"] if spec["hardness"] or spec.get("truth") else [{}]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} cannot be read ({error!r})",
            "a file that a run wrote",
            "remove the folder and start the sweep again",
        ) from error
    return head, metrics


def _joined(heads: list[dict[str, Any]], metrics: list[list[dict[str, Any]]]) -> pd.DataFrame:
    """Return a row for each of a run's metrics, with what the run was."""
    import numpy as np
    import pandas as pd

    # The hardness that was measured is that which was injected, but for the parts of a mixture.
    left = pd.DataFrame(heads)
    right = pd.DataFrame([row for rows in metrics for row in rows])
    right = right.rename(columns={name: f"metric_{name}" for name in right if name in left})
    of_run = np.repeat(np.arange(len(heads)), [len(rows) for rows in metrics])
    return pd.concat([left.iloc[of_run].reset_index(drop=True), right], axis="columns")


def _version(state: dict[str, Any] | None) -> str:
    return "" if state is None else str(state["version"])


def _plain(value: Any) -> Any:
    """Return what one column can hold: mappings as JSON, names in one text."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _target(out: str | os.PathLike[str]) -> Path:
    path = Path(out)
    if path.suffix not in (".parquet", ".csv"):
        raise StoreError(f"the table cannot be written to {path}", "a .parquet or .csv file")
    refuse_foreign(path, ("run", "code_version", "planned"), "table of results")
    make_room(path)
    return path
