"""The documentation site: pages by hand, and pages made from what the code says of itself.

``make docs`` builds it, offline.  Cards of methods, kinds of hardness, data
sets and models, the command line, and the public calls become pages at each
build, under ``made/``; nothing in them is kept by hand.
"""

from __future__ import annotations

import ast
import inspect
import sys
import warnings
from importlib.metadata import version as installed
from pathlib import Path

warnings.filterwarnings("ignore", message=".*datetime.*")

HERE = Path(__file__).parent
MADE = HERE / "made"
sys.path.insert(0, str(HERE))  # for pictures.py beside this file

project, author = "hcat_nb", "The hcat_nb maintainers"
copyright = author  # noqa: A001 - Sphinx asks for this name
version = release = installed("hcat-nb")
extensions = [
    *("myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"),
    "sphinx.ext.viewcode",
]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_title = "hcat_nb"
nb_execution_mode = "off"  # the test suite executes them
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_typehints = "none"  # numpydoc's parameters say it
exclude_patterns = ["_build"]
# Notebooks and pages link to files of the repository, which are no pages of the site.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure", "mystnb.unknown_mime_type"]

KINDS = {
    "methods": ("Methods", "What scores samples. Higher always means harder."),
    "hardness": ("Kinds of hardness", "What can be injected, to see which method finds it."),
    "datasets": ("Data sets", "What can be named; your own data need no name."),
    "models": ("Models", "What is trained, unless you hand over a module of your own."),
}


def cards(kind: str) -> str:
    """Return the page of all plug-ins of one kind."""
    from pictures import before_and_after, found, scored

    from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES

    registry = dict(zip(KINDS, (METHODS, PERTURBATIONS, SOURCES, MODELS), strict=True))[kind]
    title, about = KINDS[kind]
    names = registry.known()
    if kind == "methods":
        toc = "\n".join(names)
        captions = found(MADE / "methods")
        captions |= scored(MADE / "methods", [name for name in names if name not in captions])
        for name in names:
            page = method(name, captions[name])
            (MADE / "methods" / f"{name}.md").write_text(page, encoding="utf-8")
        return f"# {title}\n\n{about}\n\n```{{toctree}}\n:maxdepth: 1\n\n{toc}\n```\n"
    parts = [f"# {title}\n\n{about}\n"]
    for name in names:
        card = registry.get(name)
        fields = [
            (field, getattr(card, field, None))
            for field in ("family", "modality", "paper", "cost", "n_samples")
        ]
        rows = [f"| {field} | {words(value)} |" for field, value in fields if value]
        parts.append(f"## `{name}`: {getattr(card, 'title', name)}\n")
        parts.append("\n".join(["| | |", "| --- | --- |", *rows]) + "\n")
        if kind == "hardness":
            parts.append(before_and_after(MADE / "hardness", name))
        parts.append(text(inspect.getmodule(card).__doc__))
    return "\n".join(parts)


def method(name: str, caption: str) -> str:
    """Return the page of a method: its card, its chart, what its module says, its options."""
    from hcat_nb.methods._card import claim_words
    from hcat_nb.registry import METHODS

    card = METHODS.get(name)
    rows = {
        "detects": ", ".join(claim_words(card)) or "no fault by its card",
        "looks at labels": "yes" if card.looks_at_labels else "no",
        "cost": card.cost,
        "misleads": card.misleads,
        "source": card.paper,
        "variants": ", ".join(card.variants),
    }
    table = "\n".join(f"| {key} | {words(value)} |" for key, value in rows.items() if value)
    module = inspect.getmodule(card)
    return (
        f"# `{name}`: {card.title}\n\n| | |\n| --- | --- |\n{table}\n\n"
        f"![What {name} finds]({name}.png)\n\n{caption}\n\n{text(module.__doc__)}\n\n"
        f"```{{eval-rst}}\n.. autoclass:: {module.__name__}.{card.__name__}\n```\n"
    )


def api() -> str:
    """Return the page of the public names, from the stub that exports them."""
    import hcat_nb

    stub = ast.parse(Path(hcat_nb.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    parts = ["# Python\n\nEverything that `import hcat_nb as hcat` offers.\n"]
    for node in stub.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            found = getattr(hcat_nb, alias.name)
            home = f"{inspect.getmodule(found).__name__}.{alias.name}"
            kind = "autoclass" if inspect.isclass(found) else "autofunction"
            members = "\n   :members:\n   :inherited-members:" if inspect.isclass(found) else ""
            parts.append(
                f"## `{alias.name}`\n\n```{{eval-rst}}\n.. {kind}:: {home}{members}\n```\n"
            )
    return "\n".join(parts)


def lines() -> str:
    """Return the page of the command line and the magics, as their help prints them."""
    from hcat_nb.cli import _parser
    from hcat_nb.commands.table import LINES, MAGICS

    actions = next(one for one in _parser()._actions if one.dest == "line" or one.choices)
    parts = ["# Command line and magics\n\nMade of one table: names are the same everywhere.\n"]
    for name in LINES:
        parts.append(
            f"## `hcat {name}`\n\n```text\n{actions.choices[name].format_help(whole=True)}```\n"
        )
    for name, command in MAGICS.items():
        parts.append(f"## `%{name}`\n\n```text\n{command.parser().format_help()}```\n")
    return "\n".join(parts)


def text(docstring: str | None) -> str:
    """Return a docstring of ours as Markdown: its marks are those of reStructuredText."""
    return inspect.cleandoc(docstring or "").replace("``", "`").replace("*", r"\*")


def words(value: object) -> str:
    """Return a value of a card in one cell of a table."""
    several = isinstance(value, (set, frozenset, tuple, list))
    said = ", ".join(sorted(map(str, value))) if several else str(value)
    return said.replace("|", r"\|").replace("\n", " ")


def make(_app: object) -> None:
    """Write the pages that are made."""
    for folder in ("methods", "hardness"):
        (MADE / folder).mkdir(parents=True, exist_ok=True)
    (MADE / "methods" / "index.md").write_text(cards("methods"), encoding="utf-8")
    for kind in ("hardness", "datasets", "models"):
        (MADE / f"{kind}.md").write_text(cards(kind), encoding="utf-8")
    for name, page in (("python", api()), ("lines", lines())):
        (MADE / f"{name}.md").write_text(page, encoding="utf-8")
    for notebook in HERE.parent.glob("*.ipynb"):
        (MADE / notebook.name).write_bytes(notebook.read_bytes())
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        page = (HERE.parents[1] / name).read_text(encoding="utf-8")
        (MADE / name.lower()).write_text(page, encoding="utf-8")
    (MADE / "architecture.md").write_bytes((HERE.parent / "architecture.md").read_bytes())
    (MADE / "data_map.png").write_bytes((HERE.parent / "data_map.png").read_bytes())


def setup(app: object) -> None:
    """Make the pages before they are read."""
    sys.setrecursionlimit(5000)
    make(app)
