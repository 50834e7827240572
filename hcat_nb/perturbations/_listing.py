"""The public ``list_hardness``: every kind of hardness and its card."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hcat_nb.perturbations.base import Perturbation
from hcat_nb.registry import PERTURBATIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_hardness"]


def list_hardness() -> pd.DataFrame:
    """Return the kinds of hardness that can be injected, plug-ins included.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``title``, ``family``, ``modality`` (``image``,
        ``table`` or both), ``options`` (``name=default``), ``cost`` and
        ``paper``, all text.

    Examples
    --------
    >>> list_hardness().loc["adjacent", "options"]
    'order=None'
    """
    import pandas as pd

    plugins: list[type[Perturbation]] = [PERTURBATIONS.get(name) for name in PERTURBATIONS.names()]
    return pd.DataFrame(
        {
            "title": [plugin.title for plugin in plugins],
            "family": [plugin.family for plugin in plugins],
            "modality": [", ".join(sorted(plugin.modality)) for plugin in plugins],
            "options": [_options(plugin) for plugin in plugins],
            "cost": [plugin.cost for plugin in plugins],
            "paper": [plugin.paper for plugin in plugins],
        },
        index=pd.Index([plugin.name for plugin in plugins], name="name"),
    )


def _options(plugin: type[Perturbation]) -> str:
    return ", ".join(f"{item.name}={_default(item)}" for item in dataclasses.fields(plugin))


def _default(item: dataclasses.Field[object]) -> str:
    if item.default is not dataclasses.MISSING:
        return repr(item.default)
    if item.default_factory is not dataclasses.MISSING:
        return repr(item.default_factory())
    return "required"
