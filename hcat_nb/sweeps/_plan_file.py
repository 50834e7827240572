"""The plan of a sweep in its folder, so that it can go on without the file that began it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import write_json, writing
from hcat_nb.runs.store.digests import parsed, read_sealed
from hcat_nb.runs.store.lock import LOCK
from hcat_nb.spec import DEFAULTS
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps.grid import LIMITS, Plan, read_plan

PLAN = "sweep.json"
SCHEMA_VERSION = 1
# Not the address of a scheduler, which lives shorter.
_KEPT = [name for name in LIMITS if name != "scheduler"]


def check_out(folder: Path) -> None:
    """Refuse a folder that no sweep can be written to."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file", "a folder", "choose another out")
    holds = folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())
    if holds and not _may_be_ours(folder / PLAN):
        raise StoreError(f"{folder} holds something that is no sweep", remedy="choose another out")


def _may_be_ours(path: Path) -> bool:
    """Say whether a sweep wrote a file, which may be damaged, rather than somebody else."""
    if not path.is_file():
        return False
    try:
        record = parsed(path.read_bytes())
    except ValueError:
        return True
    known = {"schema_version", "runs", "settings"}
    return not record or (isinstance(record, dict) and bool(known & record.keys()))


def begin(plan: Plan) -> Path:
    """Write the plan into its folder and return that; one that stands there is replaced."""
    folder = Path(plan.settings["out"])
    check_out(folder)
    record = {
        "schema_version": SCHEMA_VERSION,
        "version": code_version(),
        "defaults": DEFAULTS,
        "settings": {key: plan.settings[key] for key in _KEPT if plan.settings.get(key)},
        "runs": [cell.parameters for cell in plan.cells],
        "addresses": [cell.address for cell in plan.cells],
    }
    with writing(folder, "choose another"):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / PLAN, record)
    return folder


def remembered(folder: Path) -> Plan:
    """Return the plan of the sweep in ``folder``."""
    record = _record(folder)
    if record is None:
        raise StoreError(f"{folder} holds no sweep", f"a folder with a {PLAN}")
    # What nobody chose means what it did when the sweep was begun; the first did not say so.
    then = record.get("defaults", 1)
    given = {} if then == DEFAULTS else {"defaults": then}
    cells = read_plan([given | run for run in record["runs"]]).cells
    return Plan(cells, {**record["settings"], "out": folder})


def is_planned(folder: Path) -> Callable[[str], bool]:
    """Return what tells whether a run, by its address, is of the plan begun last in ``folder``.

    All are where there is no plan, or one that does not list them.
    """
    known = (_record(folder) or {}).get("addresses")
    return (lambda _: True) if known is None else frozenset(known).__contains__


def _record(folder: Path) -> dict[str, Any] | None:
    path = folder / PLAN
    if not path.is_file():
        return None
    remedy = "start the sweep from its YAML, which writes it anew: what is done stays done"
    kinds = [("runs", object), ("settings", object)]
    return read_sealed(path, "the plan that a sweep wrote", SCHEMA_VERSION, remedy, kinds)
