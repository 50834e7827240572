"""Hospital stays of patients with diabetes, readmitted within 30 days, later, or not.

Strack et al., Impact of HbA1c measurement on hospital readmission rates:
analysis of 70,000 clinical database patient records, 2014; OpenML 4541.  The
two columns that identify stay and patient are left out; ``drop=[]`` keeps
them, as H-CAT does.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.sources._openml import OpenMLTable

_CODES = (
    *("admission_type_id", "discharge_disposition_id", "admission_source_id"),
    *("diag_1", "diag_2", "diag_3"),
)


@dataclass(frozen=True)
class Diabetes(OpenMLTable):
    """50,000 of 101,766 stays, 8 counts and 39 categories each, of 3 classes."""

    name = "diabetes"
    title = "Diabetes, 130 US hospitals (OpenML 4541, 50,000 rows)"
    n_samples = 50_000
    paper = "Strack et al. 2014"
    data_id = 4541
    targets = ("readmitted",)

    drop: tuple[str, ...] = ("encounter_id", "patient_nbr")
    categorical: tuple[str, ...] = _CODES
    missing: tuple[str, ...] = ("?",)
