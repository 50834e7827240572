"""How much memory this process may still take on the host."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["free_host_memory"]

_CGROUP = Path("/sys/fs/cgroup")


def free_host_memory() -> int:
    """Return the bytes that this process may still take.

    The lesser of what the system can give without swapping and what a
    container's limit (cgroup v2) and the process's own (``ulimit -v``) leave.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    limits = (_left_in_cgroup(_CGROUP), _left_of_addresses())
    return min([free, *(left for left in limits if left is not None)])


def _left_of_addresses() -> int | None:
    """Return what the limit of this process's address space leaves."""
    if sys.platform == "win32":
        return None
    import resource

    import psutil

    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    return max(0, most - int(psutil.Process().memory_info().vms))


def _left_in_cgroup(folder: Path) -> int | None:
    """Return what the limit of a container leaves, reclaimable file pages included."""
    limit, current, stat = (folder / f"memory.{name}" for name in ("max", "current", "stat"))
    if not (limit.is_file() and current.is_file() and stat.is_file()):
        return None
    most = limit.read_text().strip()
    if most == "max":
        return None
    pages = dict(line.split() for line in stat.read_text().splitlines())
    return int(most) - int(current.read_text()) + int(pages.get("inactive_file", 0))
