"""Execute a parametrised notebook in a fresh kernel, and export it as a page.

papermill writes the target while it runs, so that a failed execution shows
how far it came.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.runs.store.atomic import delivered

MARK = '<meta name="generator" content="hcat_nb">'  # by which a page is known as ours


def notebook_parameters(notebook: Path) -> list[str]:
    """Return the names that the cell tagged ``parameters`` assigns, in its order."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            statements = ast.parse("".join(cell["source"])).body
            targets = [
                node.targets[0] if isinstance(node, ast.Assign) else node.target
                for node in statements
                if isinstance(node, (ast.Assign, ast.AnnAssign))
            ]
            return [target.id for target in targets if isinstance(target, ast.Name)]
    raise DataError(f"{notebook} has no parameters", "a cell that carries the tag `parameters`")


def execute_notebook(
    notebook: Path,
    target: Path,
    parameters: Mapping[str, Any],
    *,
    progress: bool = True,
    checked: bool = False,
    **engine: Any,
) -> None:
    """Execute ``notebook`` with ``parameters`` and write it, outputs included, to ``target``.

    A name that the parameters cell does not assign is refused, since papermill would go on with
    the default, unless the names were ``checked``. ``engine`` is passed on to papermill's engine.
    """
    known = notebook_parameters(notebook)
    for name in parameters:
        if not checked and name not in known:
            raise UnknownNameError(
                f"{notebook.name} has no parameter {name!r}", nearest(name, known)
            )
    import papermill

    target.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        str(notebook),
        str(target),
        parameters=dict(parameters),
        cwd=str(target.parent),
        progress_bar=progress,
        store_widget_state=False,  # it would hold each widget's code, and be shown nowhere offline
        start_timeout=600,  # on a network file system imports alone can take minutes
        extra_arguments=["--log-level=ERROR"],  # the kernel's advice about its transport
        **engine,
    )


def export_html(notebook: Path, *, code: bool = True) -> Path:
    """Write the executed ``notebook`` as a page beside it and return its path.

    The page holds its pictures and asks the internet for nothing; ``code``
    says whether it shows what was executed.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        exclude_input=not code,
        exclude_output_prompt=not code,
        embed_images=True,
        jquery_url="",
        mathjax_url="",
        mermaid_js_url="",
        require_js_url="",
    )
    page, _ = exporter.from_filename(str(notebook))
    page = page.replace("<head>", f"<head>{MARK}", 1)
    target = notebook.with_suffix(".html")
    delivered(target, lambda draft: draft.write_text(page, encoding="utf-8"))
    return target
