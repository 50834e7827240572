"""How many epochs a run has where nobody chose: enough steps for a network to learn."""

from __future__ import annotations

from hcat_nb.spec import RunSpec

_LEAST, _MOST = 10, 100
# Of the optimizer. A network that saw few rows ten times has learned little: of 700 rows in
# batches of 64, ten epochs are 110 steps.
_STEPS = 330


def chosen_epochs(spec: RunSpec, n_rows: int, n_columns: int = 0) -> tuple[int, str]:
    """Return the number of epochs, and a note about it, empty if it was chosen.

    Where the model sees more columns (0 of images) than rows, as in few texts, a network learns
    them by heart at once.

    >>> [chosen_epochs(RunSpec(), n)[0] for n in (50_000, 700, 40)]
    [10, 30, 100]
    >>> chosen_epochs(RunSpec(), 700, n_columns=2000)[0]
    10
    >>> chosen_epochs(RunSpec(epochs=3), 700)
    (3, '')
    """
    if spec.epochs is not None:
        return spec.epochs, ""
    steps = -(-n_rows // spec.batch_size)  # in an epoch
    epochs = _LEAST
    if spec.effective_defaults > 1 and n_columns < n_rows:
        epochs = min(max(_LEAST, -(-_STEPS // steps)), _MOST)
    note = f"{epochs} epochs, for nobody chose"
    if epochs > _LEAST:
        note += f": of {n_rows:,} rows, {_LEAST} are too few for a network to learn"
    return epochs, note
