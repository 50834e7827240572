"""Does one run of a sweep: executes the notebook, and says how it ended.

Each run has a kernel of its own, without the seconds that its imports take.
On Linux a worker keeps one process that has imported all (the fork server of
:mod:`multiprocessing`) and forks each kernel from it; elsewhere kernels start
as they always do.  That saves each run its imports, 9 s of CPU time.  A forked
kernel dies with the worker that asked for it, and the server with the last of
both: nothing is left behind, however a worker ends.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import platform
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from hcat_nb.assets import asset
from hcat_nb.runs.store.folder import remove_run
from hcat_nb.sweeps._guard import Guard
from hcat_nb.sweeps._state import DONE, NOTEBOOK, RUN, STATE, done_state, note_attempt, write_state
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps.execute import execute_notebook

_LOCK = ".lock"
FORKS = sys.platform == "linux"
_PRELOAD = "hcat_nb.sweeps._preload"


def run_cell(
    request: Mapping[str, Any], watched: Callable[[Guard], None] = lambda _: None
) -> dict[str, Any]:
    """Execute the benchmark notebook for one cell of the grid, unless that is done already.

    A request holds ``out`` (the sweep's folder), ``address`` and ``parameters`` of the run,
    ``version`` of the code that is to do it, ``time_limit`` and ``memory_limit``. ``watched`` gets
    what can kill the kernel.

    The state that is returned has ``state`` (``done``, ``failed``, ``killed``, ``time limit`` or
    ``memory limit``), ``error``, ``seconds``, ``memory_mb`` at the end, ``peak_mb``; ``skipped``
    is true where another process did it.
    """
    out = Path(request["out"])
    folder = out / request["address"]
    if not out.is_dir():
        return _refused(request, f"the folder {out} cannot be seen on {platform.node()}")
    if code_version() != request["version"]:
        wrong = f"{platform.node()} has the code {code_version()}, the sweep {request['version']}"
        return _refused(request, wrong)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / _LOCK):
        if state := done_state(folder):
            return {**state, "skipped": True}
        return _execute(request, folder, watched)


def _execute(
    request: Mapping[str, Any], folder: Path, watched: Callable[[Guard], None]
) -> dict[str, Any]:
    (folder / STATE).unlink(missing_ok=True)
    if (folder / RUN).exists():  # of an attempt that was interrupted
        remove_run(folder / RUN)
    head = {"pid": os.getpid(), "host": platform.node()}
    note_attempt(folder, {"event": "started", "time": time.time(), **head})
    guard = Guard(request["time_limit"], request["memory_limit"])
    watched(guard)
    began = time.perf_counter()
    state, error = _attempt(request, folder, guard)
    guard.end()
    if state == DONE and not (folder / RUN / "run.json").is_file():
        state, error = "failed", "the notebook ended without a saved run"
    ended = {
        "state": state,
        "error": error,
        "seconds": round(time.perf_counter() - began, 3),
        "memory_mb": round(guard.memory_mb, 1),
        "peak_mb": round(guard.peak_mb, 1),
    }
    if state in ("killed", "time limit", "memory limit"):
        _explain(folder / NOTEBOOK, f"**{state}** {error}")
    note_attempt(folder, {"event": state, "time": time.time(), **head})
    whole = {**ended, **_asked(request), **head}
    write_state(folder, whole)
    return whole


def _attempt(request: Mapping[str, Any], folder: Path, guard: Guard) -> tuple[str, str | None]:
    """Return how the execution ended, and what was wrong."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        execute_notebook(
            asset(NOTEBOOK),
            folder / NOTEBOOK,
            {**request["parameters"], "out": str((folder / RUN).resolve())},
            progress=False,
            checked=True,  # by the sweep; and all fields of a spec are more than the cell has
            kernel_manager_class=kernel_manager(guard.watch),
        )
    except PapermillExecutionError as error:
        return "failed", f"{error.ename}: {error.evalue}"
    except RuntimeError as error:
        guard.end()  # it must not look again, at what is left of the kernel
        memory = f"at {guard.memory_mb:.0f} MB of memory"
        if guard.verdict == "time limit":
            return guard.verdict, f"of {request['time_limit']:g} s reached, {memory}"
        if guard.verdict == "memory limit":
            return guard.verdict, f"of {request['memory_limit']:g} MB reached, {memory}"
        # jupyter_client has no class of its own for a kernel that dies before it answers
        if isinstance(error, DeadKernelError) or "died" in str(error):
            return "killed", f"the kernel died {memory} ({error})"
        return "failed", f"{type(error).__name__}: {error}"
    return DONE, None


def _refused(request: Mapping[str, Any], error: str) -> dict[str, Any]:
    """Return the state of a run that this machine cannot do; nothing is written."""
    nothing = dict.fromkeys(("seconds", "memory_mb", "peak_mb"), 0.0)
    return {"state": "failed", "error": error, **nothing, **_asked(request)}


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: request[key] for key in ("address", "parameters", "version")}


def _explain(notebook: Path, text: str) -> None:
    """Put a line at the top of a notebook whose kernel could not say it."""
    import nbformat

    if not notebook.is_file():
        return
    node = json.loads(notebook.read_text(encoding="utf-8"))
    cell = nbformat.v4.new_markdown_cell(text.replace("<", "&lt;"), id="hcat-end")
    node["cells"].insert(0, cell)
    notebook.write_text(json.dumps(node, indent=1, allow_nan=False), encoding="utf-8")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process does the same run; a lock goes with the process that holds it."""
    with path.open("a") as file:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield


def kernel_manager(started: Callable[[int], None]) -> type[Any]:
    """Return a class of kernel managers for papermill."""
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            if FORKS:
                # A TCP port is free again until the kernel has it, and on a busy machine
                # somebody else may take it.  An abstract socket is no file to remove either.
                self.transport = "ipc"
                self.ip = f"@hcat-{uuid.uuid4()}"

        async def _async_pre_start_kernel(self, **options: Any) -> Any:
            if FORKS and self.provisioner is None:
                self.provisioner = _provisioner()(
                    kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
                )
            return await super()._async_pre_start_kernel(**options)

        async def _async_post_start_kernel(self, **options: Any) -> None:
            await super()._async_post_start_kernel(**options)
            started(self.provisioner.pid)  # type: ignore[union-attr]

        pre_start_kernel = _async_pre_start_kernel
        post_start_kernel = _async_post_start_kernel

    return Manager


def _provisioner() -> type[Any]:
    """Return what forks a kernel where jupyter_client would start a program."""
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class Forked(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([_PRELOAD])
            words = cmd[cmd.index("-f") :]  # behind `python -m ipykernel_launcher`
            folder = options.get("cwd") or os.getcwd()
            process = context.Process(target=_kernel, args=(words, dict(options["env"]), folder))
            process.start()
            self.process = _Popen(process)  # type: ignore[assignment]
            self.pid = process.pid
            return self.connection_info

    return Forked


class _Popen:
    """A process of multiprocessing as jupyter_client wants it: like subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Return the exit status, negative after a signal; None while it runs."""
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


def _kernel(words: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    """Be a kernel: what a forked process does."""
    _die_with_worker()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["ipykernel_launcher", *words]
    from ipykernel.kernelapp import IPKernelApp

    # The variable JPY_PARENT_PID was read when that module was imported.
    IPKernelApp.launch_instance(argv=[*words, f"--IPKernelApp.parent_handle={os.getppid()}"])


def _die_with_worker() -> None:
    """End this process when the worker ends, which is not the process that forked it."""
    worker = multiprocessing.parent_process()
    assert worker is not None

    def watch() -> None:
        multiprocessing.connection.wait([worker.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
