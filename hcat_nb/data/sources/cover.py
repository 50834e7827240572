"""Forest cover types by terrain and soil, 30 m x 30 m cells.

Blackard and Dean, Comparative accuracies of artificial neural networks and
discriminant analysis in predicting forest cover types from cartographic
variables, 1999; OpenML 1596.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.sources._openml import OpenMLTable


@dataclass(frozen=True)
class Cover(OpenMLTable):
    """50,000 of 581,012 cells, 10 measurements and 44 flags each, of 7 classes."""

    name = "cover"
    title = "Forest cover types (OpenML 1596, 50,000 rows)"
    n_samples = 50_000
    paper = "Blackard and Dean 1999"
    data_id = 1596
    targets = ("class", "Cover_Type")
