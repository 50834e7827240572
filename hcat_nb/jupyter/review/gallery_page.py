"""A page of samples as what ``sample_gallery.js`` draws: pictures, texts or rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.runs.first_look import score_of
from hcat_nb.runs.review.pictures import file_picture, png, sprite
from hcat_nb.runs.review.queue import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.review.decision import Decision
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record

_TILE_PIXELS = 96  # a large image is reduced to this
_PICTURE_PIXELS = 480  # and on the card to this
_COLUMNS = 6  # of a table, beside label and score
_LETTERS = 400  # of a text in the gallery
_WHOLE, _MOST = 1000, 1e15  # numbers of a table from here to there are shown without fraction
_ALL_LETTERS = 20_000  # of a text beside it


@dataclass(frozen=True, eq=False)
class PagePart:
    """Tiles, in plain JSON, and the picture (sprite) that their images are cut from."""

    content: dict[str, Any]
    buffers: list[bytes]

    def tip(self, classes: list[str]) -> tuple[dict[str, Any], list[bytes]]:
        """Return what is told of its first sample where the pointer rests on it."""
        (tile, *_), sprite = self.content["tiles"], self.content["sprite"]
        code = tile["suggested"]
        values = zip(self.content["columns"], tile.get("cells", ()), strict=True)
        told = {
            "row": tile["row"],
            "label": tile["label"],
            "proposal": "" if code < 0 or classes[code] == tile["label"] else classes[code],
            "decision": tile["decision"],
            "text": tile.get("text", ""),
            "values": [*([(self.content["by"], tile["score"])] if tile["score"] else []), *values],
            "pixels": sprite["pixels"] if sprite else 0,
        }
        return told, self.buffers


class SampleViews:
    """Makes the tiles of a run's samples; without a dataset there are ids and labels only.

    ``proposals`` are class codes of proposed labels, -1 where there is none.
    """

    def __init__(self, run: Record, dataset: LabelledDataset | None, proposals: np.ndarray) -> None:
        self.classes = [str(value) for value in run.details["label"].cat.categories]
        self.kind: Literal["image", "text", "table"] = "table"
        self._run = run
        self.dataset = dataset
        self.labels = run.details["label"].cat.codes.to_numpy()
        self.proposals = proposals
        if dataset is not None and dataset.modality == "image":
            self.kind = "image"
        elif dataset is not None and dataset.text is not None:
            self.kind = "text"
        self._shown = self._columns()[:_COLUMNS] if self.kind == "table" else []

    def page(
        self, rows: np.ndarray, by: str, decided: Callable[[int], Decision | None]
    ) -> PagePart:
        """Return the tiles of the samples at these positions, in this order."""
        scores = None if by == QUEUE else score_of(self._run, by).to_numpy()
        cells = [self._cells(name, rows) for name in self._shown]
        texts = self._texts(rows) if self.kind == "text" else None
        tiles = []
        for place, row in enumerate(rows.tolist()):
            tile = {
                "row": row,
                "id": str(self._run.details.index[row]),
                "label": self.name(int(self.labels[row])),
                "suggested": int(self.proposals[row]),
                "score": "" if scores is None else number_words(scores[row]),
                "decision": self.decision_words(decided(row)),
            }
            if texts is not None:
                tile["text"] = _cut(texts[place], _LETTERS)
            if cells:
                tile["cells"] = [column[place] for column in cells]
            tiles.append(tile)
        content: dict[str, Any] = {
            "kind": self.kind,
            "tiles": tiles,
            "columns": [name for name, _ in self._shown],
            "by": by,
            "sprite": None,
        }
        if self.kind != "image" or len(rows) == 0:
            return PagePart(content, [])
        assert self.dataset is not None
        made = sprite(self.dataset, rows, largest=_TILE_PIXELS)
        content["sprite"] = {"columns": made.columns, "rows": made.rows, "pixels": made.pixels}
        return PagePart(content, [made.png])

    def decision_words(self, decision: Decision | None) -> str:
        """Return a decision as the gallery shows it."""
        if decision is None:
            return ""
        code = decision.code
        return decision.action if code < 0 else f"{decision.action} → {self.classes[code]}"

    def values(self, row: int) -> list[tuple[str, str]]:
        """Return a table's row: names and values, as text."""
        here = np.array([row])
        shown = self._columns() if self.kind == "table" else []
        return [(column[0], self._cells(column, here)[0]) for column in shown]

    def said(self) -> Iterator[str]:
        """Yield what each sample says: its label, and its text or row."""
        n = len(self.labels)
        columns = [self._cells(column, np.arange(n)) for column in self._columns()]
        texts = self._texts(np.arange(n)) if self.kind == "text" else [""] * n
        for row, text in enumerate(texts):
            yield " ".join([self.name(self.labels[row]), text, *(one[row] for one in columns)])

    def text(self, row: int) -> str:
        """Return the text of a sample, "" where it has none."""
        return _cut(self._texts(np.array([row]))[0], _ALL_LETTERS) if self.kind == "text" else ""

    def picture(self, row: int) -> tuple[bytes, bytes, str]:
        """Return the image of a sample, it as the network saw it, and why its file is not read.

        Where there is no file, or the picture was made hard, what the network saw is the image.
        """
        if self.kind != "image":
            return b"", b"", ""
        assert self.dataset is not None
        if max(self.dataset.sample_shape[1:]) <= _PICTURE_PIXELS:
            seen = png(self.dataset, row)
        else:
            seen = sprite(self.dataset, np.array([row]), largest=_PICTURE_PIXELS).png
        truth, files = self._run.truth.iloc[row], self.dataset.files
        same = truth.get("original_label") == self._run.details["label"].iloc[row]
        other = truth["is_hard"] and same  # not the label was made hard
        if files is None or other:
            return seen, b"", ""
        try:
            return file_picture(files[row], _PICTURE_PIXELS), seen, ""
        except Exception as error:  # a decoder raises whatever it likes; the card tells it
            return seen, b"", f"{files[row]} cannot be read: {error}"

    def strip(self, rows: np.ndarray, pixels: int) -> tuple[bytes, list[str]]:
        """Return at most ten samples as one picture, side by side, or as a line of text each."""
        if self.dataset is None or len(rows) == 0:
            return b"", [""] * len(rows)
        if self.kind == "image":
            return sprite(self.dataset, rows, largest=pixels).png, [""] * len(rows)
        if self.kind == "text":
            return b"", [_cut(one, _LETTERS) for one in self._texts(rows)]
        cells = [self._cells(column, rows) for column in self._shown]
        return b"", [", ".join(row) for row in zip(*cells, strict=True)]

    @property
    def strip_columns(self) -> str:
        """Which columns a line of :meth:`strip` has, in words, "" where it has none."""
        return "of each: " + ", ".join(name for name, _ in self._shown) if self._shown else ""

    def name(self, code: int) -> str:
        """Return the name of a class, "" for -1."""
        return "" if code < 0 else self.classes[code]

    def _texts(self, rows: np.ndarray) -> list[str]:
        assert self.dataset is not None
        assert self.dataset.original is not None, "a dataset of texts keeps them"
        column = self.dataset.original[self.dataset.text].iloc[rows]
        return ["" if value is None or value != value else str(value) for value in column]

    def _columns(self) -> list[tuple[str, int]]:
        """Return names and places of the columns of a table: of the original where it is kept."""
        dataset = self.dataset
        if dataset is None or dataset.modality != "table":
            return []
        if dataset.original is not None:
            return [(str(name), place) for place, name in enumerate(dataset.original.columns)]
        width = dataset.sample_shape[0]
        names = dataset.feature_names or [f"column {place}" for place in range(width)]
        return [(str(name), place) for place, name in enumerate(names)]

    def _cells(self, column: tuple[str, int], rows: np.ndarray) -> list[str]:
        assert self.dataset is not None
        if self.dataset.original is not None:
            values = self.dataset.original.iloc[rows, column[1]].tolist()
        else:
            offset = self.dataset.offsets.get(column[1], 0.0)
            values = (self.dataset.features[rows, column[1]].double() + offset).tolist()
            if offset:
                return [f"{value:.12g}" for value in values]
        return [_cut(_cell(value), _LETTERS) for value in values]


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    if isinstance(value, float) and _WHOLE <= abs(value) < _MOST:
        return f"{value:.0f}"  # 12263, as the user's table has it, and not 1.226e+04
    return number_words(value) if isinstance(value, float) else str(value)


def kept_words(decisions: Decisions | None) -> str:
    """Return how many decisions there are, where they are kept, and how to keep them."""
    if decisions is None:
        return "no decisions"
    words = repr(decisions)[1:-1]
    if decisions.file is None:
        words += ": run.save(folder) or run.explore(file=...) keeps them"
    return words


def sample_words(n: int) -> str:
    """Return how many samples, in words."""
    return "1 sample" if n == 1 else f"{n:,} samples"


def number_words(value: float) -> str:
    """Return a number as it is shown, "n/a" for NaN."""
    return "n/a" if value != value else f"{value:.4g}"


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
