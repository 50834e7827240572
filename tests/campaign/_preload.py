"""Imported last by the process that attempts are forked from: what each would do again is done.

Nothing here may start a thread: a fork would not take it along.
"""

import gc

import torch

from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES

torch.set_num_threads(1)
for registry in (METHODS, MODELS, PERTURBATIONS, SOURCES):
    for name in registry.names():  # reads the entry points of all packages, too
        registry.get(name)
# A collection in a fork would visit, and so copy, every object that is there by now.
gc.collect()
gc.freeze()
