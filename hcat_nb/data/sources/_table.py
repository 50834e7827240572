"""What all sources of tables with named columns share: they are read as a DataFrame is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.data.sources.base import Source
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError


@dataclass(frozen=True)
class TableSource(TableOptions, Source):
    """A table; its options are those of every table, see TableOptions."""

    modality = "table"

    @abstractmethod
    def frame(self) -> tuple[pd.DataFrame, str | None]:
        """Return the table, and the name of its target where it has one."""

    def load(self) -> LabelledDataset:
        """Return the table as a dataset."""
        return self.load_as()

    def load_as(self, *, target: Any = None, **reading: Any) -> LabelledDataset:
        """Return the table, read in the way that ``hcat_nb.load`` was asked for."""
        frame, own = self.frame()
        if target is not None and own is not None:
            raise DataError(
                f"target was given with {self.name!r}, which has its own labels", "none"
            )
        chosen = {item.name: getattr(self, item.name) for item in fields(TableOptions)}
        target = own if target is None else target
        return coerce(frame, target=target, name=self.called, options=chosen, **reading)

    @property
    def called(self) -> str:
        """What the dataset is called."""
        return self.name
