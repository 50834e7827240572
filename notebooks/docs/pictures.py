"""Pictures of the site, drawn at each build: what methods find, and what is made hard."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from PIL import Image, ImageDraw

import hcat_nb as hcat
from hcat_nb.registry import METHODS, PERTURBATIONS

STUDY = Path(__file__).parents[1] / "study" / "results.parquet"
SHARE = 0.1  # of samples made hard, in all figures
SHOWN, SCALE, PIXELS = 6, 12, 8  # samples on a picture; points of the screen for a pixel of digits


def found(folder: Path) -> dict[str, str]:
    """Draw each method of the bundled study; return what stands below the picture."""
    table = pd.read_parquet(STUDY)
    plain = (table["p"] == SHARE) & (table["hardness_variant"] != "hcat")
    table = table.loc[plain & table["auroc"].notna(), ["hcm", "hardness", "dataset", "auroc"]]
    order = table.groupby("hardness")["auroc"].mean().sort_values(ascending=False).index.tolist()
    captions = {}
    for name in sorted(set(table["hcm"]) & set(METHODS.known())):
        rows = table[table["hcm"] == name]
        mean = rows.groupby("hardness")["auroc"].mean().sort_values(ascending=False)
        x = alt.X("auroc:Q", title="AUROC (.5: by chance)", scale=alt.Scale(domain=[0, 1]))
        y = alt.Y("hardness:N", sort=order, title=None)
        dots = alt.Chart(rows).mark_circle(size=45, opacity=0.6).encode(x, y, color="dataset:N")
        ticks = alt.Chart(mean.reset_index()).mark_tick(color="black", thickness=2).encode(x, y)
        chance = alt.Chart(pd.DataFrame({"auroc": [0.5]})).mark_rule(color="grey").encode(x)
        _draw((chance + dots + ticks).properties(width=420), folder / f"{name}.png")
        captions[name] = (
            f"What `{name}` finds in the [bundled study](../takeaways.ipynb): {len(rows)} runs, of "
            f"each {SHARE:.0%} made hard; a dot is a run, a bar the mean. Best at "
            f"`{mean.index[0]}` (mean AUROC {mean.iloc[0]:.2f}), worst at `{mean.index[-1]}` "
            f"({mean.iloc[-1]:.2f})."
        )
    return captions


def scored(folder: Path, names: list[str]) -> dict[str, str]:
    """Draw the scores of methods that the study does not hold, from one small run."""
    options = {"subset": 300, "epochs": 5, "model": "lenet", "folds": "0", "seed": 0}
    run = hcat.characterize("digits", hardness="uniform", p=SHARE, methods=names, **options)
    auroc = run.evaluate(baselines=False, n_resamples=20).set_index("hcm")["auroc"]
    for name in names:
        _draw(run.histograms(name), folder / f"{name}.png")
    return {
        name: f"Scores of `{name}` in a small run: {len(run.scores)} digits, {SHARE:.0%} of the "
        f"labels wrong at random, {len(run.history)} epochs; AUROC {auroc[name]:.2f} on these."
        for name in names
    }


def before_and_after(folder: Path, name: str) -> str:
    """Return Markdown that shows samples before and after a kind of hardness."""
    card = PERTURBATIONS.get(name)
    options = {"uniform": 0.05, "crop_shift": 0.05} if name == "mixture" else {}
    data = hcat.load("digits" if "image" in card.modality else "wine", subset=150)
    made = hcat.perturb(data, name, p=SHARE, seed=0, **options)
    rows = np.flatnonzero(made.truth["is_hard"])[:SHOWN]
    if "image" not in card.modality:
        return _of_a_table(data, made, rows[:3])
    edge = PIXELS * SCALE
    picture = Image.new("L", ((edge + SCALE) * len(rows), 2 * (edge + 2 * SCALE)), 255)
    pen = ImageDraw.Draw(picture)
    for column, row in enumerate(rows):
        for line, one in enumerate((data, made.dataset)):
            x, y = column * (edge + SCALE), line * (edge + 2 * SCALE)
            pen.text((x, y), f"label {one.class_names[one.labels[row]]}", fill=0)
            pixels = one.features[row, 0].numpy().astype(float) / data.value_range[1] * 255
            tile = Image.fromarray(pixels.round().astype(np.uint8))
            picture.paste(tile.resize((edge, edge), Image.Resampling.NEAREST), (x, y + 15))
    picture.save(folder / f"{name}.png")
    return f"![Handwritten digits before (above) and after (below)](hardness/{name}.png)\n"


def _of_a_table(data: hcat.LabelledDataset, made: object, rows: np.ndarray) -> str:
    before, after = data.features[rows].numpy(), made.dataset.features[rows].numpy()
    names = data.feature_names or [f"column {i}" for i in range(before.shape[1])]
    lines = ["| wine, row | column | before | after |", "| --- | --- | --- | --- |"]
    for i, j in zip(*np.nonzero(before != after), strict=True):
        lines.append(f"| {rows[i]} | {names[j]} | {before[i, j]:.2f} | {after[i, j]:.2f} |")
    return "\n".join(lines) + "\n"


def _draw(chart: alt.TopLevelMixin, path: Path) -> None:
    path.write_bytes(vl_convert.vegalite_to_png(chart.to_json(), scale=1.5))
