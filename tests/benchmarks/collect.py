"""How long it takes to collect the runs of a whole study in one table.

One real run is written many times over, with other seeds, as a sweep leaves
its runs; the table is collected, and a few of the runs are loaded as a whole
for comparison.

    python tests/benchmarks/collect.py --runs 14000
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import hcat_nb as hcat
from hcat_nb.api.run import load_run
from hcat_nb.sweeps.collect import results

LOADED = 20  # runs that are loaded whole


def main() -> None:
    """Print seconds, and what a loaded run costs beside a collected one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=14_000)
    n_runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        template = root / "template"
        hcat.characterize("wine", hardness="uniform", model="mlp", epochs=5, out=template)
        sweep = root / "sweep"
        record = json.loads((template / "run.json").read_text())
        for number in range(n_runs):
            place = sweep / f"{number:012x}-00000000"
            (place / "run").mkdir(parents=True)
            record["spec"]["model_seed"] = number
            (place / "run/run.json").write_text(json.dumps(record, indent=2))
            state = {"state": "done", "version": "00000000", "parameters": {}}
            (place / "state.json").write_text(json.dumps(state))
        size = (template / "run.json").stat().st_size
        began = time.perf_counter()
        table = results(sweep, out=root / "table.parquet")
        collected = time.perf_counter() - began
        began = time.perf_counter()
        for _ in range(LOADED):
            load_run(template)
        loaded = (time.perf_counter() - began) / LOADED
        assert table["run"].nunique() == n_runs
        parquet = (root / "table.parquet").stat().st_size
        print(f"{n_runs:,} runs of {size / 1e3:.0f} kB, {len(table):,} rows: {collected:.1f} s")
        print(f"a table of {parquet / 1e6:.1f} MB")
        print(f"loading a run takes {loaded / (collected / n_runs):.1f} x as long as collecting it")


if __name__ == "__main__":
    main()
