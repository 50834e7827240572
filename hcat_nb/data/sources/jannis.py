"""Jannis, 54 measurements without names, of the AutoML challenge.

Guyon et al., Analysis of the AutoML challenge series 2015-2018; OpenML 41168.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.sources._openml import OpenMLTable


@dataclass(frozen=True)
class Jannis(OpenMLTable):
    """50,000 of 83,733 rows of 54 numbers, of 4 classes."""

    name = "jannis"
    title = "Jannis (OpenML 41168, 50,000 rows)"
    n_samples = 50_000
    paper = "Guyon et al., AutoML challenge 2015-2018"
    data_id = 41168
    targets = ("class",)
