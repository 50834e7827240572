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

# Of this Dask worker: its processes by sweep and thread, the sweeps that begin nothing more,
# and those that are over.
_workers: dict[tuple[str, int], Worker] = {}
_held: set[str] = set()
_over: set[str] = set()


class DaskWorkers:
    """Does requests on the workers of a Dask scheduler, as many at a time as those have threads.

    Workers may come later: a cluster that adapts starts them when it sees work, and those
    that wait in another queue take their time.

    Parameters
    ----------
    scheduler : str
        Its address, or ``"local"`` for a cluster of processes on this machine.
    n_workers, n_threads : int
        Of a local cluster; ``n_threads`` of each run.

    Raises
    ------
    HcatError
        If dask is not installed, or no scheduler answers.
    """

    ahead = 1000  # a cluster that grows with its queue must see it; thousands more tell it nothing

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
        except (OSError, TimeoutError) as error:
            raise HcatError(
                f"no Dask scheduler answers at {scheduler} ({error})",
                "the address of a running one, as tcp://host:8786",
                "start `dask scheduler` and `dask worker ADDRESS`",
            ) from error
        self._n_threads = n_threads
        self._ended: queue.Queue[Any] = queue.Queue()
        self._pending: dict[str, tuple[str, Any]] = {}  # by key: the address, its future
        self._sweep = uuid.uuid4().hex[:8]

    @property
    def width(self) -> int:
        """How many runs can be done at a time, now; workers come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return sum(threads.values())

    @property
    def pending(self) -> int:
        """How many were handed over and did not end."""
        return len(self._pending)

    def submit(self, request: Mapping[str, Any]) -> None:
        """Hand a run to the scheduler."""
        key = f"hcat-{self._sweep}-{request['address']}"
        future = self._client.submit(
            do_here, dict(request), self._sweep, self._n_threads, key=key, pure=False
        )
        self._pending[key] = (request["address"], future)
        future.add_done_callback(self._ended.put)

    def next(self, timeout: float) -> dict[str, Any] | None:
        """Return the state of a run that ended; None if none did in ``timeout`` seconds."""
        try:
            future = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        if future.key not in self._pending:  # recalled
            return None
        address, _ = self._pending.pop(future.key)
        try:
            state: dict[str, Any] | None = future.result()
        except Exception as error:  # of whatever kind Dask has: the sweep lists it
            state = {"state": "failed", "error": f"{type(error).__name__}: {error}"}
        return None if state is None else {"address": address, **state}

    def recall(self) -> None:
        """Take back the runs that did not begin."""
        self._client.run(hold_here, self._sweep)  # what workers have and did not begin ends so
        given = {key for keys in self._client.processing().values() for key in keys}
        waiting = self._pending.keys() - given
        self._client.cancel([self._pending.pop(key)[1] for key in waiting])

    def close(self) -> None:
        """End what is not done, and leave the cluster."""
        try:
            self._client.run(end_here, self._sweep)
        finally:  # also where a worker does not answer
            self._client.close()
            if self._cluster is not None:
                self._cluster.close()


def do_here(request: dict[str, Any], sweep: str, n_threads: int) -> dict[str, Any] | None:
    """Do a run beside this thread of a Dask worker; None if its sweep begins nothing more."""
    if sweep in _held:
        return None
    key = (sweep, threading.get_ident())
    worker = _workers.setdefault(key, Worker(Path(request["out"]), n_threads))
    if sweep in _over:  # end_here may have been too early to find it
        worker.stop()
    return worker.run(request)


def hold_here(sweep: str) -> None:
    """Begin no further run of a sweep on this Dask worker."""
    _held.add(sweep)


def end_here(sweep: str) -> None:
    """End the worker processes of a sweep beside this Dask worker."""
    _over.add(sweep)
    for key in [key for key in list(_workers) if key[0] == sweep]:
        _workers.pop(key).stop()
