"""Independent random streams, all children of one seed.

Flags, initial weights, sample order, dropout and masks each draw from a
stream of their own, so that switching one of them on or off never moves
another.
"""

from __future__ import annotations

import hashlib


def child_seed(seed: int, stream: str) -> int:
    """Return the seed of the named stream below ``seed``, in [0, 2**63), alike on all platforms."""
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
