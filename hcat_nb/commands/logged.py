"""What ``--verbose`` and ``--log-file`` ask for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from hcat_nb.errors import StoreError


@contextmanager
def logged(file: str | None, *, verbose: bool) -> Iterator[None]:
    """Write what the package logs to the end of ``file`` and, if ``verbose``, to the terminal."""
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if file is not None:
        try:
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            wrong = f"the log {file} cannot be written ({error.strerror})"
            raise StoreError(wrong, "a file in a folder") from error
    logger = logging.getLogger("hcat_nb")
    before = logger.level
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    if handlers:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
