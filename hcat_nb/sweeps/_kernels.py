"""A kernel of its own for each run, without the seconds that its imports take.

On Linux a worker keeps one process that has imported all (the fork server of
:mod:`multiprocessing`) and forks each kernel from it; elsewhere kernels start
as they always do.  That saves each run its imports, 9 s of CPU time.  A forked
kernel dies with the worker that asked for it, and the server with the last of
both: nothing is left behind, however a worker ends.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

__all__ = ["FORKS", "kernel_manager"]

FORKS = sys.platform == "linux"

_PRELOAD = "hcat_nb.sweeps._preload"


def kernel_manager(started: Callable[[int], None]) -> type[Any]:
    """Return a class of kernel managers for papermill.

    Parameters
    ----------
    started : callable
        Gets the id of each kernel's process.
    """
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
        """Wait for the end; return the exit status."""
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end."""
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
