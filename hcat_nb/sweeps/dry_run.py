"""What a sweep would do, and how long it would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import time_words
from hcat_nb.runs.store.saving import read_index
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps._state import RUN, done_state
from hcat_nb.sweeps._workers import available_cores
from hcat_nb.sweeps.grid import Cell

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.execution.forecast import Forecast

_SHOWN = 40
# Runs that agree in these take about the same time.
_ALIKE = ("dataset", "dataset_options", "subset", "model", "model_options", "methods", "epochs")
_ALIKE_MORE = ("method_options", "batch_size", "device", "seeds", "keep_dynamics")


@dataclass(frozen=True, eq=False)
class DryRun:
    """The runs of a sweep, a row each, by address.

    Columns: the parameters that were given, and ``epochs`` where nobody chose them; ``done``;
    ``seconds`` that the run took or is expected to take; ``from``: ``measured``, ``like`` (the
    mean of similar runs that were done) or ``forecast`` (training and observation only; see
    :func:`hcat_nb.runs.execution.forecast.forecast`).
    """

    table: pd.DataFrame
    n_workers: int

    @property
    def seconds(self) -> float:
        """Expected seconds until all are done."""
        left = self.table.loc[~self.table["done"], "seconds"]
        if left.empty:
            return 0.0
        return float(max(left.sum() / self.n_workers, left.max()))

    def __repr__(self) -> str:
        n, done = len(self.table), int(self.table["done"].sum())
        shown = self.table.head(_SHOWN).to_string(float_format="{:.3g}".format, na_rep="")
        more = f"\n... and {n - _SHOWN} more" if n > _SHOWN else ""
        line = f"{n} runs, {done} of them done; about {time_words(self.seconds)} for the others"
        foreseen = (self.table["from"] == "forecast").any()
        beside = "; of forecast runs the training alone, their notebooks take seconds more"
        return f"{shown}{more}\n{line}, {self.n_workers} at a time{beside if foreseen else ''}"


def dry_run(cells: Sequence[Cell], settings: Mapping[str, Any]) -> DryRun:
    """Return what a sweep of ``cells`` would do; of each kind of run one is tried for a moment."""
    import pandas as pd

    from hcat_nb.runs.execution.forecast import forecast

    folder = Path(settings["out"])
    measured: dict[str, list[float]] = {}
    epochs: dict[str, int | None] = {}
    known = {}
    for cell in cells:
        if state := done_state(folder / cell.address):
            known[cell.address] = float(state["seconds"])
            measured.setdefault(_kind(cell), []).append(known[cell.address])
            epochs[_kind(cell)] = cell.spec.epochs or _epochs(folder / cell.address)
    foreseen: dict[str, Forecast] = {}
    rows = []
    for cell in cells:
        kind = _kind(cell)
        if cell.address in known:
            seconds, source = known[cell.address], "measured"
        elif kind in measured:
            seconds, source = fmean(measured[kind]), "like"
        else:
            if kind not in foreseen:
                foreseen[kind] = forecast(spec=cell.spec)
                epochs[kind] = foreseen[kind].epochs
            seconds, source = foreseen[kind].seconds, "forecast"
        done = cell.address in known
        plain = {key: _cell_text(value) for key, value in cell.parameters.items()}
        plain["epochs"] = epochs[kind]
        rows.append({**plain, "done": done, "seconds": seconds, "from": source})
    index = pd.Index([cell.address for cell in cells], name="address")
    n_left = len(cells) - len(known)
    n_workers = max(1, min(settings.get("workers") or available_cores(), n_left))
    return DryRun(pd.DataFrame(rows, index=index), n_workers)


def _kind(cell: Cell) -> str:
    values = cell.spec.to_dict()
    return repr([values[name] for name in (*_ALIKE, *_ALIKE_MORE)])


def _epochs(folder: Path) -> int | None:
    """Return the epochs of a complete run."""
    return RunSpec.recorded(read_index(folder / RUN, ("spec", dict))["spec"]).epochs


def _cell_text(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list) else value
