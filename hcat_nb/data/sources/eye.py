"""Eye movements while reading sentences that are irrelevant, relevant or the answer.

Salojarvi, Puolamaki, Simola, Kovanen, Kojo and Kaski, Inferring relevance from
eye movements: feature extraction, PASCAL challenge 2005; OpenML 1044.  Four
columns identify line, assignment, title and word; H-CAT keeps them, and so do
we: ``drop=["lineNo", "assgNo", "titleNo", "wordNo"]`` leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.sources._openml import OpenMLTable


@dataclass(frozen=True)
class Eye(OpenMLTable):
    """10,936 fixated words, 27 numbers each, of 3 classes."""

    name = "eye"
    title = "Eye movements (OpenML 1044)"
    n_samples = 10_936
    paper = "Salojarvi et al. 2005, PASCAL challenge"
    data_id = 1044
    targets = ("label",)
