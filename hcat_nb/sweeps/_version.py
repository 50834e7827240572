"""Which code made a result: a digest of all that decides numbers."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from hcat_nb.assets import asset

_PACKAGE = Path(__file__).parents[1]
# What shows results, or says which runs to do, changes none of them.
_BESIDE = (
    *("jupyter", "magics", "charts", "sweeps", "study", "static"),
    *("cli.py", "signals.py", "__main__.py"),
)


@functools.cache
def code_version() -> str:
    """Return a digest of the package's code and weights and of the notebook, 8 hexadecimal digits.

    Versions of torch and of other packages are no part of it: each run's
    ``run.json`` has them.
    """
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(_PACKAGE.rglob("*")):
        inner = path.relative_to(_PACKAGE)
        if path.suffix in (".py", ".safetensors") and inner.parts[0] not in _BESIDE:
            digest.update(inner.as_posix().encode() + b"\0" + path.read_bytes())
    digest.update(asset("benchmark.ipynb").read_bytes())
    return digest.hexdigest()
