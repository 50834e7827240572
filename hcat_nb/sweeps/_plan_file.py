"""The plan of a sweep in its folder, so that it can go on without the file that began it."""

from __future__ import annotations

import json
from pathlib import Path

from hcat_nb.errors import StoreError
from hcat_nb.runs._atomic import write_json
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps.grid import LIMITS, Plan, read_plan

__all__ = ["PLAN", "begin", "remembered"]

PLAN = "sweep.json"
SCHEMA_VERSION = 1
# Not the address of a scheduler, which lives shorter.
_KEPT = [name for name in LIMITS if name != "scheduler"]


def begin(plan: Plan) -> Path:
    """Write the plan into its folder and return that; one that stands there is replaced.

    Raises
    ------
    StoreError
        If something else stands there, or nothing can be written.
    """
    folder = Path(plan.settings["out"])
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file", "a folder", "choose another out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / PLAN).is_file():
        raise StoreError(f"{folder} holds something that is no sweep", remedy="choose another out")
    record = {
        "schema_version": SCHEMA_VERSION,
        "version": code_version(),
        "settings": {key: plan.settings[key] for key in _KEPT if plan.settings.get(key)},
        "runs": [cell.parameters for cell in plan.cells],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / PLAN, record)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error})", remedy="choose another"
        ) from error
    return folder


def remembered(folder: Path) -> Plan:
    """Return the plan of the sweep in ``folder``.

    Raises
    ------
    StoreError
        If there is none, or of a newer schema.
    """
    path = folder / PLAN
    if not path.is_file():
        raise StoreError(f"{folder} holds no sweep", f"a folder with a {PLAN}")
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["schema_version"] > SCHEMA_VERSION:
        raise StoreError(
            f"{folder} has the schema {record['schema_version']}",
            f"at most {SCHEMA_VERSION}",
            "update hcat_nb",
        )
    cells = read_plan(record["runs"]).cells
    return Plan(cells, {**record["settings"], "out": folder})
