"""Vega as JavaScript text, made offline by vl-convert and kept on disk.

It travels as a widget's trait ``_vega`` and is evaluated when a view is drawn.  As a
part of the widget's module it would be evaluated before the widget hears its first
message, and anywidget's page gives a module two seconds: on a busy machine the map
would be deaf for good.

Bundling takes over a second, so it is done once for each version of
vl-convert; the file in the user's cache may be deleted at any time.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

from hcat_nb.assets import user_cache

# What the widgets find under this global name.
_SNIPPET = "globalThis.hcatVegaEmbed = vegaEmbed;"


@functools.cache
def vega_bundle() -> str:
    """Return a script that puts Vega's ``embed`` on ``globalThis.hcatVegaEmbed``."""
    import vl_convert

    from hcat_nb.charts.picture import vega_lite_version

    grammar = vega_lite_version()
    key = f"{version('vl-convert-python')}/{grammar}/{_SNIPPET}"
    name = f"vega-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}.js"
    path = user_cache() / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    bundle: str = vl_convert.javascript_bundle(_SNIPPET, vl_version=grammar)
    _keep(path, bundle)
    return bundle


def _keep(path: Path, text: str) -> None:
    """Write the file whole or not at all; other processes may be doing the same."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        warnings.warn(
            f"Vega could not be kept in {path.parent} ({error}): it is made again in each "
            "process, which takes about a second; set HCAT_CACHE to a folder that can be written",
            stacklevel=2,
        )
