"""Is this installation in order? What is not, and the line that mends it."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

State = Literal["ok", "note", "wrong"]
_LEAST_FREE = 2 * 10**9  # bytes


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; a "note": something is left out, and nothing fails."""

    what: str
    state: State
    said: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f"\n{'':<9}mend it: {self.mend}" if self.mend else ""
        return f"{self.state:<9}{self.what}: {self.said}{mend}"


def doctor() -> list[Finding]:
    """Look at Python, packages, GPU, front end, offline charts, folders and extras.

    Nothing is downloaded and nothing is written but a file that is removed again.
    """
    checks: list[Callable[[], list[Finding]]] = [_python, _packages, _gpu, _front_end]
    checks += [_charts, _folders, _extras]
    return [finding for check in checks for finding in check()]


def _python() -> list[Finding]:
    return [Finding("Python", "ok", f"{sys.version.split()[0]}, {sys.executable}")]


def _needed() -> Iterator[tuple[Requirement, str]]:
    """Yield what this package needs, with the extra that asks for it, "" where all do."""
    from packaging.requirements import Requirement

    for line in requires("hcat-nb") or []:
        need = Requirement(line)
        marker = str(need.marker)
        yield need, marker.rpartition("==")[2].strip(" \"'") if "extra" in marker else ""


def _packages() -> list[Finding]:
    """Compare the required packages with the versions that are asked for; import some."""
    found = []
    for need in (need for need, extra in _needed() if not extra):
        mend = f'{Path(sys.executable).name} -m pip install "{need.name}{need.specifier}"'
        try:
            have = version(need.name)
        except PackageNotFoundError:
            found.append(Finding(need.name, "wrong", "is not installed", mend))
            continue
        if not need.specifier.contains(have, prereleases=True):
            said = f"{have} is installed, {need.specifier} is needed"
            found.append(Finding(need.name, "wrong", said, mend))
    for name in ("torch", "torchvision", "pandas", "altair", "anywidget"):
        if any(finding.what == name for finding in found):
            continue
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever breaks an import is what is looked for
            said = f"cannot be imported ({str(error).splitlines()[0] if str(error) else error!r})"
            mend = "install torch and torchvision of one release together"
            found.append(Finding(name, "wrong", said, mend if "torch" in name else ""))
    return found or [Finding("packages", "ok", "all required ones are there, new enough")]


def _gpu() -> list[Finding]:
    try:
        import torch
    except Exception:  # told by _packages
        return []
    if torch.cuda.is_available():
        return [Finding("GPU", "ok", torch.cuda.get_device_name(0))]
    if torch.version.cuda is None:
        said = "torch was built without CUDA; training runs on the CPU"
        return [Finding("GPU", "note", said, "https://pytorch.org tells how to get a CUDA build")]
    return [Finding("GPU", "note", "none is seen; training runs on the CPU")]


def _front_end() -> list[Finding]:
    from hcat_nb.assets import asset
    from hcat_nb.errors import HcatError

    try:
        for name in ("live_map.js", "sample_gallery.js", "run_monitor.js", "benchmark.ipynb"):
            asset(name)
    except HcatError as error:
        return [Finding("front end", "wrong", error.wrong, error.remedy or "")]
    place = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    missing = [
        name
        for name in ("anywidget", "@jupyter-widgets/jupyterlab-manager")
        if not (place / name).is_dir()
    ]
    if missing:
        said = f"JupyterLab in this environment has no {' and no '.join(missing)}"
        mend = "pip install --force-reinstall anywidget ipywidgets"
        return [Finding("front end", "note", said, mend)]
    return [Finding("front end", "ok", "widgets and their JupyterLab extensions are there")]


def _charts() -> list[Finding]:
    try:
        import vl_convert

        vl_convert.vegalite_to_svg('{"data": {"values": [{"x": 1}]}, "mark": "point"}')
    except Exception as error:  # whatever keeps charts from being drawn offline
        said = f"cannot be drawn offline ({error})"
        return [Finding("charts", "wrong", said, "pip install --force-reinstall vl-convert-python")]
    return [Finding("charts", "ok", "are drawn without network or browser")]


def _folders() -> list[Finding]:
    from hcat_nb.assets import user_cache
    from hcat_nb.data.placement import free_host_memory

    found = []
    for what, place, variable in (
        ("cache", user_cache(), "HCAT_CACHE"),
        ("data sets", Path(os.environ.get("HCAT_DATA") or user_cache()), "HCAT_DATA"),
    ):
        there = next(one for one in (place, *place.parents) if one.exists())
        if not os.access(there, os.W_OK):
            mend = f"set {variable} to a folder that can be written"
            found.append(Finding(what, "wrong", f"{there} cannot be written", mend))
            continue
        free = shutil.disk_usage(there).free
        state: State = "note" if free < _LEAST_FREE else "ok"
        found.append(Finding(what, state, f"{place}, {free / 1e9:.0f} GB free"))
    memory = free_host_memory()
    state = "note" if memory < _LEAST_FREE else "ok"
    return [*found, Finding("memory", state, f"{memory / 1e9:.1f} GB are free")]


def _extras() -> list[Finding]:
    missing: dict[str, list[str]] = {}
    for need, extra in _needed():
        try:
            version(need.name)
        except PackageNotFoundError:
            if extra:
                missing.setdefault(extra, []).append(need.name)
    found = []
    for extra, names in sorted(missing.items()):
        said = f"{extra} is left out ({', '.join(names)})"
        found.append(Finding("extra", "note", said, f"pip install 'hcat-nb[{extra}]'"))
    return found
