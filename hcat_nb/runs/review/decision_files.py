"""Decisions on disk: the journal of a table that grows, and tables to pass on.

The journal is JSON: ``steps``, each a list of groups ``{action, new_label,
note, time, ids, labels}``, and ``done``, how many of them hold (those behind
were undone).  Samples are named by their ids as text, with the label that was
decided on, so that decisions never land on other samples.
"""

from __future__ import annotations

import dataclasses
import os
import platform
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.errors import DataError, HcatError, StoreError
from hcat_nb.runs.review.decision import Decision, Step
from hcat_nb.runs.review.samples import Samples, quoted
from hcat_nb.runs.store.atomic import refuse_foreign, write_json, writing, written_whole
from hcat_nb.runs.store.digests import parsed, read_sealed
from hcat_nb.runs.store.lock import owned

SCHEMA_VERSION = 1
_END = "\r\n"  # so that a text with either sign is quoted


class DecisionFile:
    """The file of a table that grows."""

    def __init__(self, path: Path, samples: Samples) -> None:
        self.path = path
        self._samples = samples
        self._stamp = self._look()

    def read(self) -> tuple[list[Step], int]:
        """Return all steps, and how many of them hold; none if there is no file."""
        self._stamp = self._look()
        if self._stamp is None:
            return [], 0
        try:
            kinds = [("steps", list), ("done", int)]
            expected, remedy = "a file of decisions", "move it away"
            content = read_sealed(self.path, expected, SCHEMA_VERSION, remedy, kinds)
            steps = [self._step(groups) for groups in content["steps"]]
            return steps, min(content["done"], len(steps))
        except StoreError:
            raise
        except HcatError as error:
            raise StoreError(
                f"{self.path} holds decisions that do not fit this run: {error.wrong}",
                "decisions on these samples, with these labels",
                "move the file away, or keep this run's decisions in another file",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path} cannot be read ({error!r})", expected, remedy) from error

    def write(self, steps: list[Step], done: int) -> None:
        """Write all steps, whole or not at all, unless someone else wrote the file since."""
        values = {
            "schema_version": SCHEMA_VERSION,
            "writer": {"pid": os.getpid(), "host": platform.node()},
            "done": done,
            "steps": [self._groups(step) for step in steps],
        }
        with owned(self.path.parent, "a decision", self.path.name):
            if self._look() != self._stamp:
                raise StoreError(
                    f"{self.path} was changed by {self._writer()} since it was read",
                    "one notebook at a time",
                    "open the run again, which reads what is there",
                )
            with writing(f"the decision was not taken: {self.path}", "choose another file"):
                write_json(self.path, values)
            self._stamp = self._look()

    def _writer(self) -> str:
        """Return who wrote what stands there now."""
        try:
            writer = parsed(self.path.read_bytes())["writer"]
            return "process {pid} on {host}".format_map(writer)
        except (OSError, ValueError, KeyError, TypeError):
            return "someone else"

    def _look(self) -> tuple[int, int] | None:
        try:
            seen = self.path.stat()
        except FileNotFoundError:
            return None
        return seen.st_mtime_ns, seen.st_ino

    def _groups(self, step: Step) -> list[dict[str, Any]]:
        rows: dict[Decision | None, list[int]] = {}
        for row, decision in step.items():
            rows.setdefault(decision, []).append(row)
        return [
            {
                **({} if decision is None else self._plain(decision)),
                "ids": [str(self._samples.ids[row]) for row in group],
                "labels": [self._samples.label(row) for row in group],
            }
            for decision, group in rows.items()
        ]

    def _plain(self, decision: Decision) -> dict[str, Any]:
        values = dataclasses.asdict(decision)
        code = values.pop("code")
        return values if code < 0 else {**values, "new_label": self._samples.class_values[code]}

    def _step(self, groups: list[dict[str, Any]]) -> Step:
        step: Step = {}
        for group in groups:
            rows = self._samples.rows_of_texts(group["ids"])
            decision = None
            if "action" in group:
                code = self._samples.code(group.get("new_label"))
                decision = Decision(group["action"], group["time"], code, group["note"])
            for row, label in zip(rows.tolist(), group["labels"], strict=True):
                self._samples.check_label(row, label)
                step[row] = decision
        return step


def write_table(frame: pd.DataFrame, path: Path) -> Path:
    """Write decisions as CSV or Parquet; see :meth:`Decisions.export`."""
    _check_suffix(path)
    refuse_foreign(path, ("sample_id", "action"), "table of decisions")
    # Categories of numbers do not come back from Parquet; columns of one type do.
    plain = frame.astype({"action": object})
    for column in ("label", "new_label"):
        plain[column] = plain[column].astype(object).convert_dtypes()
    with writing(path, "choose another place"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".csv":
            # As read_table reads them: pandas would cut midnight off a date.
            plain.index = pd.Index([str(one) for one in plain.index], name="sample_id")
            written_whole(path, partial(plain.to_csv, lineterminator=_END))
        else:
            written_whole(path, plain.to_parquet)
    return path


def read_table(table: pd.DataFrame | str | Path, samples: Samples) -> Step:
    """Return the decisions in a table or file; see :meth:`Decisions.add`."""
    as_text = False
    if not isinstance(table, pd.DataFrame):
        path = as_path(table, StoreError)
        _check_suffix(path)
        as_text = path.suffix.lower() == ".csv"
        try:
            # Empty fields are missing; the class "NA" is not.
            table = (
                pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
                if as_text
                else pd.read_parquet(path)
            )
        except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
            raise StoreError(f"{path} cannot be read ({error})", "a table of decisions") from error
    if "sample_id" in table.columns:
        table = table.set_index("sample_id")
    elif table.index.name != "sample_id":
        raise DataError("the table of decisions names no samples", "a column sample_id")
    if "action" not in table.columns:
        raise DataError("the table of decisions has no column action", "sample_id and action")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"two decisions on sample {quoted(twice)}", "one at most")
    ids = table.index.tolist()
    rows = samples.rows_of_texts(ids) if as_text else samples.rows(ids)
    step: Step = {}
    for position, row in enumerate(rows.tolist()):
        line = table.iloc[position]
        if "label" in table.columns:
            samples.check_label(row, line["label"])
        try:
            code = samples.code(line.get("new_label"))
            samples.check_change(row, code)
            time, note = _words(line.get("time")), _words(line.get("note"))
            step[row] = Decision(line["action"], time, code, note)
        except HcatError as error:
            wrong = f"decision on sample {quoted(ids[position])}: {error.wrong}"
            raise type(error)(wrong, error.expected, error.remedy) from error
    return step


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise StoreError(f"the suffix of {path} is {path.suffix!r}", ".csv or .parquet")


def _words(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
