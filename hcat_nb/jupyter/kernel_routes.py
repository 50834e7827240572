"""How a click reaches the kernel while a cell blocks it.

Three routes, none of which works everywhere: a message that the front end
sends to a subshell (ipykernel 7.0 to 7.3), the same with ipykernel 7.4 once
it is told not to send replies back to the blocked shell, and an interrupt
that the page asks the Jupyter server for, by the kernel's id.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any


def hear_while_busy(widget: Any) -> None:
    """Let messages of a widget's page arrive in the shell that they were sent to.

    ipykernel 7.4 sends them to the shell that last wrote to the page, which
    is the one that the cell blocks.  Where there is no such redirection,
    nothing is changed.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default


def kernel_id() -> str:
    """Return the id by which a Jupyter server knows this kernel, empty if there is none."""
    module = sys.modules.get("ipykernel.kernelapp")
    if module is None or not module.IPKernelApp.initialized():
        return ""
    file = Path(module.IPKernelApp.instance().connection_file)
    found = re.fullmatch(r"kernel-([0-9a-f-]{36})\.json", file.name)
    return found[1] if found else ""
