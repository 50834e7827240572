"""The whole pipeline on a device that refuses what an accelerator would refuse.

Each program runs in a process of its own: registering a device is for good.
"""

from __future__ import annotations

from pathlib import Path

import pytest

BEGIN = f"""
import sys, tempfile, warnings
sys.path.insert(0, {str(Path(__file__).parent)!r})
warnings.simplefilter("ignore")
import pretend_device as pretend
import numpy as np, torch
from torch import nn
import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.registry import METHODS, PERTURBATIONS
from hcat_nb.runs.execution.forecast import forecast
from hcat_nb.training import device
from hcat_nb.training.events import Control, Listener

chosen = device.choose_device
device.choose_device = lambda name: pretend.DEVICE if name == "auto" else chosen(name)
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(120, 6)).astype(np.float32)
OF_TABLE = (TABLE[:, 0] > 0).astype(int) + (TABLE[:, 1] > 0.5)
IMAGES = RNG.integers(0, 256, size=(96, 1, 12, 12)).astype(np.uint8)
SHORT = {{"epochs": 2, "batch_size": 32, "seed": 0}}
LIGHT = {{"judges": False, "learning_check": False}}
EXTRA = {{"aum": {{"threshold_samples": True}}, "cleanlab": {{"cv": 2}}}}

def table(methods="all", model="dense", **more):
    run = hcat.characterize(TABLE, OF_TABLE, model=model, methods=methods, **{{**SHORT, **more}})
    assert more.get("device") or run.info["device"] == "pretend:0"
    return run

def images(methods="all", **more):
    return hcat.characterize(IMAGES, np.arange(96) % 3, methods=methods, **{{**SHORT, **more}})

def close(run, other):
    np.testing.assert_allclose(run.scores[run.methods], other.scores[other.methods], atol=1e-5)
"""
PROGRAMS = {
    "it refuses to mix": """
there = torch.arange(4.0, device="pretend")
for mixed in (
    lambda: there + torch.ones(4),
    lambda: torch.ones(4)[there.long()],
    lambda: there.__setitem__(torch.tensor([1, 2]), torch.ones(2)),
    lambda: nn.Linear(4, 2)(there[None]),
):
    try:
        mixed()
    except RuntimeError as error:
        assert "on one device" in str(error), error
    else:
        raise AssertionError("mixed")
assert there[torch.tensor([1, 2])].tolist() == [1, 2] and float(there.sum() + torch.tensor(1)) == 7
""",
    "methods, extra trainings": """
for model in ("dense", "mlp"):
    run = table(model=model, method_options=EXTRA)
    close(run, table(model=model, method_options=EXTRA, device="cpu"))
""",
    "variants": """
names = [name for name in METHODS.names() if "hcat" in getattr(METHODS.get(name), "variants", ())]
assert len(names) >= 8
hcat_options = {name: {"variant": "hcat"} for name in names}
run = table(" ".join(names), method_options=hcat_options, epochs=5)
close(run, table(" ".join(names), method_options=hcat_options, epochs=5, device="cpu"))
others = {
    "prototypicality": {"prototypes": "kmeans"},
    "knn_label": {"space": "embedding"},
    "linear": {"space": "embedding"},
    "conf_agree": {"measure": "agreement"},
    "loss": {"variant": "cnlcu"},
}
close(table(" ".join(others), method_options=others),
      table(" ".join(others), method_options=others, device="cpu"))
""",
    "images": """
for model in ("lenet", "cnn"):
    close(images(model=model), images(model=model, device="cpu"))
""",
    "perturbations of images": """
for name in PERTURBATIONS.names():
    if name != "mixture" and "image" in PERTURBATIONS.get(name).modality:
        options = {"rule_matrix": "confusion"} if name == "instance" else {}
        images("el2n", hardness=name, p=0.2, hardness_options=options, **LIGHT)
""",
    "perturbations of tables": """
for name in PERTURBATIONS.names():
    if name != "mixture" and "table" in PERTURBATIONS.get(name).modality:
        options = {"rule_matrix": "confusion"} if name == "instance" else {}
        table("el2n", hardness=name, p=0.2, hardness_options=options, **LIGHT)
""",
    "placement": """
runs = [table(data_on=where) for where in ("device", "host", "disk", "auto")]
assert [run.info["data_on"] for run in runs] == ["device", "host", "disk", "device"]
for run in runs[1:]:
    close(run, runs[0])
""",
    "seeds, folds, a forecast": """
run = table("el2n vog", seeds=2, folds=2)
close(run, table("el2n vog", seeds=2, folds=2, device="cpu"))
assert forecast(TABLE, OF_TABLE, model="dense", **SHORT).epochs == 2
table("aum el2n grand vog", model=nn.Linear(6, 3))
""",
    "resume": """
class Stops(Listener):
    essential = True
    def on_epoch(self, event):
        event.scores.take()
        if event.epoch == 1:
            control.stop.set()

for kept in ("logits", "probs"):
    control, folder = Control(), tempfile.mkdtemp() + "/run"
    table(keep_dynamics=kept, epochs=3, out=folder, control=control, listeners=[Stops()])
    whole = table(keep_dynamics=kept, epochs=3)
    resumed = hcat.resume(folder, TABLE, OF_TABLE)
    assert len(resumed.history) == 3 and resumed.scores.equals(whole.scores)
""",
    "rescoring, and what is kept": """
run = table("el2n", keep_dynamics="logits", hardness="uniform", p=0.1)
assert len(rescore(run, "all").methods) > 5
assert len(run.evaluate())
folder = tempfile.mkdtemp() + "/run"
run.save(folder)
assert hcat.load_run(folder).scores.equals(run.scores)
rescore(folder, "loss")
rescore(table("el2n", keep_dynamics="probs"), "loss datamaps")
""",
    "rows without an output": """
class Odd(nn.Module):
    def __init__(self, n_classes=3):
        super().__init__()
        self.head = nn.Linear(6, n_classes)
    def forward(self, x):
        odd = (x[:, :1] > 2.0) & (not self.training)
        return self.head(torch.where(odd, torch.nan, x))

run = table("aum el2n forgetting loss cleanlab", model=Odd, normalize="none")
odd = TABLE[:, 0] > 2.0
assert 0 < odd.sum() < 20
assert (run.scores.isna().all(axis=1) == odd).all()
assert (run.scores.isna().any(axis=1) == odd).all()
""",
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_nothing_lies_on_the_wrong_device(what, forked):
    done = forked(BEGIN + PROGRAMS[what])
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_a_deep_network(forked):
    done = forked(BEGIN + 'images(model="resnet18")')
    assert done.returncode == 0, done.stdout
