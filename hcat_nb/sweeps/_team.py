"""Who does the runs of a sweep: threads here, or those of Dask's workers; each has a worker.

What a thread does is the same in both: it hands the run to a worker process
beside it (see :mod:`hcat_nb.sweeps.worker`), which dies with it.  When a Dask
worker is lost, the scheduler gives its run to another; the lock in the run's
folder sees to it that none is done twice.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from hcat_nb.errors import HcatError
from hcat_nb.sweeps._workers import Worker

LOCAL = "local"
_CONNECT_SECONDS = 20

# Of this process: its workers by sweep and thread, the sweeps that begin nothing more, and those
# that are over.
_workers: dict[tuple[str, int], Worker] = {}
_held: set[str] = set()
_over: set[str] = set()


class Pool(Protocol):
    """Threads that do what they are given: here, or on a cluster."""

    ahead: int  # how many runs may be handed over beyond the width

    @property
    def width(self) -> int:
        """How many threads there are, now."""

    def submit(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Hand over a call; return its future."""

    def everywhere(self, call: Callable[[str], None], sweep: str) -> None:
        """Make a call in each process that has threads."""

    def cancel(self, futures: Mapping[str, Any]) -> Iterable[str]:
        """Take back what did not begin; return its names."""

    def close(self) -> None:
        """Leave the threads."""


class LocalPool:
    """Threads of this process."""

    ahead = 0

    def __init__(self, n_workers: int) -> None:
        self.width = n_workers
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="hcat-worker")

    def submit(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        return self._threads.submit(call, *arguments)

    def everywhere(self, call: Callable[[str], None], sweep: str) -> None:
        call(sweep)

    def cancel(self, futures: Mapping[str, Any]) -> Iterable[str]:
        return [name for name, future in futures.items() if future.cancel()]

    def close(self) -> None:
        """Wait for the threads; their workers were ended."""
        self._threads.shutdown(cancel_futures=True)


class DaskPool:
    """Threads of the workers of a Dask scheduler, or of ``n_workers`` processes if it is "local".

    Workers may come later: a cluster that adapts starts them when it sees work, and those that
    wait in another queue take their time.
    """

    ahead = 1000  # a cluster that grows with its queue must see it; thousands more tell it nothing

    def __init__(self, scheduler: str, n_workers: int) -> None:
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

    @property
    def width(self) -> int:
        """How many threads the workers have, now; workers come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return sum(threads.values())

    def submit(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(call, *arguments, key=name, pure=False)

    def everywhere(self, call: Callable[[str], None], sweep: str) -> None:
        self._client.run(call, sweep)

    def cancel(self, futures: Mapping[str, Any]) -> Iterable[str]:
        """Take back what no worker was given."""
        given = {name for names in self._client.processing().values() for name in names}
        waiting = [name for name in futures if name not in given]
        self._client.cancel([futures[name] for name in waiting])
        return waiting

    def close(self) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


class Team:
    """Does requests, as many at a time as its pool has threads."""

    def __init__(self, pool: Pool, n_threads: int) -> None:
        self._pool = pool
        self._n_threads = n_threads
        self._sweep = uuid.uuid4().hex[:8]
        self._ended: queue.Queue[str] = queue.Queue()
        self._pending: dict[str, Any] = {}  # futures by name
        self._addresses: dict[str, str] = {}

    @property
    def capacity(self) -> int:
        """How many runs may be handed over at a time, now."""
        return self.width + self._pool.ahead

    @property
    def width(self) -> int:
        """How many runs can be done at a time, now."""
        return self._pool.width

    @property
    def pending(self) -> int:
        """How many were handed over and did not end."""
        return len(self._pending)

    def submit(self, request: Mapping[str, Any]) -> None:
        """Hand a run over."""
        name = f"hcat-{self._sweep}-{request['address']}"
        arguments = (dict(request), self._sweep, self._n_threads)
        self._addresses[name] = request["address"]
        self._pending[name] = future = self._pool.submit(name, do_here, *arguments)
        future.add_done_callback(lambda _: self._ended.put(name))

    def next(self, timeout: float) -> dict[str, Any] | None:
        """Return the state of a run that ended; None if none did in ``timeout`` seconds."""
        try:
            name = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        if name not in self._pending:  # recalled
            return None
        future = self._pending.pop(name)
        try:
            state: dict[str, Any] | None = future.result()
        except Exception as error:  # of whatever kind Dask has, too: the sweep lists it
            state = {"state": "failed", "error": f"{type(error).__name__}: {error}"}
        return None if state is None else {"address": self._addresses[name], **state}

    def recall(self) -> None:
        """Take back the runs that did not begin."""
        self._pool.everywhere(hold_here, self._sweep)  # what has not begun ends so
        for name in self._pool.cancel(self._pending):
            del self._pending[name]

    def close(self) -> None:
        """End what is not done, and leave."""
        try:
            self._pool.everywhere(end_here, self._sweep)
        finally:  # also where a worker does not answer
            self._pool.close()


def do_here(request: dict[str, Any], sweep: str, n_threads: int) -> dict[str, Any] | None:
    """Do a run beside this thread; None if its sweep begins nothing more."""
    if sweep in _held:
        return None
    key = (sweep, threading.get_ident())
    worker = _workers.setdefault(key, Worker(Path(request["out"]), n_threads))
    if sweep in _over:  # end_here may have been too early to find it
        worker.stop()
    return worker.run(request)


def hold_here(sweep: str) -> None:
    """Begin no further run of a sweep in this process."""
    _held.add(sweep)


def end_here(sweep: str) -> None:
    """End the workers of a sweep beside this process."""
    _over.add(sweep)
    for key in [key for key in list(_workers) if key[0] == sweep]:
        _workers.pop(key).stop()
