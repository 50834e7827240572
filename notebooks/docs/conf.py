"""The documentation site: pages by hand, and pages made from what the code says of itself.

``make docs`` builds it, offline.  Cards of methods, kinds of hardness, data
sets and models, the command line, and the public calls become pages at each
build, under ``made/``; nothing in them is kept by hand.
"""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

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
nb_execution_mode = "off"  # executed.py does, with parameters
html_static_path = ["made/static"]
html_css_files = ["site.css"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_typehints = "none"  # numpydoc's parameters say it
exclude_patterns = ["_build"]
# Notebooks and pages link to files of the repository, which are no pages of the site.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure", "mystnb.unknown_mime_type"]

# Sentences that a notebook prints wrap; charts fit their column, down to a width that can be read;
# outputs that follow the page's theme by themselves need no light ground in the dark.
STYLE = """
.cell_output pre { white-space: pre-wrap }
.hcat-chart { overflow-x: auto }
.hcat-chart svg, .hcat-chart img { max-width: max(100%, 600px); height: auto }
html[data-theme] .bd-content div.cell_output .text_html:not(:has(table.dataframe)) {
  background: transparent; color: inherit
}
html[data-theme] .bd-content div.cell_output .text_html img { padding: 0 }
"""
KINDS = {
    "methods": ("Methods", "What scores samples. Higher always means harder."),
    "hardness": ("Kinds of hardness", "What can be injected, to see which method finds it."),
    "datasets": ("Data sets", "What can be named; your own data need no name."),
    "models": ("Models", "What is trained, unless you hand over a module of your own."),
}


def cards(kind: str) -> str:
    """Return the page that lists the plug-ins of one kind, and write the page of each."""
    from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES

    registry = dict(zip(KINDS, (METHODS, PERTURBATIONS, SOURCES, MODELS), strict=True))[kind]
    title, about = KINDS[kind]
    names = registry.known()
    write = PAGES[kind](names)
    for name in names:
        (MADE / kind / f"{name}.md").write_text(write(name), encoding="utf-8")
    lines = [f"| [`{name}`]({name}.md) | {registry.get(name).title} |" for name in names]
    listed = "\n".join(["| name | what it is |", "| --- | --- |", *lines]) + "\n"
    tree = "\n".join(["```{toctree}", ":hidden:", "", *names, "```\n"])
    return "\n".join([f"# {title}\n\n{about}\n", listed, tree])


def rows(name: str, entries: dict[str, object]) -> str:
    """Return a card as a table, without what is empty."""
    lines = [f"| {key} | {words(value)} |" for key, value in entries.items() if value]
    return "\n".join([f"| card | `{name}` |", "| --- | --- |", *lines]) + "\n"


def methods(names: list[str]) -> Callable[[str], str]:
    """Draw the charts of methods; return what writes the page of one."""
    from pictures import found, scored

    captions = found(MADE / "methods")
    captions |= scored(MADE / "methods", [name for name in names if name not in captions])
    return lambda name: method(name, captions[name])


def hardness(name: str) -> str:
    """Return the page of a kind of hardness: card, samples before and after, what finds it."""
    from pictures import before_and_after, finders

    from hcat_nb.registry import PERTURBATIONS

    card = PERTURBATIONS.get(name)
    module = inspect.getmodule(card)
    card_table = rows(
        name,
        {
            "what changes": CHANGES.get(card.family, "the features"),
            "family": card.family,
            "on": [f"{one}s" for one in card.modality],
            "cost": card.cost,
            "source": card.paper,
        },
    )
    return (
        f"# `{name}`: {card.title}\n\n{card_table}\n{text(module.__doc__)}\n\n"
        f"## Before and after\n\n{before_and_after(MADE / 'hardness', name)}\n"
        f"## What finds it, and what misses it\n\n{finders(MADE / 'hardness', name)}\n"
        f"## Options\n\n```{{eval-rst}}\n.. autoclass:: {module.__name__}.{card.__name__}\n```\n"
    )


def dataset(name: str) -> str:
    """Return the page of a data set: its card, what its module says, how to name it."""
    from hcat_nb.registry import SOURCES

    card = SOURCES.get(name)
    known = {field: getattr(card, field) for field in ("modality", "paper", "cost")}
    known |= {"samples": f"{card.n_samples:,}" if card.n_samples else "as many as you have"}
    known |= {"comes with the package": "yes" if card.bundled else ""}
    first = OF_YOURS.get(name, f'hcat.load("{name}")')
    return page(name, card, known, f"```python\n{first}\n```\n\n")


def model(name: str) -> str:
    """Return the page of a network: its card, what its module says, its layers on an example."""
    from hcat_nb.registry import MODELS

    card = MODELS.get(name)
    known = {field: getattr(card, field, None) for field in ("modality", "paper", "cost")}
    return page(name, card, known, layers(card))


def layers(card: type) -> str:
    """Return the layers of a network for ten classes, with their numbers of parameters."""
    shape = (3, 32, 32) if "image" in card.modality else (50,)
    net = card(shape, 10)
    lines = [
        f"| `{type(one).__name__}` | {one.extra_repr() or ' '} | {count:,} |"
        for one in net.modules()
        if not list(one.children())
        for count in [sum(p.numel() for p in one.parameters())]
    ]
    total = sum(p.numel() for p in net.parameters())
    what = " x ".join(map(str, shape)) + (" pixels" if len(shape) > 1 else " columns")
    head = f"## Layers\n\nFor {what} and ten classes: {total:,} parameters.\n\n"
    return "\n".join([f"{head}| layer | of | parameters |", "| --- | --- | --- |", *lines]) + "\n\n"


def page(name: str, card: type, known: dict[str, object], more: str) -> str:
    """Return a page of a plug-in: title, card, what its module says, ``more``, its options."""
    module = inspect.getmodule(card)
    return (
        f"# `{name}`: {card.title}\n\n{rows(name, known)}\n{text(module.__doc__)}\n\n{more}"
        f"## Options\n\n```{{eval-rst}}\n.. autoclass:: {module.__name__}.{card.__name__}\n```\n"
    )


def method(name: str, caption: str) -> str:
    """Return the page of a method: its card, its chart, what its module says, its options."""
    from hcat_nb.methods._card import claim_words
    from hcat_nb.registry import METHODS

    card = METHODS.get(name)
    card_table = rows(
        name,
        {
            "detects": ", ".join(claim_words(card)) or "no fault by its card",
            "looks at labels": "yes" if card.looks_at_labels else "no",
            "cost": card.cost,
            "misleads": card.misleads,
            "source": card.paper,
            "variants": ", ".join(card.variants),
        },
    )
    module = inspect.getmodule(card)
    return (
        f"# `{name}`: {card.title}\n\n{card_table}\n"
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
    plain = re.sub(r":\w+:(?=`)", "", inspect.cleandoc(docstring or ""))  # roles
    return plain.replace("``", "`").replace("*", r"\*")


def words(value: object) -> str:
    """Return a value of a card in one cell of a table."""
    several = isinstance(value, (set, frozenset, tuple, list))
    said = ", ".join(sorted(map(str, value))) if several else str(value)
    return said.replace("|", r"\|").replace("\n", " ")


CHANGES = {"mislabel": "the label", "mixed": "what its parts change"}  # by family
# What returns the function that writes the page of one plug-in.
PAGES = {
    "methods": methods,
    "hardness": lambda _: hardness,
    "datasets": lambda _: dataset,
    "models": lambda _: model,
}
# How a data set is named that needs a path.
OF_YOURS = {
    "file": 'hcat.load("birds.csv", target="species")',
    "folder": 'hcat.load("./photos")',
    "medmnist": 'hcat.load("medmnist", path="pneumoniamnist.npz")',
}


def make() -> None:
    """Write the pages that are made."""
    from executed import Executed, charts_module

    shutil.rmtree(MADE, ignore_errors=True)  # no page outlives what it is made of
    notebooks = Executed()
    for folder in (*KINDS, "static"):
        (MADE / folder).mkdir(parents=True, exist_ok=True)
    (MADE / "static" / "charts.js").write_text(charts_module(), encoding="utf-8")
    (MADE / "static" / "site.css").write_text(STYLE, encoding="utf-8")
    for kind in KINDS:
        (MADE / kind / "index.md").write_text(cards(kind), encoding="utf-8")
    for name, content in (("python", api()), ("lines", lines())):
        (MADE / f"{name}.md").write_text(content, encoding="utf-8")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        content = (HERE.parents[1] / name).read_text(encoding="utf-8")
        (MADE / name.lower()).write_text(content, encoding="utf-8")
    (MADE / "architecture.md").write_bytes((HERE.parent / "architecture.md").read_bytes())
    (MADE / "data_map.png").write_bytes((HERE.parent / "data_map.png").read_bytes())
    notebooks.write_to(MADE)


def draw_charts(app: Sphinx, page: str, _template: str, context: dict, _doctree: object) -> None:
    """Load what draws charts, on pages that have some."""
    if 'class="hcat-chart"' in context.get("body", ""):
        app.add_js_file("charts.js", loading_method="defer")


def setup(app: Sphinx) -> None:
    """Make the pages before they are read."""
    sys.setrecursionlimit(5000)
    make()
    app.connect("html-page-context", draw_charts)
