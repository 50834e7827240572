import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/live_map.js";
import { debounced, pageTheme } from "../src/shared/dom.js";
import { assembler, decodeColumn, refill, sameTable, tablesOf } from "../src/shared/frames.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {Record<"view" | "embed", any>} */
let { view, embed } = { view: null, embed: null };

const vgSpec = {
  data: [{ name: "points" }, { name: "brush_store" }],
  signals: ["heading", "ink", "brush", "brush_translate_delta"].map((name) => ({ name })),
};
const view8 = (/** @type {number[]} */ ...bytes) => new DataView(Uint8Array.from(bytes).buffer);
const settle = () => vi.advanceTimersByTimeAsync(100);

/** A frame of one point at x = 65535 steps. */
const frame = (/** @type {number} */ epoch) => ({
  type: "frame",
  seq: epoch,
  epoch,
  signals: { heading: `epoch ${epoch}`, unknown: 1 },
  datasets: [
    { name: "points", n: 1, columns: [{ name: "x", dtype: "uint16", scale: 0.5 / 65535 }] },
  ],
});
const buffers = [view8(255, 255)];

/** As much of Vega's change set as a dataset needs that has no transforms. */
class Changes {
  /** @type {object[]} */
  added = [];
  removed = (/** @type {object} */ _) => false;
  /** @type {string[]} */
  fields = [];
  again = false;

  insert(/** @type {object[]} */ added) {
    return Object.assign(this, { added });
  }

  remove(/** @type {object[] | ((row: object) => boolean)} */ some) {
    const removed =
      typeof some === "function" ? some : (/** @type {any} */ row) => some.includes(row);
    return Object.assign(this, { removed });
  }

  modify(/** @type {any} */ row, /** @type {string} */ field, /** @type {any} */ value) {
    row[field] = value;
    this.fields.push(field);
    return this;
  }

  reflow() {
    return Object.assign(this, { again: true });
  }
}

/** @type {Map<string, object[]>} the rows of the view */
let rows;

beforeEach(() => {
  rows = new Map();
  vi.useFakeTimers();
  document.body.dataset.jpThemeLight = "true";
  view = {
    data: (/** @type {string} */ name) => rows.get(name) ?? [],
    changeset: () => new Changes(),
    change: vi.fn((name, { added, removed }) => {
      const left = view.data(name).filter((/** @type {object} */ row) => !removed(row));
      rows.set(name, [...left, ...added]);
      return view;
    }),
    origin: () => [37, 18],
    padding: () => ({ left: 3, top: 2 }),
    container: () => el,
    signal: vi.fn(() => view),
    runAsync: vi.fn(async () => view),
    resize: vi.fn(() => view),
    addSignalListener: vi.fn(),
    addEventListener: vi.fn(),
    getState: vi.fn(() => ({ signals: { brush: 1 } })),
    setState: vi.fn(),
  };
  embed = vi.fn(async () => ({ view, vgSpec, finalize: vi.fn() }));
  /** @type {any} */ (globalThis).hcatVegaEmbed = embed;
  model = new FakeModel({ spec: { mark: "point" } });
  el = document.createElement("div");
});

afterEach(() => {
  vi.useRealTimers();
});

test("reads numbers, codes, counts and names, from an odd offset too", () => {
  expect(decodeColumn({ name: "x", dtype: "uint16", scale: 2 }, view8(1, 1), 1)[0]).toBe(514);
  const shifted = new DataView(Uint8Array.from([9, 1, 0, 0, 0]).buffer, 1);
  expect(decodeColumn({ name: "n", dtype: "uint32" }, shifted, 1)[0]).toBe(1);
  const levels = ["easy", "hard"];
  expect(decodeColumn({ name: "c", dtype: "uint8", levels }, view8(1, 0), 2)).toEqual([
    "hard",
    "easy",
  ]);
  const text = new DataView(new TextEncoder().encode("s1\0ü").buffer);
  expect(decodeColumn({ name: "id", dtype: "text" }, text, 2)).toEqual(["s1", "ü"]);
  expect(decodeColumn({ name: "id", dtype: "text" }, view8(), 0)).toEqual([]);
});

test("gives each dataset its buffers", () => {
  const two = { ...frame(1), datasets: [frame(1).datasets[0], { name: "now", n: 0, columns: [] }] };
  const tables = tablesOf(/** @type {any} */ (two), buffers);
  expect([...tables.keys()]).toEqual(["points", "now"]);
  expect(tables.get("points")?.buffers).toEqual(buffers);
  expect(tables.get("now")?.buffers).toEqual([]);
});

test("tells tables apart by what they hold", () => {
  const table = (/** @type {number[]} */ bytes, scale = 1) => ({
    ...{ name: "points", n: 1, buffers: [view8(...bytes)] },
    columns: [{ name: "x", dtype: /** @type {const} */ ("uint16"), scale }],
  });
  expect(sameTable(table([1, 2]), table([1, 2]))).toBe(true);
  expect(sameTable(table([1, 2]), table([1, 3]))).toBe(false);
  expect(sameTable(table([1, 2]), table([1, 2, 0, 0]))).toBe(false);
  expect(sameTable(table([]), table([1, 2]))).toBe(false);
  expect(sameTable(table([1, 2]), table([1, 2], 2))).toBe(false);
  expect(sameTable(table([1, 2]), undefined)).toBe(false);
});

test("rows take other values in place, and only the difference comes or goes", () => {
  const table = (/** @type {number[]} */ ...bytes) => ({
    ...{ name: "points", n: bytes.length, buffers: [view8(...bytes)] },
    columns: [{ name: "x", dtype: /** @type {const} */ ("uint8") }],
  });
  rows.set("points", [{ x: 8 }]); // a chart of the user's may bring rows
  const one = refill(view, table(1, 2));
  expect(view.data("points")).toEqual([{ x: 1 }, { x: 2 }]);
  const two = refill(view, table(3, 4, 5), one);
  expect(view.data("points")).toEqual([{ x: 3 }, { x: 4 }, { x: 5 }]);
  expect(view.data("points")[0]).toBe(one[0]);
  // Vega runs again what reads a field only if it is told of the field.
  expect(view.change.mock.calls[1][1]).toMatchObject({ fields: ["x"], again: true });
  const three = refill(view, table(6), two);
  expect(view.data("points")).toEqual([{ x: 6 }]);
  expect(view.data("points")[0]).toBe(one[0]);
  refill(view, table(), three);
  expect(view.data("points")).toEqual([]);
});

test("does not touch a dataset that is as it was", async () => {
  widget.render({ model, el });
  await settle();
  model.emit("msg:custom", frame(1), buffers);
  await settle();
  model.emit("msg:custom", frame(2), buffers);
  await settle();
  expect(view.change).toHaveBeenCalledTimes(1);
  expect(view.signal).toHaveBeenCalledWith("heading", "epoch 2");
});

test("embeds once, on canvas, and asks for what it missed", async () => {
  widget.render({ model, el });
  await settle();
  expect(embed).toHaveBeenCalledTimes(1);
  expect(embed.mock.calls[0][2].renderer).toBe("canvas");
  expect(model.sent).toEqual([{ type: "ready" }]);
});

test("waits for a specification", async () => {
  model.traits.spec = {};
  widget.render({ model, el });
  await settle();
  expect(embed).not.toHaveBeenCalled();
  model.set("spec", { mark: "point" });
  await settle();
  expect(embed).toHaveBeenCalledTimes(1);
});

test("draws only the newest of frames that come together, and acknowledges it", async () => {
  widget.render({ model, el });
  await settle();
  model.emit("msg:custom", frame(1), buffers);
  model.emit("msg:custom", frame(2), buffers);
  await settle();
  expect(view.change).toHaveBeenCalledTimes(1);
  expect(rows.get("points")).toEqual([{ x: 0.5 }]);
  expect(view.signal).not.toHaveBeenCalledWith("unknown", 1);
  expect(view.signal).toHaveBeenCalledWith("heading", "epoch 2");
  const acks = model.sent.filter(({ type }) => type === "ack");
  expect(acks.map(({ seq }) => seq)).toEqual([2]);
  expect(acks[0].draw_ms).toBeGreaterThanOrEqual(0);
});

test("keeps a frame that comes before the view is there", async () => {
  widget.render({ model, el });
  model.emit("msg:custom", frame(3), buffers);
  await settle();
  await settle();
  expect(view.signal).toHaveBeenCalledWith("heading", "epoch 3");
});

test("draws a frame that came while another was drawn", async () => {
  /** @type {(value: any) => void} */
  let finish = () => {};
  widget.render({ model, el });
  await settle();
  view.runAsync = vi.fn(() => new Promise((resolve) => (finish = resolve)));
  model.emit("msg:custom", frame(1), buffers);
  await settle();
  model.emit("msg:custom", frame(2), [view8(0, 0)]);
  await settle();
  expect(view.change).toHaveBeenCalledTimes(1);
  finish(view);
  await settle();
  expect(view.change).toHaveBeenCalledTimes(2);
  expect(rows.get("points")).toEqual([{ x: 0 }]);
});

test("follows the theme of the page without embedding anew", async () => {
  widget.render({ model, el });
  await settle();
  document.body.dataset.jpThemeLight = "false";
  await settle();
  expect(pageTheme()).toBe("dark");
  expect(view.signal).toHaveBeenLastCalledWith("ink", "#d4d4d4");
  expect(embed).toHaveBeenCalledTimes(1);
});

test("says what went wrong", async () => {
  embed.mockRejectedValue(new Error("<b>no such field</b>"));
  widget.render({ model, el });
  await settle();
  expect(el.textContent).toContain("<b>no such field</b>");
  expect(el.querySelector("b")).toBeNull();
});

test("takes off every listener, also while it embeds", async () => {
  const close = widget.render({ model, el });
  expect(model.listening).toBeGreaterThan(0);
  close();
  await settle();
  expect(model.listening).toBe(0);
  const { finalize } = await embed.mock.results[0].value;
  expect(finalize).toHaveBeenCalledTimes(1);
  view.signal.mockClear();
  document.body.dataset.jpThemeLight = "false";
  await settle();
  expect(view.signal).not.toHaveBeenCalled();
  expect(el.childElementCount).toBe(0);
});

test("reads shifted numbers, and missing ones as null", () => {
  const shifted = { name: "x", dtype: /** @type {const} */ ("uint16"), scale: 2, offset: -10 };
  expect(decodeColumn(shifted, view8(1, 0), 1)[0]).toBe(-8);
  const floats = new DataView(Float32Array.from([0.5, Number.NaN]).buffer);
  expect(decodeColumn({ name: "v", dtype: "float32" }, floats, 2)).toEqual([0.5, null]);
});

test("keeps what a partial frame does not name", async () => {
  widget.render({ model, el });
  await settle();
  const marks = { ...frame(2), datasets: [{ ...frame(2).datasets[0], name: "brush_store" }] };
  model.emit("msg:custom", frame(1), buffers);
  model.emit("msg:custom", marks, buffers);
  await settle();
  expect(view.change.mock.calls.map(([/** @type {string} */ name]) => name)).toEqual([
    "points",
    "brush_store",
  ]);
});

test("a new specification takes over gestures and rows", async () => {
  widget.render({ model, el });
  await settle();
  model.set("spec", { mark: "line" }); // before the first frame there are none
  await settle();
  expect(el.textContent).toBe("");
  model.emit("msg:custom", frame(1), buffers);
  await settle();
  rows.clear(); // the next view's
  model.set("spec", { mark: "bar" });
  await settle();
  await settle();
  expect(embed).toHaveBeenCalledTimes(3);
  expect(view.setState).toHaveBeenCalledWith({ signals: { brush: 1 } });
  expect(rows.get("points")).toEqual([{ x: 0.5 }]);
  expect(el.querySelectorAll(".hcat-map > div")).toHaveLength(1);
  const { signals, data } = view.getState.mock.calls[0][0];
  expect(signals("brush_translate_delta")).toBe(false);
  expect([signals("brush"), signals("ink"), data("brush_store"), data("points")]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

/** Press at one place, and let go at another. */
const clickAt = (/** @type {any} */ where, /** @type {any} */ item, from = where) => {
  const { pointerdown, click } = Object.fromEntries(view.addEventListener.mock.calls);
  pointerdown(from);
  click(where, item);
};

test("tells of a brush when it rests, and of a click on a sample", async () => {
  widget.render({ model, el });
  await settle();
  model.sent = [];
  const [[name, brushed]] = view.addSignalListener.mock.calls;
  expect(name).toBe("brush");
  brushed("brush", { x: [0, 1], y: [0, 1] });
  brushed("brush", { x: [0, 0.5], y: [0, 1], more: 1 });
  await settle();
  expect(model.sent).toEqual([{ type: "brush", bounds: { x: [0, 0.5], y: [0, 1] } }]);
  brushed("brush", {});
  await settle();
  expect(model.sent[1]).toEqual({ type: "brush", bounds: null });
  brushed("brush", {}); // what the press of a click does
  clickAt({ clientX: 51, clientY: 50 }, { datum: { row: 0 } });
  clickAt({ clientX: 51, clientY: 50 }, { datum: { row: 0 } }, { clientX: 90, clientY: 50 });
  await settle();
  expect(model.sent.slice(2)).toEqual([{ type: "pick", row: 0 }]); // the end of a drag is none
});

test("a click on the brush picks the topmost sample under it", async () => {
  const at = (/** @type {number} */ row, /** @type {number} */ x) => ({
    datum: { row },
    bounds: {
      contains: (/** @type {number} */ px, /** @type {number} */ py) => px === x && py === 7,
    },
  });
  const bin = { datum: { i: 3 }, bounds: { contains: () => true } };
  const plot = {
    x: 100,
    y: 50,
    items: [{ items: [bin] }, { items: [at(4, 5), at(9, 5), at(2, 6)] }],
  };
  view.scenegraph = () => ({ root: { items: [{ x: 0, y: 0, items: [{ items: [plot] }] }] } });
  widget.render({ model, el });
  await settle();
  model.sent = [];
  el.append(document.createElement("canvas")); // jsdom puts it at 0, 0
  clickAt({ clientX: 40 + 100 + 5, clientY: 20 + 50 + 7 }, { datum: {} });
  clickAt({ clientX: 40 + 100 + 8, clientY: 20 + 50 + 7 }, bin);
  clickAt({ clientX: 40 + 100 + 6, clientY: 20 + 50 + 7 }, null);
  expect(model.sent).toEqual([
    { type: "pick", row: 9 },
    { type: "pick", row: 2 },
  ]);
});

test("a long drag is told of while it goes on", async () => {
  const told = vi.fn();
  const tell = debounced(told);
  for (let k = 0; k < 10; k++) {
    tell(k);
    await vi.advanceTimersByTimeAsync(20);
  }
  // 200 ms of moves every 20 ms: never 30 ms of rest, but a word every 60.
  expect(told.mock.calls.length).toBeGreaterThanOrEqual(2);
  expect(told.mock.calls.length).toBeLessThanOrEqual(4);
  await settle();
  expect(told).toHaveBeenLastCalledWith(9);
});

test("puts a frame together from its parts, and says so meanwhile", async () => {
  widget.render({ model, el });
  await settle();
  const part = { type: "part", seq: 1, parts: 2 };
  model.emit("msg:custom", { ...part, part: 1, pieces: [[0, 2, 0]] }, [view8(255)]);
  expect(el.textContent).toContain("part 1 of 2");
  model.emit("msg:custom", { ...part, part: 2, pieces: [[0, 2, 1]] }, [view8(255)]);
  model.emit("msg:custom", { ...frame(1), parts: 2 }, []);
  await settle();
  expect(rows.get("points")).toEqual([{ x: 0.5 }]);
  expect(el.textContent).toBe("");
});

test("a lost part is told, and nothing half is drawn", async () => {
  const parts = assembler();
  const piece = /** @type {any} */ ({ type: "part", seq: 1, part: 1, parts: 2 });
  parts.take({ ...piece, pieces: [[0, 2, 0]] }, [view8(1)]);
  expect(parts.whole(/** @type {any} */ ({ ...frame(1), parts: 2 }), [])).toBeNull();
  widget.render({ model, el });
  model.emit("msg:custom", { ...frame(1), parts: 2 }, []);
  await settle();
  expect(el.textContent).toContain("did not arrive");
  expect(view.change).not.toHaveBeenCalled();
});
