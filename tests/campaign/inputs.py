"""What nobody should hand over: one line of ours each, before training, or it is no nonsense."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import hcat_nb as hcat
from hcat_nb.errors import HcatError
from hcat_nb.spec import RunSpec
from hcat_nb.training.events import Listener
from tests.campaign.trials import SAID, Campaign, Trial, told
from tests.contract.test_hostile import DATA, LABELS, OPTIONS, SMALL, TABLE

STRANGE: dict[str, Any] = {
    "-1": -1, "10**30": 10**30, "nan": math.nan, "inf": math.inf, "1.5": 1.5, "True": True,
    "words": "no such thing", "empty": "", "NUL": "a\0b", "surrogate": "\ud800", "bytes": b"x",
    "list": [1, "a"], "dict": {"a": 1}, "object": object(), "class": int, "array": np.ones(3),
    "complex": 1j, "path": "../../x", "html": "<script>1</script>", "long": "x" * 100_000,
    "matrix": np.eye(9), "frame": pd.DataFrame(np.eye(9)), "mask": np.ones(60, dtype=bool),
}  # fmt: skip
FIELDS = [item.name for item in dataclasses.fields(RunSpec)]
# Each of them means something there; everything else has to be refused.
SENSIBLE = {
    "True": {
        "download",
        "join_spellings",
        "strict",
        "judges",
        "learning_check",
        "keep_dynamics",
    },
    "empty": {"exclude"},
    "1.5": {"lr"},
    "mask": {"truth"},
    **{name: {"root"} for name in ("-1", "10**30", "words", "path", "html")},  # names of folders
}


class _BeginsError(Exception):
    """Training would begin: the input was accepted."""


class _Stops(Listener):
    def on_start(self, event: Any) -> None:
        raise _BeginsError


def _of_option(field: str, name: str) -> str:
    said = _said(lambda: _train({field: STRANGE[name]}))
    return said if said != "accepted" or field not in SENSIBLE.get(name, ()) else ""


def _train(options: dict[str, Any], *data: Any) -> None:
    given = {**SMALL, **options}
    if "dataset" in options:
        hcat.characterize(listeners=[_Stops()], **given)
    else:
        given.setdefault("listeners", [_Stops()])
        hcat.characterize(*(data or (TABLE, LABELS)), **given)


_LINES: list[str] = []  # that refused the inputs of this process


def _said(act: Any) -> str:
    """Say what is wrong with how an input was taken; nothing, if one line refuses it."""
    warnings.simplefilter("ignore")
    try:
        act()
    except HcatError as error:
        text = str(error)
        _LINES.append(text)
        return f"several lines: {text[:300]}" if "\n" in text or len(text) > 2000 else ""
    except _BeginsError:
        return "accepted"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "accepted"


def _of_known(number: int) -> str:
    return _said(lambda: _train(OPTIONS[number]))


def _of_data(number: int) -> str:
    return _said(lambda: _train({}, *DATA[number]))


COLUMNS: dict[str, Any] = {
    "all missing": [None] * 60, "lists": [[1]] * 60, "objects": [object()] * 60,
    "mixed": [1, "a"] * 30, "infinite": [math.inf] * 60, "complex": [1j] * 60,
    "bytes": [b"a"] * 60, "dates out of range": ["9999-99-99"] * 60, "dicts": [{}] * 60,
    "huge": [10**400] * 60, "classes": [int] * 60, "frames": [pd.DataFrame()] * 60,
}  # fmt: skip
TARGETS: dict[str, Any] = {
    "missing": [None] * 60, "one class": [1] * 60, "all different": list(range(60)),
    "reals": list(np.linspace(0, 1, 60)), "lists": [[1]] * 60, "mixed": [1, "1"] * 30,
    "infinite": [math.inf, 0.0] * 30, "NaN": [math.nan, 1.0] * 30, "objects": [object()] * 60,
}  # fmt: skip


def _frame() -> pd.DataFrame:
    return pd.DataFrame(TABLE, columns=list("abcd")).assign(y=LABELS)


def _of_column(name: str) -> str:
    # A column may be left out or imputed, and told: what is accepted must then train.
    def act() -> None:
        with warnings.catch_warnings():
            run = hcat.characterize(_frame().assign(a=COLUMNS[name]), target="y", **SMALL)
        if not run.scores.notna().all(axis=None):
            raise HcatError("scores are missing\nsilently")

    said = _said(act)
    return "" if said == "accepted" else said


def _of_target(name: str) -> str:
    said = _said(
        lambda: hcat.characterize(
            _frame().assign(y=TARGETS[name]), target="y", listeners=[_Stops()], **SMALL
        )
    )
    return "" if said == "accepted" and name == "NaN" else said


FILES: dict[str, bytes] = {
    "empty": b"", "NUL": b"\0" * 500, "binary": bytes(range(256)) * 9, "header only": b"a,b,y\n",
    "ragged": b"a,b,y\n1,2\n3,4,0,5\n", "quotes": b'a,b,y\n"1,2,0\n3,4,1\n' * 9,
    "one column": b"a\n1\n2\n" * 9, "html": b"<html><body>404</body></html>" * 20,
    "cut gzip": b"\x1f\x8b\x08\0\0\0\0\0", "parquet head": b"PAR1" + b"x" * 90,
    "json": b'[{"a": 1}, [2]]', "deep json": b"[" * 100_000, "utf-16 cut": b"\xff\xfea",
    "zip": b"PK\x03\x04" + b"\0" * 30, "no rows": b"a;b;y\n\n\n", "only commas": b",,,\n" * 20,
}  # fmt: skip
SUFFIXES = (".csv", ".parquet", ".json", ".xlsx", ".arff", ".csv.gz", ".npz")


def _of_file(name: str, suffix: str, folder: Path) -> str:
    path = folder / f"rows{suffix}"
    path.write_bytes(FILES[name])
    return _said(lambda: hcat.characterize(str(path), target="y", listeners=[_Stops()], **SMALL))


# Of a watched training, of a review, and of an audit: the parameters that take anything.
WATCHED = (
    "epochs", "methods", "observe", "keep_dynamics", "seed", "normalize", "name", "classes",
    "truth", "listeners", "out", "overwrite", "collate", "forward", "lr", "no_such_option",
)  # fmt: skip
OF_WATCH = {  # what means something there
    "True": {"overwrite", "keep_dynamics"}, "empty": {"name"},
    **{one: {"name", "out"} for one in ("words", "path", "html")}, "mask": {"truth"},
    "long": {"name"},
}  # fmt: skip
IDS = ("mislabeled", "drop", "keep", "clear")
OF_REVIEW = {"array": IDS, "words": ("keep_in",), "html": ("keep_in",)}  # 1.0 is the sample 1
REVIEWED = (*IDS, "add", "export", "keep_in", "decide")
AUDITED = ("budget", "trusted", "out", "overwrite", "methods", "epochs", "model", "seeds")
OF_AUDIT = {
    "True": {"overwrite"}, "10**30": {"budget"}, "1.5": {"budget"},
    **{one: {"out"} for one in ("words", "path", "html")},
}  # fmt: skip


def _of_watch(field: str, name: str) -> str:
    said = _said(lambda: _watched({field: STRANGE[name]}))
    return said if said != "accepted" or field not in OF_WATCH.get(name, ()) else ""


def _watched(options: dict[str, Any]) -> None:
    net = torch.nn.Linear(4, 2)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        watch = hcat.watch(net, TABLE, LABELS, **{"epochs": 2, "methods": "el2n", **options})
        watch.end_epoch()
        watch.end_epoch()
        watch.run()


def _of_logits(name: str) -> str:
    watch = hcat.watch(torch.nn.Linear(4, 2), TABLE, LABELS, epochs=2, methods="aum")
    return _said(lambda: watch.batch([0], STRANGE[name])) or _said(
        lambda: watch.batch(STRANGE[name], torch.zeros(1, 2))
    )


def _run() -> hcat.Run:
    warnings.simplefilter("ignore")
    return hcat.characterize(TABLE, LABELS, **SMALL)


def _of_review(what: str, name: str) -> str:
    decisions, value = _run().decisions(), STRANGE[name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if what == "decide":
            return _said(lambda: decisions.decide([3], value))
        said = _said(lambda: getattr(decisions, what)(value))
    return said if said != "accepted" or what not in OF_REVIEW.get(name, ()) else ""


def _of_label(name: str) -> str:
    run = _run()
    said = _said(lambda: run.decisions().relabel(3, STRANGE[name]))
    return said or _said(lambda: run.retrain(mislabeled=STRANGE[name]))


def _of_audit(field: str, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        options = {**SMALL, "listeners": [_Stops()], field: STRANGE[name]}
        for one in ("judges", "learning_check"):
            options.pop(one)
        said = _said(lambda: hcat.audit(TABLE, LABELS, **options))
    return said if said != "accepted" or field not in OF_AUDIT.get(name, ()) else ""


FUNCTIONS = ("load_run", "resume", "load_audit", "results", "sweep", "check", "load", "audit")


def _of_function(function: str, name: str) -> str:
    value = STRANGE[name]
    if function in ("sweep", "audit", "results"):
        with tempfile.TemporaryDirectory() as empty:
            out = {} if function == "results" else {"out": f"{empty}/out"}
            return _said(lambda: getattr(hcat, function)(value, **out))
    return _said(lambda: getattr(hcat, function)(value))


def _told(act: Any, *arguments: Any) -> tuple[str, list[str]]:
    return act(*arguments), _LINES


def trials() -> Iterator[Trial]:
    """Options, data, columns, targets, files, what functions take, watches, reviews, audits."""
    for number in range(len(OPTIONS)):
        yield _trial(f"option {number}", _of_known, number)
    for number in range(len(DATA)):
        yield _trial(f"data {number}", _of_data, number)
    for name in COLUMNS:
        yield _trial(f"column, {name}", _of_column, name)
    for name in TARGETS:
        yield _trial(f"target, {name}", _of_target, name)
    for name in FILES:
        for suffix in SUFFIXES:
            yield _trial(f"{name} as {suffix}", _of_file, name, suffix, at_folder=True)
    for function in FUNCTIONS:
        for name in STRANGE:
            yield _trial(f"{function}({name})", _of_function, function, name)
    for name in STRANGE:
        for field in WATCHED:
            yield _trial(f"watch, {field} = {name}", _of_watch, field, name)
        for what in REVIEWED:
            yield _trial(f"decisions.{what}({name})", _of_review, what, name)
        for field in AUDITED:
            yield _trial(f"audit, {field} = {name}", _of_audit, field, name)
        yield _trial(f"watch.batch({name})", _of_logits, name)
        yield _trial(f"relabel and retrain with {name}", _of_label, name)
    for field in FIELDS:
        for name in STRANGE:
            yield _trial(f"{field} = {name}", _of_option, field, name)


def _trial(name: str, act: Any, *arguments: Any, at_folder: bool = False) -> Trial:
    def attempt(folder: Path) -> str:
        lost, lines = told(_told, act, *arguments, *([folder] if at_folder else []))
        (folder / SAID).write_text("\n".join(lines), encoding="utf-8", errors="replace")
        return str(lost)

    return Trial(name, attempt)


CAMPAIGN = Campaign("bad inputs", 500, trials)
