"""Finds the files that travel beside the Python code, and the user's cache folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hcat_nb.errors import HcatError

_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parent
_IMPORT = re.compile(
    r'^(?:import \{[^}]*\} from|@import) "\./(?:shared/)?(?P<name>[\w.]+)";$', re.MULTILINE
)
_FOLDERS = (
    _HERE / "static",
    _HERE / "methods",
    _CHECKOUT / "widgets" / "src",
    _CHECKOUT / "notebooks",
)


def asset(name: str) -> Path:
    """Return the path of a front-end module, a notebook or a method's weights by its name.

    Weights lie beside the method.  The others an installed package holds in
    ``hcat_nb/static``; a checkout serves ``widgets/src`` and ``notebooks`` in
    place, so that an edit is seen at once.
    """
    for folder in _FOLDERS:
        if (path := folder / name).is_file():
            return path
    raise HcatError(
        f"the file {name!r} is missing from this installation of hcat_nb",
        remedy="install the package again, or run it from a whole checkout",
    )


def source(name: str) -> str:
    """Return a front-end module or style sheet as anywidget takes it: one text.

    What it imports from ``shared/`` stands before it, each file once: anywidget
    loads a module from a blob URL, where a relative import cannot work.
    """
    joined: set[str] = set()

    def text(name: str) -> str:
        if name in joined:
            return ""
        joined.add(name)
        own = asset(name).read_text(encoding="utf-8")
        return _IMPORT.sub(lambda found: text(f"shared/{found['name']}"), own)

    return text(name)


def user_cache() -> Path:
    """Return the folder for files that can be made again; nothing is created.

    ``$HCAT_CACHE`` if it is set, else what the platform uses for caches.
    """
    from platformdirs import user_cache_path

    if given := os.environ.get("HCAT_CACHE"):
        return Path(given)
    return user_cache_path("hcat_nb", appauthor=False, opinion=False)
