"""Where the time of a run goes, part by part."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Adds up seconds under names.

    On a GPU work is submitted and done later: a part's figure is then the time of its submission,
    and what it leaves waiting is counted where the host next needs a result. The sum is right.

    >>> clock = Clock()
    >>> for _ in range(3):
    ...     with clock("forward"):
    ...         pass
    >>> list(clock.seconds)
    ['forward']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count what happens inside the block as ``part``, an error's time too."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - began
