"""The notebooks as pages of the site: executed at a build, charts as the site draws them.

What was executed is kept in ``output/executed``, by a digest of the notebook, its parameters and
the package's code, and taken from there until one of them changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOTEBOOKS, REPOSITORY = HERE.parent, HERE.parents[1]
KEPT = REPOSITORY / "output" / "executed"
# By notebook, those that take longest first: parameters that keep a build short.  Pages show them.
SMALL: dict[str, dict[str, Any]] = {
    "audit": {"budget": "15s", "looks": 100},
    "tutorial": {},
    "gallery": {},
    "own_data": {},
    "teaching": {},
    "extending": {},
    "takeaways": {},
    "own_training": {},
    "analysis_plots": {},
    "stability_plot": {},
    "benchmark": {"dataset": "wine", "hardness": "uniform"},
}
_VEGA = "application/vnd.vegalite.v5+json"


class Executed:
    """The notebooks, being executed beside whatever else the build does."""

    def __init__(self) -> None:
        there = {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
        assert there == SMALL.keys(), f"SMALL and notebooks/ differ: {there ^ SMALL.keys()}"
        KEPT.mkdir(parents=True, exist_ok=True)
        for name in ("study", "small_study"):  # what notebooks read, by its name beside them
            link = KEPT / name
            if not link.is_symlink():
                link.symlink_to(NOTEBOOKS / name, target_is_directory=True)
        os.environ["OMP_NUM_THREADS"] = "1"  # of the kernels, which share the cores
        # No threads: papermill changes the folder of its process while it starts a kernel.
        self._pool = ProcessPoolExecutor(
            min(4, os.cpu_count() or 1), mp_context=get_context("spawn")
        )
        code = _code()
        self._done: dict[str, Future[None]] = {}
        for name, parameters in SMALL.items():
            if not (target := _target(name, parameters, code)).is_file():
                for old in KEPT.glob(f"{name}-*.ipynb"):
                    old.unlink()
                self._done[name] = self._pool.submit(_execute, name, parameters, target)
        self._targets = {name: _target(name, given, code) for name, given in SMALL.items()}

    def write_to(self, folder: Path) -> None:
        """Wait for all, and write them as pages; what failed fails the build."""
        with self._pool:
            for name, target in self._targets.items():
                if name in self._done:
                    self._done[name].result()
                document = json.loads(target.read_text(encoding="utf-8"))
                page = _drawn(document)
                page["cells"].insert(1, _said(SMALL[name]))
                (folder / f"{name}.ipynb").write_text(json.dumps(page), "utf-8")


def charts_module() -> str:
    """Return the JavaScript that draws the charts of a page, without network.

    Not as a module, which a browser refuses to load from a file.
    """
    from hcat_nb.charts.picture import charts_script

    script = charts_script()
    code = script[script.index(">") + 1 : script.rindex("</script>")]
    return f"(() => {{{code}}})();"  # its names are its own


def _execute(name: str, parameters: dict[str, Any], target: Path) -> None:
    from hcat_nb.sweeps._cell import kernel_manager
    from hcat_nb.sweeps.execute import execute_notebook

    kernels = kernel_manager(lambda _: None)  # forked from a process that has imported all
    draft = target.with_name(f"draft-{name}.ipynb")
    notebook = NOTEBOOKS / f"{name}.ipynb"
    execute_notebook(notebook, draft, parameters, progress=False, kernel_manager_class=kernels)
    draft.rename(target)  # one that failed half-way is no page


def _said(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a cell that says how the page came about."""
    text = "*Executed when this page was built"
    if parameters:
        text += ", with the smaller values of the cell `# Parameters`"
    return {"cell_type": "markdown", "id": "executed", "metadata": {}, "source": f"{text}.*"}


def _code() -> bytes:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((REPOSITORY / "hcat_nb").rglob("*")):
        if path.suffix in (".py", ".safetensors"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _target(name: str, parameters: dict[str, Any], code: bytes) -> Path:
    given = json.dumps(parameters, sort_keys=True).encode()
    source = (NOTEBOOKS / f"{name}.ipynb").read_bytes()
    digest = hashlib.blake2b(b"\0".join((code, given, source)), digest_size=6).hexdigest()
    return KEPT / f"{name}-{digest}.ipynb"


def _drawn(document: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with charts as HTML; :func:`charts_module` draws them."""
    from hcat_nb.charts.picture import chart_html

    for cell in document["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if _VEGA in data:
                # The schema is for JupyterLab, which takes version 5.
                spec = {key: value for key, value in data[_VEGA].items() if key != "$schema"}
                html = chart_html(spec, base64.b64decode(data["image/png"]))
                output["data"] = {"text/html": html, "text/plain": data["text/plain"]}
    return document
