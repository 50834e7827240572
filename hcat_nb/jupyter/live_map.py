"""The Python half of ``widgets/src/live_map.js``: a map that moves in place.

The specification goes out once, as a trait.  States go out as messages, not
as traits, so that a saved notebook holds none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import ipywidgets  # noqa: TID253
import traitlets

from hcat_nb.assets import source
from hcat_nb.errors import SpecError
from hcat_nb.jupyter.frames import Frame, messages
from hcat_nb.jupyter.map_scene import Bounds, MapScene
from hcat_nb.jupyter.vega_bundle import vega_bundle

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.coloring import Coloring


class LiveMap(anywidget.AnyWidget):
    """A Vega view on named datasets that keeps its brush and zoom while samples move.

    A selection is a set of samples: it stays when they move, when the colour changes and when a
    filter hides some of them. ``on_drawn`` hears, in any thread, how many seconds the browser took
    for a frame; ``fit`` lets charts take the room that the page has. ``tip`` returns, for the
    position of a sample that the pointer rests on, what ``widgets/src/shared/tip.js`` tells of it.

    >>> def brushed(bounds):
    ...     live.select([] if bounds is None else live.inside(bounds))
    >>> live.on_brush(brushed)                                    # doctest: +SKIP
    >>> live.on_pick(lambda sample_id: live.follow(sample_id))    # doctest: +SKIP
    >>> live.show_only(run.details.query("label == 'elm'").index) # doctest: +SKIP
    >>> live.recolor(run.scores["vog"])                           # doctest: +SKIP
    """

    _esm = source("live_map.js")
    _css = source("live_map.css")
    _vega = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    fit = traitlets.Bool(False).tag(sync=True)
    tips = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        scene: MapScene | None = None,
        on_drawn: Callable[[float], None] | None = None,
        tip: Callable[[int], tuple[dict[str, Any], list[bytes]]] | None = None,
        **traits: Any,
    ) -> None:
        self._vega = vega_bundle()
        self._on_drawn = on_drawn
        self._tip = tip
        self._lock = threading.Lock()
        self._shown: Frame | None = None
        self._seq = 0
        self._scene: MapScene | None = None
        self._brushed = ipywidgets.CallbackDispatcher()
        self._picked = ipywidgets.CallbackDispatcher()
        super().__init__(tips=tip is not None, **traits)
        self.on_msg(self._hear)
        if scene is not None:
            self.present(scene)
            self.redraw()

    # -- what is shown ---------------------------------------------------

    @property
    def scene(self) -> MapScene:
        """What is shown."""
        if self._scene is None:
            raise SpecError("the map shows nothing yet", "a scene", "live_map.present(scene)")
        return self._scene

    def present(self, scene: MapScene) -> None:
        """Take another scene; its first frame comes by :meth:`show` or :meth:`redraw`."""
        self._scene = scene
        self.spec = scene.spec()

    def show(self, make: Callable[[], Frame]) -> int:
        """Draw a state in every view, and return its bytes; safe in any thread.

        It is made when its turn has come: a state of an epoch that was made before the user
        selected samples, and sent after, would take them away. Datasets and signals that it does
        not name stay.
        """
        with self._lock:
            frame = make()
            self._shown = frame if self._shown is None else self._shown.updated(frame)
            self._seq += 1
            self._send_frame(frame)
        return frame.size

    def redraw(self) -> None:
        """Draw the scene as it is now."""
        self.show(self.scene.frame)

    # -- what the user does on the page ----------------------------------

    def on_brush(self, callback: Callable[[Bounds | None], object], remove: bool = False) -> None:
        """Call ``callback(bounds)`` when the brush moved; None when it was taken away.

        At most every 60 ms while it is dragged; in the thread that handles
        messages.
        """
        self._brushed.register_callback(callback, remove=remove)

    def on_pick(self, callback: Callable[[Any], object], remove: bool = False) -> None:
        """Call ``callback(sample_id)`` when a point was clicked."""
        self._picked.register_callback(callback, remove=remove)

    def inside(self, bounds: Bounds) -> pd.Index:
        """Return the ids of all samples inside, drawn or not, that the filter lets through."""
        return self.scene.sample_ids[self.scene.inside(bounds)]

    # -- what Python does ------------------------------------------------

    @property
    def selected(self) -> pd.Index:
        """Ids of the selected samples, in the order of the dataset."""
        return self.scene.sample_ids[self.scene.selected]

    def select(self, ids: Iterable[Any]) -> None:
        """Mark the samples of these ids, and no others."""
        self.scene.select(self.scene.rows_of(ids))
        self.show(self.scene.marks)

    def follow(self, sample_id: Any | None) -> None:
        """Mark a sample and draw the way it went; None for no sample."""
        row = None if sample_id is None else int(self.scene.rows_of([sample_id])[0])
        self.scene.follow(row)
        self.show(self.scene.marks)

    def show_only(self, ids: Iterable[Any] | None) -> None:
        """Show the samples of these ids; None for all. The selection stays."""
        self.scene.show_only(None if ids is None else self.scene.rows_of(ids))
        self.redraw()

    def clear_brush(self) -> None:
        """Take the brush off the map, as a double click does: callbacks hear None."""
        self.send({"type": "unbrush"})

    def recolor(self, color: Coloring | pd.Series[Any] | None) -> None:
        """Colour by a column in the order of the samples; None for the map's own colours.

        The chart is embedded anew, for its legend changes; brush, zoom, selection and filter stay.
        """
        from hcat_nb.charts.coloring import Coloring, by_column

        if color is not None and not isinstance(color, Coloring):
            color = by_column(color)
        self.scene.recolor(color)
        self.spec = self.scene.spec()
        self.redraw()

    # -- messages --------------------------------------------------------

    def _send_frame(self, frame: Frame) -> None:
        for content, buffers in messages(frame, self._seq):
            self.send(content, buffers=buffers)

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        kind = content.get("type")
        if kind == "ready":  # a view that has nothing to show yet, after a reload say
            with self._lock:
                if self._shown is not None:
                    self._send_frame(self._shown)
        elif kind == "ack":
            if self._on_drawn is not None:
                self._on_drawn(float(content["draw_ms"]) / 1000)
        elif kind == "brush":
            self._brushed(_bounds(content["bounds"]))
        elif kind == "hover" and self._tip is not None:
            told, picture = self._tip(int(content["row"]))
            self.send({**told, "type": "tip"}, buffers=picture)
        elif kind == "pick":
            self._picked(self.scene.sample_ids[int(content["row"])])


def _bounds(given: dict[str, list[float]] | None) -> Bounds | None:
    if not given:
        return None
    (x0, x1), (y0, y1) = sorted(map(float, given["x"])), sorted(map(float, given["y"]))
    return Bounds((x0, x1), (y0, y1))
