"""From a study's data to its network: made, tried on two samples, and how long it is trained."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hcat_nb.errors import ModelError
from hcat_nb.runs._epochs import chosen_epochs
from hcat_nb.runs._inputs import fit_classes
from hcat_nb.runs._record import DRAWN, GIVEN
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.models._building import ModelLike
    from hcat_nb.runs._study import Study

__all__ = ["build_model"]


def build_model(
    study: Study, model: ModelLike, clean: LabelledDataset, backbone: Backbone
) -> LabelledDataset:
    """Make the network of a study, and return the data with a class for each of its outputs.

    Raises
    ------
    ModelError
        If it suits neither the data nor the methods.
    """
    import torch

    from hcat_nb.models._adapter import AdaptedModel, fit_scaling
    from hcat_nb.models._building import build_network, default_model, model_name
    from hcat_nb.models._embedding import output_width
    from hcat_nb.observation.record import Need
    from hcat_nb.training.seed import isolated_rng

    two = backbone.like(clean.take(torch.nonzero(clean.trainable).ravel()[:2]))
    columns = 0 if two.modality == "image" else two.encoded_shape[0]
    rows = int(clean.trainable.sum())
    study.epochs, note = chosen_epochs(study.spec, rows, columns)
    study.notes += [note] if note else []
    if isinstance(model, str) and model == "auto":
        model = default_model(two, study.spec.effective_defaults)
    study.model_name = model_name(model, two)
    study.initial_weights = GIVEN if isinstance(model, torch.nn.Module) else DRAWN
    study.make_network = partial(build_network, model, options=study.spec.model_options)
    with isolated_rng(child_seed(study.spec.effective_model_seed, "weights")):
        study.net = study.make_network(two)
        if not any(one.requires_grad for one in study.net.parameters()):
            raise ModelError(
                "the model has no trainable parameter",
                "at least one",
                "parameter.requires_grad_(True)",
            )
        trial = AdaptedModel(fit_scaling(two, study.spec.normalize), study.net).cpu()
        clean = fit_classes(clean, output_width(trial, two.features))
        if any(Need.EMBEDDINGS in one.needs for one in (*study.methods, *study.judges)):
            _find_embedding(study, trial, two.features)
    return clean


def _find_embedding(study: Study, trial: nn.Module, features: Tensor) -> None:
    """Find the layer whose input is the embedding; judges do without if there is none."""
    from hcat_nb.models._embedding import find_embedding
    from hcat_nb.observation.record import Need
    from hcat_nb.runs._judging import without_embedding

    try:
        study.embedding = find_embedding(trial, features, study.spec.embedding)
    except ModelError as error:
        if any(Need.EMBEDDINGS in method.needs for method in study.methods):
            raise
        study.judges, note = without_embedding(study.judges, error)
        study.notes.append(note)
