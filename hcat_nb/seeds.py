"""Independent random streams, all children of one seed.

Flags, initial weights, sample order, dropout and masks each draw from a
stream of their own, so that switching one of them on or off never moves
another (METHODS.md, "independence").
"""

from __future__ import annotations

import hashlib


def child_seed(seed: int, stream: str) -> int:
    """Return the seed of the named stream below ``seed``.

    Parameters
    ----------
    seed : int
        The parent seed, ``>= 0``.
    stream : str
        Name of the stream, e.g. ``"order"``.

    Returns
    -------
    int
        A number in ``[0, 2**63)``, the same on every platform and version.

    Examples
    --------
    >>> child_seed(0, "order") == child_seed(0, "order")
    True
    >>> child_seed(0, "order") == child_seed(0, "flags")
    False
    """
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
