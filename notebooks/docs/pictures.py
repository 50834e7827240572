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
MISSED = 0.55  # mean AUROC below which a method hardly finds a kind
SHOWN, SCALE, PIXELS = 6, 12, 8  # samples on a picture; points of the screen for a pixel of digits
COLUMNS = 4  # of a row of a table


def study() -> pd.DataFrame:
    """Return the runs of the bundled study that are compared: three seeds of each cell.

    Without those of H-CAT's variants, and those that fix the data seed, which only some cells have.
    """
    table = pd.read_parquet(STUDY)
    plain = (table["p"] == SHARE) & (table["variant"] == "paper") & (table["run_tag"] == "")
    columns = ["hcm", "kind", "hardness", "dataset", "auroc"]
    return table.loc[plain & table["auroc"].notna(), columns]


def found(folder: Path) -> dict[str, str]:
    """Draw what each method of the bundled study finds; return what stands below the picture."""
    table = study()
    order = table.groupby("hardness")["auroc"].mean().sort_values(ascending=False).index.tolist()
    captions = {}
    for name in sorted(set(table["hcm"]) & set(METHODS.known())):
        rows = table[table["hcm"] == name]
        mean = rows.groupby("hardness")["auroc"].mean().sort_values(ascending=False)
        _dots(rows, "hardness", order, folder / f"{name}.png")
        captions[name] = (
            f"What `{name}` finds in the [bundled study](../takeaways.ipynb): {len(rows)} runs, of "
            f"each {SHARE:.0%} made hard; a dot is a run, a bar the mean. Best at "
            f"{_kind(mean.index[0])} (mean AUROC {mean.iloc[0]:.2f}), worst at "
            f"{_kind(mean.index[-1])} ({mean.iloc[-1]:.2f})."
        )
    return captions


def finders(folder: Path, name: str) -> str:
    """Draw what finds a kind of hardness in the bundled study; return the section's Markdown."""
    table = study()
    rows = table[table["hardness"] == name]
    if rows.empty:
        return "The study has no runs of it: look at the pages of its parts."
    mean = rows.groupby("hcm")["auroc"].mean().sort_values(ascending=False)
    _dots(rows, "hcm", mean.index.tolist(), folder / f"{name}_found.png")
    baselines = set(rows.loc[rows["kind"] == "baseline", "hcm"])
    by_data = rows.pivot_table("auroc", "hcm", "dataset").loc[mean.index]
    first = [one for one in mean.index if one not in baselines][:3]
    last = [one for one in mean.index[::-1] if one not in baselines and mean[one] < MISSED]
    said = "Best: " + ", ".join(f"{_method(one)} ({mean[one]:.2f})" for one in first) + ". "
    said += (
        f"Below {MISSED}: " + ", ".join(f"{_method(one)} ({mean[one]:.2f})" for one in last) + "."
        if last
        else f"No method is below {MISSED}."
    )
    lines = [
        f"| | mean | {' | '.join(by_data)} |",
        f"| --- | --- |{' --- |' * len(by_data.columns)}",
    ]
    for one, figures in by_data.iterrows():
        label = f"{one} (baseline)" if one in baselines else _method(one)
        cells = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {label} | {mean[one]:.2f} | {cells} |")
    runs = len(rows) // rows["hcm"].nunique()
    return (
        f"![Methods by how well they find {name}]({name}_found.png)\n\n"
        f"{said} Mean AUROC over {runs} runs of the [bundled study](../takeaways.ipynb), of each "
        f"{SHARE:.0%} made hard; .5 is chance, and well below .5 the hard samples are ranked "
        f"*last*. A dot is a run, a bar the mean. Small networks, ten epochs: elsewhere the order "
        f"may be another.\n\n" + "\n".join(lines) + "\n"
    )


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
    parts = []
    for modality, dataset in (("image", "digits"), ("table", "wine")):
        if modality not in card.modality or (options and modality == "table"):
            continue
        data = hcat.load(dataset, subset=150)
        rules = {"rule_matrix": "confusion"} if (name, dataset) == ("instance", "wine") else {}
        made = hcat.perturb(data, name, p=SHARE, seed=0, **options, **rules)
        rows = np.flatnonzero(made.truth["is_hard"])[:SHOWN]
        if modality == "table":
            parts.append(_of_a_table(data, made.dataset, rows[:3]))
        else:
            _of_images(data, made.dataset, rows).save(folder / f"{name}.png")
            parts.append(f"![Handwritten digits before (above) and after (below)]({name}.png)\n")
    return "\n".join(parts)


def _of_images(
    data: hcat.LabelledDataset, made: hcat.LabelledDataset, rows: np.ndarray
) -> Image.Image:
    edge = PIXELS * SCALE
    picture = Image.new("L", ((edge + SCALE) * len(rows), 2 * (edge + 2 * SCALE)), 255)
    pen = ImageDraw.Draw(picture)
    for column, row in enumerate(rows):
        for line, one in enumerate((data, made)):
            x, y = column * (edge + SCALE), line * (edge + 2 * SCALE)
            pen.text((x, y), f"label {one.class_names[one.labels[row]]}", fill=0)
            pixels = one.features[row, 0].numpy().astype(float) / data.value_range[1] * 255
            tile = Image.fromarray(pixels.round().astype(np.uint8))
            picture.paste(tile.resize((edge, edge), Image.Resampling.NEAREST), (x, y + 15))
    return picture


def _of_a_table(data: hcat.LabelledDataset, made: hcat.LabelledDataset, rows: np.ndarray) -> str:
    before, after = data.features[rows].numpy(), made.features[rows].numpy()
    lines = ["| wine | column | before | after |", "| --- | --- | --- | --- |"]
    for i, row in enumerate(rows):
        old, new = (one.class_names[one.labels[row]] for one in (data, made))
        if old != new:
            lines.append(f"| row {row} | label | {old} | {new} |")
        moved = np.flatnonzero(before[i] != after[i])
        for j in moved[:COLUMNS]:
            values = f"{before[i, j]:.2f} | {after[i, j]:.2f}"
            lines.append(f"| row {row} | {data.feature_names[j]} | {values} |")
        if len(moved) > COLUMNS:
            lines.append(f"| row {row} | and {len(moved) - COLUMNS} further columns | | |")
    return "\n".join(lines) + "\n"


def _kind(name: str) -> str:
    return f"[`{name}`](../hardness/{name}.md)"


def _method(name: str) -> str:
    return f"[`{name}`](../methods/{name}.md)"


def _dots(rows: pd.DataFrame, column: str, order: list[str], path: Path) -> None:
    """Draw a dot for each run, and a bar for the mean of each value of ``column``."""
    mean = rows.groupby(column)["auroc"].mean()
    x = alt.X("auroc:Q", title="AUROC (.5: by chance)", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y(f"{column}:N", sort=order, title=None)
    dots = alt.Chart(rows).mark_circle(size=45, opacity=0.6).encode(x, y, color="dataset:N")
    ticks = alt.Chart(mean.reset_index()).mark_tick(color="black", thickness=2).encode(x, y)
    chance = alt.Chart(pd.DataFrame({"auroc": [0.5]})).mark_rule(color="grey").encode(x)
    _draw((chance + dots + ticks).properties(width=420), path)


def _draw(chart: alt.TopLevelMixin, path: Path) -> None:
    path.write_bytes(vl_convert.vegalite_to_png(chart.to_json(), scale=1.5))
