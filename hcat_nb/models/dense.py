"""One hidden layer: the default for tables, texts and features.

Narrow layers in front of the logits, as those of ``mlp``, learn nothing from
a few hundred rows; one wide layer does.
"""

from __future__ import annotations

from hcat_nb.models.mlp import MLP


class Dense(MLP):
    """A linear layer of 256, ReLU, dropout, a linear layer.

    Parameters
    ----------
    width : int
        Of the hidden layer.
    dropout : float
        Probability of the dropout after the ReLU.

    Examples
    --------
    >>> [layer.out_features for layer in Dense((4,), 3).net if hasattr(layer, "out_features")]
    [256, 3]
    """

    name = "dense"
    title = "One hidden layer"
    paper = "one hidden layer of 256"

    def __init__(
        self,
        sample_shape: tuple[int, ...],
        n_classes: int,
        width: int = 256,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(sample_shape, n_classes, (width,), dropout)
