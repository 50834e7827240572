"""How much memory this process may still take on the host."""

from __future__ import annotations

from pathlib import Path

__all__ = ["free_host_memory"]

_CGROUP = Path("/sys/fs/cgroup")


def free_host_memory() -> int:
    """Return the bytes that this process may still take.

    The lesser of what the system can give without swapping and what a
    container's limit (cgroup v2) leaves.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    left = _left_in_cgroup(_CGROUP)
    return free if left is None else min(free, left)


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
