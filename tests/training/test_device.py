"""Where to train."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.training.device import choose_device


def test_auto_prefers_cuda():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cpu_is_cpu():
    assert choose_device("cpu") == torch.device("cpu")


def test_an_absent_device_is_named_before_training():
    with pytest.raises(SpecError, match=r"'cuda:63'.*use device cpu or auto"):
        choose_device("cuda:63")
