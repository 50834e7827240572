"""An audit's folder: run A, the tables, and one file that says what was planned and found.

``audit.json`` (plan, specification, findings, digests), ``samples.parquet``,
``methods.parquet``, ``causes.parquet``, and the folder ``run`` of run A.  While
an audit is in the making, ``audit.json`` holds the plan alone, and the other
trainings stand beside ``run``.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hcat_nb.audits.plan import Plan
from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import write_json, writing, written_whole
from hcat_nb.runs.store.checkpoint import unfinished
from hcat_nb.runs.store.digests import check_files, file_digest, read_sealed
from hcat_nb.runs.store.folder import is_run
from hcat_nb.runs.store.lock import owned
from hcat_nb.runs.store.saving import folder_path, read_table
from hcat_nb.spec import RunSpec

AUDIT = "audit.json"
TABLES = ("samples", "methods", "causes")
SCHEMA_VERSION = 1
_REMEDY = "make room there and call it again with the same out"
_OTHER = "overwrite it, or choose another folder"


def check_place(out: Any, spec: RunSpec, held: ExitStack, *, overwrite: bool = False) -> Path:
    """Return the folder of an audit, owned as long as ``held`` is open.

    Refused where something else stands, another audit, or a finished one without ``overwrite``.
    """
    folder = folder_path(out)
    held.enter_context(owned(folder, "an audit"))
    if not (folder / AUDIT).exists():
        rest = [one.name for one in folder.iterdir() if not one.name.startswith(".")]
        if rest:
            raise StoreError(f"{folder} exists and is no audit", remedy="choose another folder")
        return folder
    if overwrite:
        return folder
    found = _read(folder)
    if found.get("finished"):
        raise StoreError(
            f"{folder} holds an audit already", remedy="load_audit it, or overwrite it"
        )
    if found["spec"] != spec.to_dict():
        raise StoreError(
            f"the audit in {folder} was begun with other options",
            remedy="give the same ones, choose another folder, or overwrite it",
        )
    return folder


def begin(folder: Path, plan: Plan, spec: RunSpec) -> None:
    """Record the plan, before anything is trained; trainings of another audit go."""
    head = {"schema_version": SCHEMA_VERSION, "finished": False}
    with writing(f"the audit in {folder}", _REMEDY):
        for one in folder.iterdir():
            if one.is_dir() and not one.is_symlink() and (is_run(one) or unfinished(one)):
                shutil.rmtree(one)
        write_json(folder / AUDIT, head | {"plan": asdict(plan), "spec": spec.to_dict()})


def read_plan(folder: Path) -> Plan | None:
    """Return the plan of an audit that goes on, None if none was begun."""
    if not (folder / AUDIT).exists():
        return None
    plain = _read(folder)["plan"]
    try:
        return Plan(**{**plain, "methods": tuple(plain["methods"])})
    except (KeyError, TypeError) as error:
        raise StoreError(f"{folder / AUDIT} has a strange plan ({error})", remedy=_OTHER) from error


def write(folder: Path, findings: dict[str, Any], tables: dict[str, Any]) -> None:
    """Write the tables, then the file that holds their digests: whole or not at all."""
    with writing(f"the audit in {folder}", _REMEDY):
        before = _read(folder)
        digests = {}
        for name, table in tables.items():
            file = folder / f"{name}.parquet"
            written_whole(file, table.to_parquet)
            digests[file.name] = file_digest(file)
        write_json(folder / AUDIT, before | findings | {"finished": True, "digests": digests})


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the findings and the tables of a finished audit."""
    found = _read(folder)
    if not found.get("finished"):
        raise StoreError(
            f"the audit in {folder} is not finished", remedy="call it again with the same out"
        )
    names = [f"{name}.parquet" for name in TABLES]
    if not isinstance(digests := found.get("digests"), dict):
        raise StoreError(f"{folder / AUDIT} names its files as {digests!r}", remedy=_OTHER)
    check_files(folder, digests, names)
    return found, {name: read_table(folder / f"{name}.parquet") for name in TABLES}


def _read(folder: Path) -> dict[str, Any]:
    if not (folder / AUDIT).is_file():
        raise StoreError(f"{folder} holds no audit", "the folder of hcat.audit(out=...)")
    kinds = [("plan", dict), ("spec", dict)]
    return read_sealed(folder / AUDIT, "a file of an audit", SCHEMA_VERSION, _OTHER, kinds)
