"""The doctor: the truth about installations that lack something."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from hcat_nb.api import doctor as module
from hcat_nb.api.doctor import doctor
from hcat_nb.cli import main


def states() -> dict[str, str]:
    return {finding.what: finding.state for finding in doctor()}


def test_this_installation_is_in_order(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "wrong" not in printed
    assert "ok       charts" in printed


def test_an_old_torch_and_a_missing_package_are_named_with_what_mends_them(monkeypatch, capsys):
    real = module.version

    def changed(name: str) -> str:
        if name == "papermill":
            raise PackageNotFoundError(name)
        return "1.13.0" if name == "torch" else real(name)

    monkeypatch.setattr(module, "version", changed)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "torch: 1.13.0 is installed" in printed
    assert 'pip install "torch>=' in printed
    assert "papermill: is not installed" in printed


def test_a_torchvision_that_does_not_fit_torch_is_told(monkeypatch):
    def broken(name: str) -> object:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return sys.modules.get(name)

    monkeypatch.setattr(module.importlib, "import_module", broken)
    (told,) = [one for one in doctor() if one.what == "torchvision"]
    assert told.state == "wrong"
    assert "nms does not exist" in told.said
    assert "of one release together" in told.mend


def test_a_front_end_that_is_missing_and_charts_that_fail(monkeypatch, tmp_path):
    import hcat_nb.assets

    monkeypatch.setattr(hcat_nb.assets, "_FOLDERS", (tmp_path,))
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    found = states()
    assert found["front end"] == "wrong"
    assert found["charts"] == "wrong"


def test_a_jupyter_without_the_extensions_is_noted(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert states()["front end"] == "note"


def test_a_full_or_closed_folder_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HCAT_CACHE", str(tmp_path))
    monkeypatch.setattr(module.os, "access", lambda path, _: str(path) != str(tmp_path))
    monkeypatch.delenv("HCAT_DATA", raising=False)
    (told, *_) = [one for one in doctor() if one.what == "cache"]
    assert told.state == "wrong"
    assert "HCAT_CACHE" in told.mend


@pytest.mark.slow
def test_it_needs_no_network(tmp_path):
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise OSError('no network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from hcat_nb.cli import main; sys.exit(main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
