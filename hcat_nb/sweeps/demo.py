"""The demo: the tutorial, executed, and what came out of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.assets import asset
from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import delivered
from hcat_nb.runs.store.folder import is_run
from hcat_nb.sweeps.execute import execute_notebook, export_html

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3
_NOTEBOOK, _PAGE, _PICTURE = "tutorial.ipynb", "tutorial.html", "data_map.png"


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demo made: the executed tutorial, its page, its run and that run's data map."""

    notebook: Path
    page: Path
    run: Path
    picture: Path
    hardest: pd.DataFrame
    by: str

    def __str__(self) -> str:
        import pandas as pd

        places = {
            "executed notebook": self.notebook,
            "the same as a page": self.page,
            "data map": self.picture,
            "results of the run": self.run,
        }
        lines = [f"{what:<19} {path}" for what, path in places.items()]
        lines += ["", f"The {len(self.hardest)} hardest samples, by {self.by} (higher = harder):"]
        for sample, row in self.hardest.iterrows():
            other = row["suggested"]
            words = f"label {row['label']}" + ("" if pd.isna(other) else f", looks like {other}")
            truth = {True: ", made hard on purpose", False: ", not made hard"}
            known = truth[bool(row["is_hard"])] if "is_hard" in row else ""
            lines.append(f"  sample {sample}: {words}, {self.by} {row[self.by]:.3f}{known}")
        return "\n".join(lines)


def run_demo(out: str | Path, *, progress: bool = True, **parameters: Any) -> Demo:
    """Execute the tutorial into the folder ``out``, and export it.

    What an earlier demo left there is replaced, but nothing else (StoreError). ``parameters`` of
    the tutorial stand in place of its defaults.
    """
    from hcat_nb.charts.picture import picture
    from hcat_nb.runs.review.drawing import drawn_map
    from hcat_nb.runs.review.hardest import hardest_samples
    from hcat_nb.runs.store.saving import check_folder, load_record

    folder = Path(out).resolve()
    _refuse_others(folder)
    saved = check_folder(folder / "run", overwrite=True)
    notebook = folder / _NOTEBOOK
    execute_notebook(
        asset(_NOTEBOOK), notebook, {**parameters, "out": str(saved)}, progress=progress
    )
    page = export_html(notebook)
    run = load_record(saved)
    image = folder / _PICTURE
    drawn = drawn_map(run, color="truth")
    delivered(image, lambda draft: draft.write_bytes(picture(drawn, scale=1.5)))
    hardest = hardest_samples(run, _SHOWN, None)
    return Demo(notebook, page, saved, image, hardest.frame, hardest.by)


def _refuse_others(folder: Path) -> None:
    """Refuse to replace files of somebody's that have the names of ours."""
    there = [folder / one for one in (_NOTEBOOK, _PAGE, _PICTURE) if (folder / one).exists()]
    if not there or is_run(folder / "run"):
        return
    try:  # an earlier demo that was interrupted
        metadata = json.loads((folder / _NOTEBOOK).read_bytes())["metadata"]
        ours = Path(metadata["papermill"]["input_path"]).name == _NOTEBOOK
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise StoreError(f"{there[0]} exists and is of no demo", remedy="choose another folder")
