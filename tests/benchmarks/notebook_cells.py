"""What the notebook benchmark runs in cells, and what it has the page do."""

from __future__ import annotations

SCENE = """
import asyncio, json, statistics, threading, time
import numpy as np, pandas as pd
from IPython.display import display
from hcat_nb.charts.coloring import by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES
from hcat_nb.charts.live_view import live_view
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.live_panels import LivePanels
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.jupyter.vega_bundle import vega_bundle

n, rng = {n}, np.random.default_rng(0)
hard = rng.random(n) < 0.1
methods = ["aum", "dataiq", "datamaps", "el2n", "forgetting", "grand", "loss", "vog"]
panels = LivePanels(methods, hard)
def chart(coloring, caption, points):
    return live_view(X_AXES["variability"], coloring, title="", caption=caption, n_points=points,
                     n_epochs=20, methods=dict.fromkeys(methods, "epoch"), truth=True)
truth = by_truth(hard)
scene = MapScene(pd.RangeIndex(n), X_AXES["variability"], CONFIDENCE, chart=chart,
                 color=lambda x, y: truth)
def epoch(number):
    y = rng.beta(9, 1, n).astype(np.float32)
    y[hard] = rng.random(hard.sum()) * 0.4
    x = (np.sqrt(y * (1 - y)) * rng.random(n)).astype(np.float32)
    if number % 4 == 1:
        panels.add_scores(number, {{m: 1 - y + 0.1 * k for k, m in enumerate(methods)}})
    panels.add_epoch(number, 1 / number, 0.8)
    return x, y
drawn = threading.Event()  # set in whichever thread handles messages
async def painted():
    end = time.monotonic() + 60
    while not drawn.is_set():
        assert time.monotonic() < end, "the page did not draw"
        await asyncio.sleep(0.002)
    drawn.clear()
"""

UPDATE = """
vega_bundle()  # which a run makes while it trains
began = time.perf_counter()
live = LiveMap(on_drawn=lambda s: drawn.set(), fit=True)
live.on_msg(lambda _, content, buffers: drawn.set() if content["type"] == "ready" else None)
live.present(scene)
display(live)
await painted()  # embedded, which a run does during its first epoch
embedded = time.perf_counter() - began
x, y = epoch(1)
began = time.perf_counter()
scene.move(1, "epoch 1", x, y, extras=panels.datasets())
live.redraw()
await painted()
first = time.perf_counter() - began
kernel, cpu, sizes, wall = [], [], [], []
for number in range(2, 14):
    x, y = epoch(number)
    began, worked = time.perf_counter(), time.process_time()
    scene.move(number, f"epoch {number}", x, y, extras=panels.datasets())
    sent = live.show(scene.frame)
    kernel.append(time.perf_counter() - began)
    cpu.append(time.process_time() - worked)
    await painted()
    wall.append(time.perf_counter() - began)
    sizes.append(sent)
print("figures", json.dumps({
    "embed_s": embedded, "first_paint_s": first,
    "kernel_cpu_ms": 1000 * statistics.median(cpu),
    "kernel_ms": 1000 * statistics.median(kernel), "kernel_ms_most": 1000 * max(kernel),
    "bytes": max(sizes),
    "painted_s": statistics.median(wall), "painted_s_most": max(wall),
    "caption": scene.frame().content["signals"]["caption"],
}))
"""

OVERHEAD = """
import json, statistics
import numpy as np
import hcat_nb as hcat
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import Listener

rng = np.random.default_rng(0)
features = rng.normal(size=(60_000, 20)).astype(np.float32)
labels = (features[:, 0] + features[:, 1] > 0).astype(int)
EPOCHS, BLOCK, SETTLED = 124, 2, 4

def watched(epoch):  # whether the view is shown this epoch, and draws while it trains
    return epoch // BLOCK % 2 == 0

class Alternately(Listener):
    def __init__(self):
        self.view, self.ends = LiveListener("widget"), [0.0]
    def on_start(self, event):
        self.view.on_start(event)
    def on_step(self, event):
        if watched(event.epoch):
            self.view.on_step(event)
    def on_epoch(self, event):
        self.ends.append(event.elapsed)
        if watched(event.epoch + 1):  # what is shown now is drawn in the next
            self.view.on_epoch(event)
    def on_end(self, event):
        self.view.on_end(event)

live = Alternately()
hcat.characterize(features, labels, model="mlp", hardness="uniform", p=0.1, epochs=EPOCHS,
                  methods="aum dataiq datamaps el2n forgetting loss".split(), seed=0,
                  listeners=[live])
seconds = dict(enumerate(np.diff(live.ends), start=1))
off = [one for epoch, one in seconds.items() if epoch >= SETTLED and not watched(epoch)]
# Each block with its neighbours: the machine is not the same for a minute.
ratios = []
for first in range(SETTLED, EPOCHS - 2 * BLOCK, 2 * BLOCK):
    with_view = sum(seconds[first + k] for k in range(BLOCK))
    before = [first - 1 - k for k in range(BLOCK)]
    after = [first + BLOCK + k for k in range(BLOCK)]
    assert all(map(watched, range(first, first + BLOCK))) and not any(map(watched, before + after))
    ratios.append(2 * with_view / sum(seconds[k] for k in before + after))
print("figures", json.dumps({
    "epoch_s_off": statistics.median(off), "ratio": statistics.median(ratios), "ratios": ratios,
}))
"""

RUN = """
import asyncio, json, statistics, time
import numpy as np
import hcat_nb as hcat
from hcat_nb.jupyter.throttle import Throttle
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import Listener

rng = np.random.default_rng(0)
features = rng.normal(size=(60_000, 8)).astype(np.float32)
labels = (features[:, 0] > 0).astype(int)
drawn, note = [], Throttle.drawn
def heard(limiter, seconds):  # the page's word that a frame is on the screen
    drawn.append(time.perf_counter())
    note(limiter, seconds)
Throttle.drawn = heard
class Watch(Listener):
    ends = []
    def on_epoch(self, event):
        self.ends.append(time.perf_counter())
# In a thread, so that the kernel hears the page while it trains; without judges, checks and
# networks of folds, which are minutes of 60,000 rows and have no view.
run = await asyncio.to_thread(
    hcat.characterize, features, labels, model="mlp", hardness="uniform", p=0.1, epochs=20,
    batch_size=1024, methods=["aum", "datamaps"], seed=0, judges=False, folds="0",
    learning_check=False, listeners=[Watch(), LiveListener("widget")])
await asyncio.sleep(3)  # the last frame
print("figures", json.dumps({
    "first_paint_s": drawn[0] - Watch.ends[0],
    "epoch_s": statistics.median(np.diff(Watch.ends)),
    "frames": len(drawn), "last_paint_s": drawn[-1] - Watch.ends[-1],
}))
"""

EXPLORER = """
import numpy as np
import hcat_nb as hcat
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (60_000, 28, 28), dtype=np.uint8)  # noise: PNG's worst case
run = hcat.characterize(images, rng.integers(0, 10, 60_000), model="mlp", epochs=1,
                        batch_size=1024, methods=["aum", "datamaps"], seed=0, judges=False,
                        folds="0", learning_check=False)
# Spread evenly, so that a twelfth of the plot holds 5,000 samples.
run.details["variability"] = 0.5 * rng.random(60_000, dtype=np.float32)
run.details["confidence"] = rng.random(60_000, dtype=np.float32)
print("figures", "{}")
panel = run.explore()
panel
"""

# What the page does while the mouse is dragged.
WATCH = """
window.hcatWatch = { moved: 0, long: [], shown: [] };
Object.defineProperty(globalThis, 'hcatVegaEmbed', {
  set(embed) {
    this.hcatEmbed = async (...given) => {
      const made = await embed(...given);
      window.hcatView = made.view;
      return made;
    };
  },
  get() { return this.hcatEmbed; },
});
addEventListener('pointermove', () => { hcatWatch.moved = performance.now(); }, true);
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) hcatWatch.long.push(duration);
}).observe({ type: 'longtask' });
window.hcatWatchPlace = () => new MutationObserver(() => {
  const words = document.querySelector('.hcat-place').textContent;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    hcatWatch.shown.push([words, performance.now()]);
  }));
}).observe(document.querySelector('.hcat-place'), { childList: true, characterData: true });
"""

# Where the plot begins on its canvas.
CORNER = """() => {
  const [[left, top], padding] = [hcatView.origin(), hcatView.padding()];
  return [left + padding.left, top + padding.top];
}"""

# Whether the gallery shows a page of so many samples.
PLACE = """([low, high]) => {
  const words = document.querySelector('.hcat-place').textContent;
  const n = Number(words.split(' of ').pop().split(' ')[0].replace(',', ''));
  return low < n && n < high;
}"""
