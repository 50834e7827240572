"""The analysis notebooks on a folder of results, as one page that needs no network."""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hcat_nb.assets import asset
from hcat_nb.casts import as_path
from hcat_nb.errors import StoreError, UnknownNameError
from hcat_nb.evaluation.comparison import compare
from hcat_nb.registry import nearest
from hcat_nb.runs.store.atomic import delivered, make_room
from hcat_nb.study.findings import method_results
from hcat_nb.study.tables import load_study
from hcat_nb.sweeps.execute import MARK, execute_notebook, export_html, notebook_parameters

if TYPE_CHECKING:
    import pandas as pd

NOTEBOOKS = ("takeaways.ipynb", "analysis_plots.ipynb", "stability_plot.ipynb")
_VEGA = "application/vnd.vegalite.v5+json"
# Tags of cells: of the results that come along, of H-CAT's evaluator, what leads the report.
_BUNDLED, _APPENDIX, _ANSWER = "bundled", "appendix", "answer"
# Words stand where tables and charts do: nbconvert leaves room for a number of the cell.
_STYLE = "<style>.jp-MarkdownCell .jp-InputPrompt { display: none }</style>"
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_SAYING = "Figures change with each new run of a sweep."  # in every report, since the first


def write_report(
    results: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Execute the analysis notebooks on ``results``, write them as one page, and return its path.

    The page is ``report.html`` in the folder, or beside the table, if not named. ``parameters`` go
    to each notebook that has them, such as ``metric``, ``alpha`` or the thresholds of the
    takeaways. Charts are drawn by the browser, with tooltips and legends to click; without scripts
    the page shows their pictures.
    """
    place = as_path(results, StoreError).resolve()
    target = _target(place, out)
    study = load_study(place)
    given = dict(parameters or {})
    chosen = _chosen(given)
    # What no notebook could rank is told before a kernel starts.
    ranked = {name: given[name] for name in ("metric", "posthoc", "alpha") if name in given}
    compare(method_results(study.only(given.get("only", {})).results), **ranked)
    with tempfile.TemporaryDirectory() as scratch:
        folder = study.save(Path(scratch) / "study")  # read once, not by each kernel
        documents = []
        for name in NOTEBOOKS:
            made = Path(scratch) / name
            values = {**chosen[name], "study": str(folder)}
            execute_notebook(asset(name), made, values, progress=progress)
            documents.append(json.loads(made.read_text(encoding="utf-8")))
        whole = Path(scratch) / "report.ipynb"
        hcat = "variant" in study.results and bool((study.results["variant"] == "hcat").any())
        joined = _joined(documents, place, hcat, _unlearned(study.results))
        whole.write_text(json.dumps(joined), encoding="utf-8")
        page = export_html(whole, code=False).read_text(encoding="utf-8")
        page = page.replace("</head>", f"{_STYLE}</head>", 1)
    delivered(target, lambda draft: draft.write_text(page, encoding="utf-8"))
    return target


def _target(place: Path, out: str | os.PathLike[str] | None) -> Path:
    if out is None:
        target = (place if place.is_dir() else place.parent) / "report.html"
    else:
        target = as_path(out, StoreError).resolve()
    if target.suffix not in (".html", ".htm"):
        raise StoreError(f"the report cannot be written to {target}", "a name that ends in .html")
    if target.is_file() and not _is_report(target):
        raise StoreError(
            f"{target} exists and is no report of ours",
            remedy="choose another page (--out), or move it away",
        )
    if place.exists():  # of a name that is wrong no folder is made
        make_room(target)
    return target


def _is_report(page: Path) -> bool:
    text = page.read_text(encoding="utf-8", errors="replace")
    return MARK in text or _SAYING in text


def _chosen(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each notebook's share of the parameters."""
    known = {name: notebook_parameters(asset(name)) for name in NOTEBOOKS}
    every = sorted({one for names in known.values() for one in names} - {"study"})
    for one in given:
        if one not in every:
            raise UnknownNameError(f"the report has no parameter {one!r}", nearest(one, every))
    return {
        name: {one: value for one, value in given.items() if one in names}
        for name, names in known.items()
    }


def _unlearned(results: pd.DataFrame) -> str:
    """Return in how many runs the network learned nothing, where any did not."""
    if not {"run", "check_state"} <= set(results):
        return ""
    states = results.drop_duplicates("run")["check_state"].dropna()
    count = int((states == "not_learned").sum())
    told = f"In {count:,} of {len(states):,} runs that were checked the network learned nothing"
    return f"**{told}: their scores rank noise.**\n\n" if count else ""


def _joined(
    documents: list[dict[str, Any]], place: Path, hcat: bool, warned: str = ""
) -> dict[str, Any]:
    """Return one notebook of all, the answer first, charts as HTML, numbers of cells renewed.

    ``warned`` is told below the answer. What is said of H-CAT's evaluator is an appendix, where
    ``hcat`` says that results hold any.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell

    from hcat_nb.charts.picture import charts_script

    parts: dict[str, list[dict[str, Any]]] = {"": [], _BUNDLED: [], _APPENDIX: [], _ANSWER: []}
    for cell in [cell for document in documents for cell in document["cells"]]:
        tags = cell["metadata"].get("tags", [])
        parts[next((tag for tag in tags if tag in parts), "")].append(_drawn(cell))
    cells = parts[""]
    if hcat:
        cells += [new_markdown_cell("# Appendix: H-CAT's evaluator"), *parts[_APPENDIX]]
    named = f"{warned}Of `{place.name}`. {_SAYING}\n\n{_contents(cells)}"
    cells = [new_markdown_cell("# Report"), *parts[_ANSWER], new_markdown_cell(named), *cells]
    # The script stands last, so that all charts are there when it runs.
    script = {"data": {"text/html": charts_script()}, "metadata": {}, "output_type": "display_data"}
    cells.append(new_code_cell(outputs=[script]))
    for number, cell in enumerate(cells):
        cell["id"] = str(number)
    return {**documents[0], "cells": cells}


def _contents(cells: list[dict[str, Any]]) -> str:
    """Return a list of links to the headings, as nbconvert names them."""
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return "\n".join(
        f"{'  ' * (len(level) - 1)}- [{words}](#{quote(words.replace(' ', '-'))})"
        for level, words in _HEADING.findall("\n".join(texts))
    )


def _drawn(cell: dict[str, Any]) -> dict[str, Any]:
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if _VEGA in data:
            data["text/html"] = _chart(data)
            del data[_VEGA], data["image/png"]
    return cell


def _chart(data: Mapping[str, Any]) -> str:
    from hcat_nb.charts.picture import chart_html

    # JupyterLab takes the specification as version 5; the page has the one it was written in.
    spec = {name: value for name, value in data[_VEGA].items() if name != "$schema"}
    return chart_html(spec, base64.b64decode(data["image/png"]))
