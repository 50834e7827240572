"""The check-list of methods: a box each, what it costs, and what all cost together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.registry import METHODS

if TYPE_CHECKING:
    from hcat_nb.runs.execution.forecast import Forecast


class MethodList:
    """One check box a method, with the cost that its card states or a forecast gave.

    ``estimate`` is called when the costs are asked for; answer with :meth:`show_costs` or
    :meth:`say`.
    """

    def __init__(
        self,
        chosen: Sequence[str],
        changed: Callable[[], None],
        estimate: Callable[[], None],
    ) -> None:
        self._boxes: dict[str, Any] = {}
        self._costs: dict[str, Any] = {}
        rows = []
        for name in METHODS.names():
            box = ipywidgets.Checkbox(
                value="all" in chosen or name in chosen,
                description=name,
                description_allow_html=False,
                indent=False,
                tooltip=str(METHODS.get(name).title),
                layout={"width": "150px", "flex": "0 0 auto"},
            )
            box.observe(self._on_box, "value")
            cost = ipywidgets.Label(_card_cost(name), tooltip=str(METHODS.get(name).cost))
            self._boxes[name], self._costs[name] = box, cost
            rows.append(ipywidgets.HBox([box, cost]))
        self._changed = changed
        self._quiet = False
        self.button = ipywidgets.Button(
            description="Estimate costs",
            tooltip="trains a few batches and observes a few samples",
        )
        self.button.on_click(lambda _: estimate())
        every = ipywidgets.Button(description="All", layout={"width": "80px"})
        every.on_click(lambda _: self.choose(METHODS.names()))
        none = ipywidgets.Button(description="None", layout={"width": "80px"})
        none.on_click(lambda _: self.choose([]))
        self.total = ipywidgets.Label("")
        self.widget = ipywidgets.VBox(
            [*rows, ipywidgets.HBox([every, none, self.button]), self.total]
        )

    @property
    def chosen(self) -> list[str]:
        """The names that are checked."""
        return [name for name, box in self._boxes.items() if box.value]

    def choose(self, names: Sequence[str]) -> None:
        """Check these and no others."""
        self._quiet = True
        for name, box in self._boxes.items():
            box.value = name in names
        self._quiet = False
        self._on_box(None)

    def words(self) -> list[str]:
        """Return what the list adds to a line: nothing for all."""
        if len(self.chosen) == len(self._boxes):
            return []
        return ["--methods", *self.chosen]

    def show_costs(self, forecast: Forecast) -> None:
        """Show what each method will cost, and all together."""
        for name, row in forecast.table.iterrows():
            if name in self._costs:  # the table tells of the training, too
                seconds, share, mb = row["seconds"], row["of_training"], row["mb"]
                text = f"{seconds:.1f} s, {share:.0%} of training, {mb:.1f} MB"
                self._costs[str(name)].value = text
        self.say(repr(forecast).splitlines()[-1])

    def say(self, text: str) -> None:
        """Put a line in the place of the total."""
        self.total.value = text

    def _on_box(self, _: Any) -> None:
        if self._quiet:
            return
        # Methods share passes, so costs change with who else asks for one.
        for name, cost in self._costs.items():
            cost.value = _card_cost(name)
        self.say("")
        self._changed()


def _card_cost(name: str) -> str:
    """Return the first part of what the card says, which fits on a line."""
    return str(METHODS.get(name).cost).partition(";")[0]
