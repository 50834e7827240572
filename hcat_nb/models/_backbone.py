"""What a model is shown of a sample: its raw features, or others that are made of them.

Perturbations, galleries and panels go on with the raw samples; what is made
of them is made after something was made hard, from what is then there.

A network that was trained elsewhere is named ``torchvision:NAME`` or
``timm:NAME``, and behind a further colon the file of its weights (.pth, .pt or
.safetensors); without one it has those that the package downloads.  Images are
enlarged to the size and brought to the colours that the network was trained on;
its last linear layer is left out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hcat_nb.casts import as_path
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.feature_cache import content_digest, kept
from hcat_nb.data.patches import PatchDictionary, fit_patches, patch_features
from hcat_nb.data.reading.any_frame import as_pandas
from hcat_nb.data.reading.features import to_features
from hcat_nb.errors import DataError, MissingDataError, ModelError, SpecError
from hcat_nb.fields import USERS_OWN
from hcat_nb.models._embedding import find_embedding

_BATCH = 256  # samples that a function of the user's gets at a time
_SIDE = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


class Backbone:
    """Raw features, as they are; subclasses make others of them.

    ``width``: number of features that are made; 0 where the samples stay as they are; ``follows``:
    whether what is made hard in a sample changes its features; ``digest``: what tells features of
    the user's own from others; empty where the specification does.
    """

    name = "raw"
    width = 0
    follows = True
    digest = ""

    def like(self, dataset: LabelledDataset) -> LabelledDataset:
        """Return a dataset that looks to a model as :meth:`seen` will."""
        return as_table(dataset, torch.zeros(len(dataset), self.width)) if self.width else dataset

    def seen(self, dataset: LabelledDataset) -> LabelledDataset:
        """Return the dataset as a model sees it: same rows, labels and ids."""
        if not self.width:
            return dataset
        features = self.features(dataset)
        bad = ~features.isfinite().all(dim=1) & dataset.readable
        if bool(bad.any()):
            row = dataset.sample_ids[int(torch.nonzero(bad)[0])]
            raise DataError(
                f"the {self.name} features of {int(bad.sum())} samples, such as {row!r}, are "
                "not finite",
                "numbers",
            )
        return as_table(dataset, features)

    def features(self, dataset: LabelledDataset) -> Tensor:
        """Return the features, (n, width), float32."""
        raise NotImplementedError


class Patches(Backbone):
    """K-means on the images' own patches; the dictionary is that of the images as they came."""

    name = "patches"

    def __init__(self, images: LabelledDataset) -> None:
        if images.value_range is None:
            raise _no_images(self.name, images)
        pixels, value_range = images.features[images.readable], images.value_range
        words = f"patch dictionary 1 {value_range}"

        def fit() -> Tensor:
            one = fit_patches(pixels, value_range)
            return torch.cat([one.mean[None], one.whitening, one.groups])

        self._words = words
        self._dictionary = PatchDictionary.unpacked(
            kept(content_digest(words, pixels), fit), images.sample_shape, value_range
        )
        self.width = self._dictionary.width

    def features(self, dataset: LabelledDataset) -> Tensor:
        """Return each image's answers to the groups of patches."""
        dictionary = self._dictionary
        key = content_digest(self._words, dictionary.groups, dataset.features)

        def make() -> Tensor:
            out = torch.empty(len(dataset), self.width)
            patch_features(dataset.features, dictionary, out)
            return out

        return kept(key, make)


class Own(Backbone):
    """An array of the user's own: a row for each sample."""

    name = "own"
    follows = False

    def __init__(self, given: Any, dataset: LabelledDataset) -> None:
        given = as_pandas(given)
        index = getattr(given, "index", None)
        if index is not None and not callable(index):  # a DataFrame: rows by name
            missing = dataset.sample_ids.difference(index, sort=False)
            if len(missing) or not index.is_unique:
                what = f"lack {missing[0]!r}" if len(missing) else "name a sample twice"
                raise DataError(f"the features {what}", "a row for each sample id, once")
            given = given.loc[dataset.sample_ids].to_numpy()
        array = given.detach().cpu().numpy() if isinstance(given, Tensor) else np.asarray(given)
        if array.ndim != 2 or len(array) != len(dataset) or array.dtype.kind not in "buif":
            raise DataError(
                f"the features have the shape {array.shape} and the type {array.dtype}",
                f"({len(dataset)}, columns), numbers",
                "hand over a DataFrame whose index holds the sample ids",
            )
        self._features = to_features(array, channels_first=False, owned=False).tensor
        self.width = self._features.shape[1]
        self.digest = content_digest(self._features)

    def features(self, dataset: LabelledDataset) -> Tensor:
        """Return the array's rows."""
        return self._features


class Function(Backbone):
    """A function of a batch of raw samples."""

    name = "own"

    def __init__(self, function: Callable[[Tensor], Any], dataset: LabelledDataset) -> None:
        self._function = function
        self.width = self._of(dataset.features[:2]).shape[1]

    def features(self, dataset: LabelledDataset) -> Tensor:
        """Return what the function makes of all samples, batch by batch."""
        return torch.cat([self._of(batch) for batch in dataset.features.split(_BATCH)])

    def _of(self, batch: Tensor) -> Tensor:
        with torch.no_grad():
            made = self._function(batch.clone())
        made = torch.as_tensor(made).detach().cpu().to(torch.float32)
        if made.dim() != 2 or len(made) != len(batch):
            raise DataError(
                f"features= made the shape {tuple(made.shape)} of {len(batch)} samples",
                f"({len(batch)}, columns)",
            )
        return made


def make_backbone(
    features: str, given: Any, dataset: LabelledDataset, *, download: bool
) -> Backbone:
    """Return what makes the features that ``features`` names; ``given``: the user's own."""
    if features == "raw":
        return Backbone()
    if features == "patches":
        return Patches(dataset)
    if features == USERS_OWN:
        if isinstance(given, type):
            raise DataError(
                f"features= is the class {given.__name__}", "an array, or a function of a batch"
            )
        return Function(given, dataset) if callable(given) else Own(given, dataset)
    if dataset.modality != "image":
        raise _no_images(features, dataset)

    made = Function(frozen(features, dataset, download), dataset)
    made.name = features
    return made


def check_follows(backbone: Backbone, redraws: bool) -> None:
    """Refuse to make samples hard whose features would not show it."""
    if redraws and not backbone.follows:
        raise SpecError(
            "the features are an array, which a change of the samples themselves does not reach",
            "label noise",
            "hand over the function that makes them",
        )


def as_table(dataset: LabelledDataset, features: Tensor) -> LabelledDataset:
    """Return ``dataset`` with columns of numbers in place of its features."""
    return dataset.replace(
        features=features,
        value_range=None,
        feature_names=None,
        flip_keeps_label=False,
        levels={},
        words=range(0),
        text=None,
        original=None,
        mapped=False,
        offsets={},
    )


def _no_images(features: str, dataset: LabelledDataset) -> DataError:
    return DataError(
        f"{dataset.name!r} holds a table, and features={features} are of images",
        "images",
        "features=raw",
    )


def frozen(features: str, dataset: LabelledDataset, download: bool) -> Callable[[Tensor], Tensor]:
    """Return what maps raw images to features, of ``package:NAME`` or ``package:NAME:FILE``."""
    package, _, rest = features.partition(":")
    name, _, file = rest.partition(":")
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingDataError(
            f"features={features} needs the package {package}, which is not installed",
            remedy=f"pip install {package}",
        ) from None
    make = _of_torchvision if package == "torchvision" else _of_timm
    net = make(module, name, None if file else download, features)
    if file:
        _load(net, as_path(file))
    return _Frozen(net.eval().requires_grad_(False), dataset.value_range or (0.0, 1.0))


class _Frozen:
    def __init__(self, net: nn.Module, value_range: tuple[float, float]) -> None:
        self.net = net
        self.low, self.high = value_range
        example = torch.zeros(2, 3, _SIDE, _SIDE)
        self._layer = find_embedding(net, example)

    def __call__(self, images: Tensor) -> Tensor:
        """Map (b, channels, height, width) to (b, width)."""
        x = (images.float() - self.low) / max(self.high - self.low, 1e-12)
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3]
        x = nn.functional.interpolate(x, (_SIDE, _SIDE), mode="bilinear", antialias=True)
        mean, std = (torch.tensor(one)[:, None, None] for one in (_MEAN, _STD))
        found: list[Tensor] = []
        hook = self._layer.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
        try:
            self.net((x - mean) / std)
        finally:
            hook.remove()
        return found[0].flatten(1)


def _of_torchvision(_: Any, name: str, download: bool | None, features: str) -> nn.Module:
    """Return the network; ``download`` is None where a file has the weights."""
    models = importlib.import_module("torchvision.models")
    try:
        net: nn.Module = models.get_model(name, weights=None)
    except ValueError as error:
        raise SpecError(
            f"torchvision has no network {name!r}", "a name of list_models()"
        ) from error
    if download is None:
        return net
    weights = models.get_model_weights(name).DEFAULT
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not (download or kept.is_file()):
        raise _absent(features, "the download is not allowed")
    try:
        net.load_state_dict(weights.get_state_dict(progress=False, check_hash=True))
    except OSError as error:  # URLError is one
        raise _absent(features, f"they cannot be downloaded ({error})") from error
    return net


def _of_timm(module: Any, name: str, download: bool | None, features: str) -> nn.Module:
    if not module.is_model(name):
        raise SpecError(f"timm has no network {name!r}", "a name of timm.list_models()")
    if download is False:
        raise _absent(features, "the download is not allowed")
    try:
        net: nn.Module = module.create_model(name, pretrained=download is not None)
    except (OSError, RuntimeError) as error:
        raise _absent(features, f"they cannot be downloaded ({error})") from error
    return net


def _absent(features: str, why: str) -> MissingDataError:
    return MissingDataError(
        f"the weights of {features} are not at hand, and {why}",
        "a file of weights",
        f"name it: features={features}:weights.pth",
    )


def _load(net: nn.Module, path: Path) -> None:
    if not path.is_file():
        raise MissingDataError(f"the file of weights {path} is absent", "a file of weights")
    from safetensors.torch import load_file

    try:
        state: Mapping[str, Tensor] = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # they raise whatever they like
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path} cannot be read ({first})", "a file of weights") from error
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"{path} holds the weights of another network ({first})") from error
