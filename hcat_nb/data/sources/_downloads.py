"""Where downloaded datasets lie, and how torchvision brings them there."""

from __future__ import annotations

import os
import shutil
import tempfile
from http.client import HTTPException
from pathlib import Path

from hcat_nb.casts import as_path
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import MissingDataError


def data_root(root: Path | None) -> Path:
    """Return the folder of datasets: ``root``, else $HCAT_DATA, else the user's cache."""
    if root is not None:
        return as_path(root)
    if chosen := os.environ.get("HCAT_DATA"):
        return as_path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return as_path(cache) / "hcat_nb"


def missing(
    source: Source, looked_at: Path, folder: str, expected: str, why: str = ""
) -> MissingDataError:
    """Return the error for a dataset whose files are absent."""
    allow = "" if source.download else ", or allow the download (download=True)"
    return MissingDataError(
        f"the files of {source.name!r} are not in {looked_at}" + (f", and {why}" if why else ""),
        expected,
        f"set HCAT_DATA, or root=, to the folder that holds {folder}{allow}",
    )


def download(source: Source, torchvision_name: str, folder: str, expected: str) -> None:
    """Let torchvision download ``folder``, or a file, into the source's root, or raise.

    The files arrive in a temporary folder and are moved when complete and checked, so that an
    interrupted download leaves nothing behind.
    """
    root = data_root(source.root)
    if not source.download:
        raise missing(source, root / folder, folder, expected)
    import torchvision

    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as staging:
            getattr(torchvision.datasets, torchvision_name)(staging, download=True)
            top = Path(staging) / folder
            for path in [top, *sorted(top.rglob("*"))]:
                if path.is_file():
                    goal = root / path.relative_to(staging)
                    goal.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, goal)
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split())
        why = f"they could not be downloaded ({reason})"
        raise missing(source, root / folder, folder, expected, why) from error
