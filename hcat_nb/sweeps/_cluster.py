"""Runs on a cluster, by Dask distributed.

Each thread of a Dask worker has a worker process of our own beside it (see
:mod:`hcat_nb.sweeps.worker`), which dies with it.  When a Dask worker is
lost, the scheduler gives its run to another; the lock in the run's folder
sees to it that none is done twice.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import HcatError
from hcat_nb.sweeps._workers import Worker

__all__ = ["LOCAL", "DaskWorkers"]

LOCAL = "local"
_CONNECT_SECONDS = 20
_WORKERS_SECONDS = 60

# Of this Dask worker: its processes by sweep and thread, and the sweeps that are over.
_workers: dict[tuple[str, int], Worker] = {}
_over: set[str] = set()


class DaskWorkers:
    """Does requests on the workers of a Dask scheduler, as many at a time as those have threads.

    Parameters
    ----------
    scheduler : str
        Its address, or ``"local"`` for a cluster of processes on this machine.
    n_workers, n_threads : int
        Of a local cluster; ``n_threads`` of each run.

    Raises
    ------
    HcatError
        If dask is not installed, or no scheduler or no worker answers.
    """

    def __init__(self, scheduler: str, n_workers: int, n_threads: int) -> None:
        try:
            import distributed
        except ImportError as error:
            raise HcatError(
                "Dask distributed is not installed", remedy="pip install 'hcat-nb[sweep]'"
            ) from error
        self._cluster: Any = None
        if scheduler == LOCAL:
            self._cluster = distributed.LocalCluster(
                n_workers=n_workers, threads_per_worker=1, dashboard_address=None
            )
        try:
            self._client = distributed.Client(
                self._cluster or scheduler, timeout=_CONNECT_SECONDS, set_as_default=False
            )
            self._client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
        except (OSError, TimeoutError) as error:
            raise HcatError(
                f"no Dask scheduler with workers answers at {scheduler} ({error})",
                "the address of a running one, as tcp://host:8786",
                "start `dask scheduler` and `dask worker ADDRESS`",
            ) from error
        self._n_threads = n_threads
        self._ended: queue.Queue[Any] = queue.Queue()
        self._addresses: dict[str, str] = {}
        self._sweep = uuid.uuid4().hex[:8]

    @property
    def width(self) -> int:
        """How many runs can be done at a time, now; workers come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, request: Mapping[str, Any]) -> None:
        """Begin a run."""
        key = f"hcat-{self._sweep}-{request['address']}"
        self._addresses[key] = request["address"]
        future = self._client.submit(
            do_here, dict(request), self._sweep, self._n_threads, key=key, pure=False
        )
        future.add_done_callback(self._ended.put)

    def next(self, timeout: float) -> dict[str, Any] | None:
        """Return the state of a run that ended; None if none did in ``timeout`` seconds."""
        try:
            future = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        try:
            state: dict[str, Any] = future.result()
        except Exception as error:  # of whatever kind Dask has: the sweep lists it
            state = {"state": "failed", "error": f"{type(error).__name__}: {error}"}
        return {"address": self._addresses.pop(future.key), **state}

    def close(self) -> None:
        """End what is not done, and leave the cluster."""
        try:
            self._client.run(end_here, self._sweep)
        finally:  # also where a worker does not answer
            self._client.close()
            if self._cluster is not None:
                self._cluster.close()


def do_here(request: dict[str, Any], sweep: str, n_threads: int) -> dict[str, Any]:
    """Do a run beside this thread of a Dask worker."""
    key = (sweep, threading.get_ident())
    worker = _workers.setdefault(key, Worker(Path(request["out"]), n_threads))
    if sweep in _over:  # end_here may have been too early to find it
        worker.stop()
    return worker.run(request)


def end_here(sweep: str) -> None:
    """End the worker processes of a sweep beside this Dask worker."""
    _over.add(sweep)
    for key in [key for key in list(_workers) if key[0] == sweep]:
        _workers.pop(key).stop()
