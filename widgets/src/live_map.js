// The live view of a run.  Its Python half is hcat_nb/jupyter/live_map.py,
// which sends Vega's text, as a trait: it puts itself on globalThis.hcatVegaEmbed.
// A specification is embedded once; one that follows takes over brush and zoom.
// States arrive as binary columns, and rows take their values in place: what did
// not change is not touched, and no mark is made anew.  A theme changes one signal.
import { debounced, INK, make, onTheme, pageTheme } from "./shared/dom.js";
import { assembler, refill, sameTable, tablesOf } from "./shared/frames.js";
import { fillRoom, fitted, partsOf } from "./shared/parts.js";
import { datumUnder, makeTip } from "./shared/tip.js";

/**
 * @typedef {import("./shared/dom.js").Model} Model
 * @typedef {import("./shared/frames.js").Table} Table
 * @typedef {import("./shared/frames.js").Frame} Frame
 * @typedef {import("./shared/frames.js").Part} FramePart
 * @typedef {import("./shared/parts.js").Part} Part
 * @typedef {import("./shared/tip.js").Told} Told
 * @typedef {Frame | FramePart | {type: "unbrush"} | {type: "tip"} & Told} Message
 * @typedef {{seq: number, epoch: number, signals: Record<string, any>,
 *   tables: Map<string, Table>}} Pending what the next draw shows
 * @typedef {{view: any, place: HTMLElement, role: Part["role"], sized: boolean,
 *   signals: Set<string>, datasets: Set<string>, filled: Map<string, any>,
 *   finalize: () => void}} Embedded
 */

const COALESCE_MS = 60; // of the frames that arrive so soon after a draw, one is drawn
const SETTLED_MS = 200; // after which another size is not of the same drag
const CLICK_PIXELS = 4; // a click may move so far
const STEP = 0.05; // of an axis, that a key moves the brush by
// SVG is ten times slower here; of datasets that are empty before the first frame Vega would warn.
const EMBED = { renderer: "canvas", actions: false, logLevel: 1 };
// Vega-Lite's names of the brush in pixels: those without a number are in units of the fields x, y.
const RANGES = ["brush_x_1", "brush_y_1"];
const HELP =
  "map of the samples: arrow keys move a box that selects, with Shift they change its size, Escape takes it away";

/**
 * Move or resize a range within [0, size].
 *
 * @param {[number, number]} range
 * @param {number} by
 * @param {number} size
 * @param {boolean} grow its upper end alone
 * @returns {[number, number]}
 */
export function nudged([low, high], by, size, grow) {
  if (grow) return [low, Math.min(size, Math.max(low + STEP * size, high + by))];
  const step = Math.min(Math.max(by, -low), size - high);
  return [low + step, high + step];
}

/**
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const box = make("div", "hcat-map");
  const side = make("div", "hcat-side");
  const more = /** @type {HTMLDetailsElement} */ (make("details", "hcat-view hcat-more"));
  const folded = make("div", "hcat-folded");
  const status = make("div", "hcat-note", "", { role: "status" });
  more.append(make("summary", "", "loss, all methods, scores"), folded);
  side.hidden = more.hidden = true;
  const fits = Boolean(model.get("fit"));
  const under = (/** @type {MouseEvent} */ event) =>
    embedded[0] && !drawing && datumUnder(embedded[0].view, event);
  const tips = model.get("tips")
    ? makeTip(box, under, (row) => model.send({ type: "hover", row }))
    : null;
  el.classList.toggle("hcat-parts", fits);
  el.append(box, ...(fits ? [side, more] : []), status);

  /** @type {Embedded[]} views, the map's first */
  let embedded = [];
  let [embedding, drawing, closed] = [false, false, false];
  let stale = false; // a newer specification waits
  /** @type {Part[]} parts that are embedded once they are looked at */
  let waiting = [];
  /** @type {Pending | null} */
  let pending = null;
  /** @type {Pending | null} all datasets as they were last, for a new specification */
  let shown = null;
  let timer = 0;
  let drawn = Number.NEGATIVE_INFINITY; // when
  const parts = assembler();

  const fail = (/** @type {unknown} */ error) => {
    box.replaceChildren(make("div", "hcat-error", `The live map cannot be drawn: ${error}`));
  };

  const setSignal = (
    /** @type {Embedded} */ one,
    /** @type {string} */ name,
    /** @type {any} */ value,
  ) => {
    if (one.signals.has(name)) one.view.signal(name, value);
  };

  const paintInk = () => {
    for (const one of embedded) {
      setSignal(one, "ink", INK[pageTheme()]);
      one.view.runAsync();
    }
  };

  const merged = (/** @type {Pending | null} */ old, /** @type {Pending} */ now) => ({
    ...now,
    signals: { ...old?.signals, ...now.signals },
    tables: new Map([...(old?.tables ?? []), ...now.tables]),
  });

  /** Bring a view to a state. */
  const show = async (/** @type {Embedded} */ one, /** @type {Pending} */ state) => {
    const { view, datasets, filled } = one;
    let touched = false;
    for (const [name, table] of state.tables) {
      const before = filled.get(name);
      if (!datasets.has(name) || sameTable(table, before?.table)) continue;
      filled.set(name, { table, rows: refill(view, table, before?.rows) }); // moves the points
      touched = true;
    }
    for (const [name, value] of Object.entries(state.signals)) setSignal(one, name, value);
    if (touched || one.role === "map") await view.resize().runAsync(); // other values, other room
    if (one.sized) await fillRoom(view, one.place, one.role, isDense(one));
  };
  const isDense = (/** @type {Embedded} */ one) => one.filled.get("bins")?.table.n > 0;

  const draw = async () => {
    timer = 0;
    if (!embedded.length || drawing || !pending) return;
    const state = pending;
    pending = null;
    shown = merged(shown, state);
    drawing = true;
    const start = performance.now();
    try {
      for (const one of embedded) await show(one, state);
      box.dataset.epoch = String(state.epoch);
      model.send({ type: "ack", seq: state.seq, draw_ms: performance.now() - start });
    } catch (error) {
      fail(error);
    } finally {
      drawing = false;
      drawn = performance.now();
      if (pending && !closed) schedule();
    }
  };

  const schedule = () => {
    const wait = Math.max(0, drawn + COALESCE_MS - performance.now());
    if (!timer) timer = window.setTimeout(draw, wait);
  };

  const hear = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) => {
    if (content.type === "part") {
      parts.take(content, buffers);
      status.textContent = `receiving part ${content.part} of ${content.parts}`;
      return;
    }
    if (content.type === "tip") tips?.tell(content, buffers[0]);
    if (content.type === "unbrush")
      box.querySelector("canvas")?.dispatchEvent(new MouseEvent("unbrush"));
    if (content.type !== "frame") return;
    const whole = parts.whole(content, buffers);
    if (whole === null) {
      status.textContent = "a part of the map did not arrive: the host refused a message";
      return;
    }
    status.textContent = "";
    const { seq, epoch, signals } = content;
    pending = merged(pending, { seq, epoch, signals, tables: tablesOf(content, whole) });
    if (!drawing) schedule();
  };

  /** Listen to what the user does on an embedded view. */
  const attend = (/** @type {Embedded} */ { view, signals }) => {
    if (signals.has("brush")) {
      view.addSignalListener("brush", (/** @type {string} */ _, /** @type {any} */ value) =>
        tellBrush(value && "x" in value && "y" in value ? { x: value.x, y: value.y } : null),
      );
    }
    if (signals.has(RANGES[0]))
      for (const [k, v] of Object.entries(REACHED)) box.setAttribute(k, v);
    let pressed = { clientX: 0, clientY: 0 };
    view.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      pressed = event;
    });
    view.addEventListener("click", (/** @type {any} */ event, /** @type {any} */ item) => {
      const [x, y] = [event.clientX - pressed.clientX, event.clientY - pressed.clientY];
      if (Math.hypot(x, y) > CLICK_PIXELS) return; // the end of a drag, of the brush say
      const row = item?.datum?.row ?? datumUnder(view, event)?.row;
      if (row === undefined) return;
      tellBrush.cancel(); // what the press did to the brush; the sample is the selection now
      model.send({ type: "pick", row });
    });
  };
  const REACHED = { tabindex: "0", role: "group", "aria-label": HELP };
  const tellBrush = debounced((bounds) => model.send({ type: "brush", bounds }));

  const keydown = (/** @type {KeyboardEvent} */ event) => {
    const map = embedded[0];
    if (!map?.signals.has(RANGES[0]) || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (event.key === "Escape")
      box.querySelector("canvas")?.dispatchEvent(new MouseEvent("unbrush"));
    else if (!move) return;
    event.stopPropagation();
    event.preventDefault();
    if (!move) return;
    const sizes = [map.view.width(), map.view.height()];
    RANGES.forEach((name, k) => {
      const now = map.view.signal(name);
      const [low, high] = [Math.min(...(now ?? [])), Math.max(...(now ?? []))];
      const range = high > low ? /** @type {[number, number]} */ ([low, high]) : null;
      const middle = /** @type {[number, number]} */ ([0.4 * sizes[k], 0.6 * sizes[k]]);
      const by = move[k] * STEP * sizes[k];
      map.view.signal(name, range ? nudged(range, by, sizes[k], event.shiftKey) : middle);
    });
    map.view.runAsync();
  };

  /** Embed a part in a place of its own, which is not on the page yet or has its room. */
  const embedPart = async (/** @type {Part} */ part, /** @type {number} */ room) => {
    const page = /** @type {any} */ (globalThis);
    if (!page.hcatVegaEmbed) new Function(model.get("_vega"))(); // as Vega makes its expressions
    const place = make("div", "hcat-part");
    const spec = fits ? fitted(part, room) : structuredClone(part.spec);
    const tooltip = !(tips && part.role === "map"); // Vega's own
    const result = await page.hcatVegaEmbed(place, spec, { ...EMBED, tooltip });
    const names = (/** @type {string} */ kind) =>
      new Set((result.vgSpec[kind] ?? []).map((/** @type {any} */ one) => one.name));
    return {
      ...result,
      place,
      role: part.role,
      sized: fits && !part.spec.concat && !part.spec.hconcat && !part.spec.vconcat,
      signals: names("signals"),
      datasets: names("data"),
      filled: new Map(), // tables and the rows that show them
    };
  };

  const embed = async () => {
    const spec = model.get("spec");
    if (Object.keys(spec).length === 0) return;
    stale = embedding;
    if (embedding) return;
    embedding = true;
    try {
      const all = fits ? partsOf(spec) : [{ role: /** @type {"map"} */ ("map"), spec }];
      const now = all.filter(({ role }) => role !== "more");
      now.sort((a, b) => Number(a.role !== "map") - Number(b.role !== "map"));
      const made = [];
      for (const part of now)
        made.push(await embedPart(part, (part.role === "map" ? box : side).clientWidth));
      if (closed) {
        for (const one of made) one.finalize();
        return;
      }
      const before = embedded;
      embedded = made;
      waiting = all.filter(({ role }) => role === "more");
      if (before.length) {
        keepGestures(before[0], made[0]);
        for (const one of before) one.finalize();
        const newest = pending ?? shown; // none before the first frame
        if (newest) pending = merged(shown, newest);
      }
      box.replaceChildren(made[0].place, ...(tips ? [tips.tip] : []));
      side.replaceChildren(...made.slice(1).map(({ place }) => place));
      side.hidden = made.length < 2;
      folded.replaceChildren();
      more.hidden = waiting.length === 0;
      attend(made[0]);
      paintInk();
      await refit();
      if (more.open) await unfold();
      if (pending) schedule();
      else model.send({ type: "ready" });
    } catch (error) {
      fail(error);
    } finally {
      embedding = false;
    }
    if (stale && !closed) {
      stale = false;
      embed();
    }
  };

  /** Embed what was folded away, and show it as the others are. */
  const unfold = async () => {
    if (!more.open) return;
    const parts = waiting.splice(0);
    const frames = parts.map(({ spec }) => make("div", spec.concat ? "hcat-wide" : ""));
    folded.append(...frames); // all of them, which share the room
    for (const [k, part] of parts.entries()) {
      const frame = frames[k];
      const one = await embedPart(part, frame.clientWidth || box.clientWidth);
      if (closed) return one.finalize();
      frame.append(one.place);
      embedded.push(one);
      setSignal(one, "ink", INK[pageTheme()]);
      if (shown) await show(one, shown);
    }
  };

  const refit = async () => {
    for (const one of embedded)
      if (one.sized) await fillRoom(one.view, one.place, one.role, isDense(one));
  };
  /** @type {ResizeObserver | undefined} */
  let sizes;
  if (fits && "ResizeObserver" in globalThis) {
    const later = debounced(() => !closed && refit());
    let sized = 0; // when; the first of many is followed in the same frame
    sizes = new ResizeObserver(() => {
      if (performance.now() - sized < SETTLED_MS) return later(null);
      sized = performance.now();
      refit();
    });
    sizes.observe(box);
    sizes.observe(side);
    sizes.observe(folded);
  }

  const unpaint = onTheme(paintInk);
  box.addEventListener("keydown", keydown);
  box.dataset.lmSuppressShortcuts = "true"; // Notebook 7 hears keys before the map does
  more.addEventListener("toggle", unfold);
  model.on("msg:custom", hear);
  model.on("change:spec", embed);
  embed();

  return () => {
    closed = true;
    window.clearTimeout(timer);
    tellBrush.cancel();
    sizes?.disconnect();
    unpaint();
    model.off("msg:custom", hear);
    model.off("change:spec", embed);
    for (const one of embedded) one.finalize();
    el.replaceChildren();
  };
}

/**
 * Give a new view brush and zoom of the one before; not where a drag began, or Vega goes on with it,
 * nor what tells Vega to scale a brush, which there may be none of.
 *
 * @param {any} before
 * @param {any} after
 */
function keepGestures(before, after) {
  const gesture = (/** @type {string} */ n) =>
    /^(brush|zoom)(_(?!.*(anchor|delta|trigger))|$)/.test(n);
  const state = before.view.getState({
    signals: (/** @type {string} */ name) => gesture(name) && after.signals.has(name),
    data: (/** @type {string} */ name) => gesture(name) && after.datasets.has(name),
    recurse: false, // below are legends, which the new view may not have
  });
  after.view.setState(state);
}

export default { render };
