"""Keeps IPython's history of results from holding dataset after dataset.

What a cell shows stays in ``Out``, ``_5`` and ``__`` for as long as the kernel
lives.  The newest result of ours stays there as it is; older ones become what
they are without data and model.
"""

from __future__ import annotations

import sys
from typing import Any

_LAST = ("_", "__", "___")


def add_history(shell: Any) -> None:
    """Watch what the cells of a shell show, from now on; once."""
    if hasattr(shell, "_hcat_history"):
        return

    def after_cell(result: Any) -> None:
        if _light(result.result) is not None:
            lighten(shell, keep=result.result)

    shell._hcat_history = after_cell
    shell.events.register("post_run_cell", after_cell)


def lighten(shell: Any, keep: Any = None) -> None:
    """Replace results of ours in the history of ``shell``, ``keep`` excepted."""
    lights: dict[int, Any] = {}

    def stand_in(value: Any) -> Any:
        if value is keep or (light := _light(value)) is None:
            return value
        return lights.setdefault(id(value), light)

    outputs = shell.user_ns.get("Out", {})
    names = [f"_{number}" for number in outputs] + list(_LAST)
    held = {name: shell.user_ns[name] for name in names if name in shell.user_ns}
    # IPython stops moving "_" on when a name is set otherwise than by push.
    shell.push({name: stand_in(value) for name, value in held.items()}, interactive=False)
    for number, value in list(outputs.items()):
        outputs[number] = stand_in(value)
    for name in _LAST:  # from which the next result is moved on
        setattr(shell.displayhook, name, stand_in(getattr(shell.displayhook, name)))


def _light(value: Any) -> Any:
    """Return a result without its data, None for what is not ours or holds none."""
    runs = sys.modules.get("hcat_nb.api.run")
    if runs is not None and isinstance(value, runs.Run):
        return value.without_data() if value.dataset is not None or value.weights else None
    perturbations = sys.modules.get("hcat_nb.perturbations.base")
    if perturbations is not None and isinstance(value, perturbations.Perturbed):
        return value.truth
    return None
