import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget, {
  assembler,
  debounced,
  decodeColumn,
  decodeFrame,
  pageTheme,
} from "../src/live_map.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {any} */
let view;
/** @type {any} */
let embed;

const vgSpec = {
  data: [{ name: "points" }, { name: "brush_store" }],
  signals: [{ name: "heading" }, { name: "ink" }, { name: "brush" }],
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

beforeEach(() => {
  vi.useFakeTimers();
  document.body.dataset.jpThemeLight = "true";
  view = {
    data: vi.fn(),
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

test("turns columns into rows by dataset", () => {
  const rows = decodeFrame(/** @type {any} */ (frame(1)), buffers).get("points");
  expect(rows).toEqual([{ x: 0.5 }]);
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
  expect(view.data).toHaveBeenCalledTimes(1);
  expect(view.data).toHaveBeenCalledWith("points", [{ x: 0.5 }]);
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
  model.emit("msg:custom", frame(2), buffers);
  await settle();
  expect(view.data).toHaveBeenCalledTimes(1);
  finish(view);
  await settle();
  expect(view.data).toHaveBeenCalledTimes(2);
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
  expect(view.data.mock.calls.map(([/** @type {string} */ name]) => name)).toEqual([
    "points",
    "brush_store",
  ]);
});

test("a new specification takes over gestures and rows", async () => {
  widget.render({ model, el });
  await settle();
  model.emit("msg:custom", frame(1), buffers);
  await settle();
  view.data.mockClear();
  model.set("spec", { mark: "bar" });
  await settle();
  await settle();
  expect(embed).toHaveBeenCalledTimes(2);
  expect(view.setState).toHaveBeenCalledWith({ signals: { brush: 1 } });
  expect(view.data).toHaveBeenCalledWith("points", [{ x: 0.5 }]);
  expect(el.querySelectorAll(".hcat-map > div")).toHaveLength(1);
  const { signals, data } = view.getState.mock.calls[0][0];
  expect([signals("brush"), signals("ink"), data("brush_store"), data("points")]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

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
  const [[, clicked]] = view.addEventListener.mock.calls;
  clicked({}, { datum: { row: 0 } });
  clicked({}, { datum: { i: 3 } });
  clicked({}, null);
  expect(model.sent.slice(2)).toEqual([{ type: "pick", row: 0 }]);
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
  expect(view.data).toHaveBeenCalledWith("points", [{ x: 0.5 }]);
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
  expect(view.data).not.toHaveBeenCalled();
});
