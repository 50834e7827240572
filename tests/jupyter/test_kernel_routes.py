from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hcat_nb.jupyter import kernel_routes
from hcat_nb.jupyter.kernel_routes import hear_while_busy, kernel_id


class RedirectingComm:
    """As that of ipykernel 7.4: answers go to the shell that wrote last."""

    def _reply_subshell_for(self, data: Any, default: Any) -> Any:
        return "the blocked shell"


def test_a_redirected_message_arrives_where_it_was_sent() -> None:
    widget = SimpleNamespace(comm=RedirectingComm())
    hear_while_busy(widget)
    assert widget.comm._reply_subshell_for({}, "the subshell") == "the subshell"


def test_other_comms_are_left_alone() -> None:
    widget = SimpleNamespace(comm=SimpleNamespace())
    hear_while_busy(widget)
    assert vars(widget.comm) == {}
    hear_while_busy(SimpleNamespace(comm=None))  # of a closed widget, or outside a kernel


def test_outside_a_kernel_there_is_no_id() -> None:
    assert kernel_id() == ""


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "kernel-1f0e5a34-8a5c-4c1d-9d9e-0123456789ab.json",
            "1f0e5a34-8a5c-4c1d-9d9e-0123456789ab",
        ),
        ("kernel-4711.json", ""),  # started by hand: no server knows it
        ("tmpabc.json", ""),
    ],
)
def test_the_id_stands_in_the_name_of_the_connection_file(
    file: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = SimpleNamespace(
        initialized=lambda: True, instance=lambda: SimpleNamespace(connection_file=f"/run/{file}")
    )
    monkeypatch.setitem(
        kernel_routes.sys.modules, "ipykernel.kernelapp", SimpleNamespace(IPKernelApp=app)
    )
    assert kernel_id() == expected
