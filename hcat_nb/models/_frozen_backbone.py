"""Features of images by a network that was trained elsewhere and learns nothing here.

``torchvision:NAME`` or ``timm:NAME``, and behind a further colon the file of
its weights (.pth, .pt or .safetensors); without one, the weights that the
package downloads.  Images are enlarged to the size and brought to the colours
that the network was trained on; its last linear layer is left out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import MissingDataError, ModelError, SpecError
from hcat_nb.models._embedding import find_embedding

__all__ = ["PACKAGES", "frozen"]

PACKAGES = ("torchvision", "timm")
_SIDE = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


def frozen(features: str, dataset: LabelledDataset, download: bool) -> Callable[[Tensor], Tensor]:
    """Return what maps a batch of raw images to features.

    Parameters
    ----------
    features : str
        ``package:NAME`` or ``package:NAME:FILE``.
    dataset : LabelledDataset
        Of images.
    download : bool
        Whether weights may be downloaded.

    Raises
    ------
    SpecError
        If the package has no such network.
    MissingDataError
        If the package or the weights are absent.
    ModelError
        If the weights are those of another network.
    """
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
        _load(net, Path(file).expanduser())
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


def _of_torchvision(module: Any, name: str, download: bool | None, features: str) -> nn.Module:
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
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state: Mapping[str, Tensor] = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"{path} holds the weights of another network ({first})") from error
