"""What can be told of a run's hardness before its data are read."""

from __future__ import annotations

from hcat_nb.registry import PERTURBATIONS, SOURCES, TABLE_SUFFIXES, names_file, names_folder
from hcat_nb.spec import RunSpec

_TABLES = tuple(suffix for suffix in TABLE_SUFFIXES if suffix != ".parquet")


def check_hardness(spec: RunSpec) -> None:
    """Check the options of a run's hardness, and that it is one for such data."""
    if spec.hardness is None:
        return
    kind = PERTURBATIONS.get(spec.hardness)
    kind.from_options(**spec.hardness_options)
    if (modality := _modality(spec)) is not None:
        kind.check_modality(modality)


def _modality(spec: RunSpec) -> str | None:
    """Return what the samples are; None where only reading them tells."""
    if spec.dataset == "folder" or names_folder(spec.dataset):
        return "image"
    if spec.dataset == "file" or names_file(spec.dataset):
        # Arrays, and tables in Parquet, may hold images.
        open_ending = not spec.dataset.lower().endswith(_TABLES)
        return None if open_ending or "image" in spec.dataset_options else "table"
    modality: str = SOURCES.get(spec.dataset).modality
    return modality
