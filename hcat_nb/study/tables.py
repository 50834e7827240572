"""What the analysis of many runs needs, from their folders or from tables made of them.

A table of results tells how well hard samples were found; for the stability of
the scores, and for H-CAT's own AUPRC, the runs themselves are read, once.  A
study is saved as three small Parquet files, which hold all that the notebooks
draw.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import as_path
from hcat_nb.errors import StoreError, UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.runs.store.atomic import writing
from hcat_nb.runs.store.saving import read_table

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.api.run import Run

_TABLES = ("results", "stability", "shortcuts")
_GROUP = ("dataset", "hardness", "model", "p")
# What may differ between runs of one group, and what says where they are or what they cost.
_SEEDS = ("seed", "data_seed", "model_seed")
_NOT_THE_RUN = (*_SEEDS, "root", "download", "device", "data_on", "observe_batch_size")
_NEEDED = ("hcm", "auroc", "auprc", "hardness", "dataset", "model", "p")
SHORTCUT_COLUMNS = (
    *("dataset", "hardness", "p", "data_seed", "variant", "n_classes", "n_hard", "n_changed"),
    *("probe", "auroc"),
)


@dataclass(frozen=True, eq=False)
class Study:
    """Tables of many runs.

    ``results`` has a row for each run and method: a sweep's columns and ``hardness_variant``
    ("paper" or "hcat"), and ``auprc_hcat`` (the AUPRC of H-CAT's evaluator), where the runs were
    read. Where a method ran with several options, the commonest keep its name, and others have
    them behind it, "cleanlab (cv=5)", and the kind "option".

    ``stability`` has one for each method and pair of runs that differ by their seeds alone;
    ``varied`` is "model seed", "data seed" or "both seeds". ``shortcuts`` are as
    ``tests/benchmarks/shortcuts.py`` makes them, or empty.
    """

    results: pd.DataFrame
    stability: pd.DataFrame
    shortcuts: pd.DataFrame

    def __repr__(self) -> str:
        runs = self.results["run"].nunique() if "run" in self.results else "an unknown number of"
        return (
            f"<Study: {len(self.results):,} results of {runs} runs; {len(self.stability):,} "
            f"correlations of two runs; {len(self.shortcuts):,} probes>"
        )

    def only(self, where: Mapping[str, Any]) -> Study:
        """Return the rows that have some of the values given, such as ``{"hardness": "uniform"}``.

        A table that lacks a column is not narrowed by it, but the results must have it.
        """
        for name in where:
            if name not in self.results:
                known = [str(one) for one in self.results.columns]
                raise UnknownNameError(f"the results have no column {name!r}", nearest(name, known))
        kept = {name: _narrowed(getattr(self, name), where) for name in _TABLES}
        if not len(kept["results"]):
            raise StoreError(f"no result has {dict(where)!r}", "values that occur in the results")
        return Study(**kept)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the tables as Parquet into ``folder`` and return it."""
        target = as_path(folder, StoreError)
        with writing(f"the study in {target}", "choose another folder"):
            target.mkdir(parents=True, exist_ok=True)
            for name in _TABLES:
                getattr(self, name).to_parquet(target / f"{name}.parquet", index=False)
        return target


def load_study(path: str | os.PathLike[str]) -> Study:
    """Read the tables of a study.

    ``path`` is a Parquet or CSV file of results; a folder as :meth:`Study.save` leaves it; or a
    folder of a sweep, or of saved runs, which are then read one by one (of a sweep those of its
    last plan), with ``shortcuts.parquet`` if it stands there.
    """
    import pandas as pd

    place = as_path(path, StoreError)
    if place.is_file():
        return _checked(_read(place), {}, place)
    if not place.is_dir():
        raise StoreError(
            f"{place} does not exist", "a table of results, or a folder of tables or of runs"
        )
    others = {
        name: read_table(place / f"{name}.parquet")
        for name in _TABLES[1:]
        if (place / f"{name}.parquet").is_file()
    }
    # A table of results alone may lie beside the runs that it was made of.
    if (place / "results.parquet").is_file() and "stability" in others:
        return _checked(_read(place / "results.parquet"), others, place)
    results, pairs = _from_runs(place)
    others = {name: table for name, table in others.items() if name == "shortcuts"}
    if pairs:
        others["stability"] = pd.concat(pairs, ignore_index=True)
    return _checked(results, others, place)


def _narrowed(table: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    for name, values in where.items():
        if name in table:
            some = values if isinstance(values, (list, tuple, set)) else [values]
            table = table[table[name].isin(list(some))]
    return table


def _checked(results: pd.DataFrame, others: Mapping[str, pd.DataFrame], place: Path) -> Study:
    import pandas as pd

    from hcat_nb.evaluation.stability import PAIR_COLUMNS

    for name in _NEEDED:
        if name not in results:
            raise StoreError(
                f"the results of {place} have no column {name!r}",
                "a table as hcat.results() gives it, of runs with injected hardness",
            )
    if "hardness_variant" not in results and "hardness_options" in results:
        results = results.assign(
            hardness_variant=[
                str(_json(text).get("variant", "paper")) for text in results["hardness_options"]
            ]
        )
    names = _names(results)
    if "kind" in results:
        results = results.assign(kind=results["kind"].where(names == results["hcm"], "option"))
    results = results.assign(hcm=names)
    empty = {"stability": ("varied", *_GROUP, *PAIR_COLUMNS), "shortcuts": SHORTCUT_COLUMNS}
    made = {name: pd.DataFrame(columns=list(columns)) for name, columns in empty.items()}
    made["stability"] = made["stability"].astype({"spearman": "float64"})
    return Study(results, **{**made, **others})


def _read(path: Path) -> pd.DataFrame:
    from hcat_nb.data.files.table_files import read_frame

    if path.suffix not in (".parquet", ".csv"):
        raise StoreError(f"{path} is no table that is known", "a .parquet or .csv file")
    try:
        return read_frame(path)  # in which a dataset may be called "NA"
    except (OSError, ValueError) as error:  # of pyarrow and of pandas: children of these
        words = " ".join(str(error).split())
        raise StoreError(f"{path} cannot be read ({words})", "a table of results") from error


def _names(results: pd.DataFrame) -> pd.Series[Any]:
    """Return the name of each row's method, with its options where others are commoner."""
    names = results["hcm"]
    if "method_options" not in results or names.isna().all():
        return names
    texts = [
        ", ".join(f"{key}={value}" for key, value in sorted(_json(text).get(hcm, {}).items()))
        for text, hcm in zip(results["method_options"], names, strict=True)
    ]
    options = names.to_frame("hcm").assign(options=texts)
    counts = options.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    common = counts.reset_index().drop_duplicates("hcm").set_index("hcm")["options"]
    rare = options["options"] != names.map(common)
    words = options["options"].replace("", "default")
    return names.where(~rare | names.isna(), names + " (" + words + ")")


def _json(text: Any) -> dict[str, Any]:
    return dict(json.loads(text)) if isinstance(text, str) and text else {}


def _from_runs(folder: Path) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    import pandas as pd

    from hcat_nb.api.run import load_run
    from hcat_nb.sweeps.collect import results as collected

    table = collected(folder, planned=True)
    if "hcm" not in table:  # no run has injected hardness, and nothing was measured
        table = table.assign(hcm=None, auroc=float("nan"), auprc=float("nan"))
    called = dict(zip(zip(table["run"], table["hcm"], strict=True), _names(table), strict=True))
    theirs: list[pd.DataFrame] = []
    pairs: list[pd.DataFrame] = []
    for group in _groups(table):
        runs = [(place, load_run(folder / place).without_data()) for place in group]
        for place, run in runs:
            if run.spec.hardness:
                measured = run.evaluate(variant="hcat", n_resamples=0)
                theirs.append(measured.assign(run=place).rename(columns={"auprc": "auprc_hcat"}))
        for pair in _pairs([run for _, run in runs if _is_ordinary(run)]):
            names = [called.get((group[0], hcm), hcm) for hcm in pair["hcm"]]
            pairs.append(pair.assign(hcm=names))
    if theirs:
        beside = pd.concat(theirs)
        keys = ["run", "hcm"]
        kind = [one for one in ("metric_hardness",) if one in table]
        beside = beside.rename(columns={"hardness": "metric_hardness"})
        table = table.merge(
            beside[[*keys, *kind, "auprc_hcat"]], how="left", on=[*keys, *kind], validate="1:1"
        )
    return table, pairs


def _groups(table: pd.DataFrame) -> Iterable[list[str]]:
    """Return the runs that differ by their seeds alone, group by group."""
    from hcat_nb.spec import RunSpec

    fields = [item.name for item in dataclasses.fields(RunSpec) if item.name in table]
    keys = [name for name in fields if name not in _NOT_THE_RUN]
    heads = table.drop_duplicates("run")
    grouped = heads.groupby(keys, sort=False, dropna=False, observed=True)["run"]
    return [list(part) for _, part in grouped]


def _is_ordinary(run: Run) -> bool:
    """Say whether methods and hardness are in our form, not in H-CAT's."""
    return "hcat" not in (run.spec.variant, run.spec.hardness_options.get("variant"))


def _pairs(runs: list[Run]) -> Iterator[pd.DataFrame]:
    """Yield the correlations of each pair of runs, which have the same options but for seeds."""
    from hcat_nb.evaluation.stability import seed_pairs

    for a, b in combinations(runs, 2):
        data = a.spec.effective_data_seed != b.spec.effective_data_seed
        model = a.spec.effective_model_seed != b.spec.effective_model_seed
        if not (data or model):  # the same run, twice
            continue
        table = seed_pairs({_seeds(run): run.scores[run.methods] for run in (a, b)})
        head = {
            "varied": "both seeds" if data and model else "data seed" if data else "model seed",
            "dataset": a.info["dataset"]["name"],
            "hardness": a.spec.hardness,
            "model": a.info["model"],
            "p": a.spec.p,
        }
        for number, (name, value) in enumerate(head.items()):
            table.insert(number, name, value)
        yield table


def _seeds(run: Run) -> str:
    return f"{run.spec.effective_data_seed}/{run.spec.effective_model_seed}"
