"""``python -m hcat_nb`` is the command ``hcat``."""

from __future__ import annotations

import sys

from hcat_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
