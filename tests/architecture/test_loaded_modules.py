"""What loads when: modules are counted, never seconds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

HEAVY = ("torch", "torchvision", "altair", "pandas", "sklearn", "cleanlab", "papermill", "scipy")

ENTRIES = {
    "import": "import hcat_nb",
    "help": (
        "from hcat_nb.__main__ import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code"
    ),
    "load_ext": (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'hcat_nb')\n"
        "assert 'hcat_train' in shell.magics_manager.magics['line']"
    ),
    "names": "import hcat_nb; print(dir(hcat_nb), hcat_nb.list_methods, hcat_nb.list_datasets)",
    "spec": "import hcat_nb; hcat_nb.RunSpec(dataset='digits', methods='aum')",
}
REPORT = "\nimport sys; print('\\nloaded:', *sorted(set(sys.modules)))"


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_light_entry_loads_nothing_heavy(entry: str, fresh_python: Callable[..., str]) -> None:
    loaded = fresh_python(ENTRIES[entry] + REPORT).rpartition("loaded:")[2].split()
    assert "hcat_nb" in loaded
    assert not set(HEAVY) & set(loaded)


def test_the_plain_import_loads_one_module_of_the_package(fresh_python: Callable[..., str]) -> None:
    loaded = fresh_python("import hcat_nb" + REPORT).rpartition("loaded:")[2].split()
    assert [name for name in loaded if name.startswith("hcat_nb")] == ["hcat_nb"]
