"""What is known of each run of a sweep: a small JSON file in the run's folder.

A folder holds ``run/`` (see :mod:`hcat_nb.runs.store.saving`), ``benchmark.ipynb``
as it was executed, ``state.json`` and ``attempts.jsonl``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcat_nb.runs.store.atomic import write_json, writing
from hcat_nb.runs.store.digests import unsealed

NOTEBOOK, RUN, STATE = "benchmark.ipynb", "run", "state.json"
ATTEMPTS = "attempts.jsonl"
DONE = "done"
_REMEDY = "make room there and resume the sweep"

logger = logging.getLogger(__name__)


def read_state(folder: Path) -> dict[str, Any] | None:
    """Return the state of a run; None if there is none, or a damaged one (which is logged)."""
    path = folder / STATE
    try:
        state = unsealed(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read, so the run counts as not done: %s", path, error)
        return None
    return state if isinstance(state, dict) and "state" in state else None


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a run, whole or not at all."""
    with writing(folder / STATE, _REMEDY):
        write_json(folder / STATE, state)


def done_state(folder: Path) -> dict[str, Any] | None:
    """Return the state of a run that is done and whose files are all there; of others None."""
    state = read_state(folder)
    done = state is not None and state["state"] == DONE
    made = (folder / RUN / "run.json", folder / NOTEBOOK)
    return state if done and all(one.is_file() for one in made) else None


def note_attempt(folder: Path, entry: Mapping[str, Any]) -> None:
    """Add a line to the history of a run."""
    line = json.dumps(entry, allow_nan=False) + "\n"
    with writing(path := folder / ATTEMPTS, _REMEDY), path.open("a", encoding="utf-8") as file:
        file.write(line)
