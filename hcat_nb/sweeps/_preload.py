"""Imported once by the process from which a worker's kernels are forked.

Everything that a run imports later would be imported again by each of them.
Nothing here may start a thread or a device: a fork would not take it along.
"""

from __future__ import annotations

import importlib

_MODULES = """
    ipykernel.kernelapp ipykernel.ipkernel IPython.display torch torchvision pandas
    pyarrow.parquet safetensors.torch altair sklearn.metrics sklearn.model_selection
    sklearn.datasets cleanlab PIL.Image PIL.PngImagePlugin scipy.stats psutil
    hcat_nb.api.characterize hcat_nb.runs.store.saving hcat_nb.runs.store.journal
    hcat_nb.runs.execution.memory_need hcat_nb.runs.execution.extra_trainings
    hcat_nb.runs.execution.tables hcat_nb.training.loop hcat_nb.training.ranks
    hcat_nb.runs.execution.carry_out hcat_nb.evaluation.table hcat_nb.evaluation.baselines
    hcat_nb.evaluation.hcat hcat_nb.data.loading hcat_nb.perturbations._apply
    hcat_nb.charts.data_map hcat_nb.charts.picture hcat_nb.runs.execution.judging
    hcat_nb.runs.execution.given_truth hcat_nb.runs.first_look hcat_nb.methods.linear
    hcat_nb.methods.knn_label sklearn.linear_model hcat_nb.sweeps.parameters
"""

for _name in _MODULES.split():
    importlib.import_module(_name)
