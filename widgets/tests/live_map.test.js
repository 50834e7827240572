import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget, { decodeColumn, decodeFrame, pageTheme } from "../src/live_map.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {any} */
let view;
/** @type {any} */
let embed;

const view8 = (/** @type {number[]} */ ...bytes) => new DataView(Uint8Array.from(bytes).buffer);
const settle = () => vi.advanceTimersByTimeAsync(100);

/** A frame of one point at x = 65535 steps. */
const frame = (/** @type {number} */ epoch) => ({
  type: "frame",
  seq: epoch,
  epoch,
  heading: `epoch ${epoch}`,
  datasets: [
    { name: "points", n: 1, columns: [{ name: "x", dtype: "uint16", scale: 0.5 / 65535 }] },
  ],
});
const buffers = [view8(255, 255)];

beforeEach(() => {
  vi.useFakeTimers();
  document.body.dataset.jpThemeLight = "true";
  view = { data: vi.fn(), signal: vi.fn(() => view), runAsync: vi.fn(async () => view) };
  embed = vi.fn(async () => ({ view, finalize: vi.fn() }));
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
  const rows = decodeFrame({ frame: /** @type {any} */ (frame(1)), buffers }).get("points");
  expect(rows).toEqual([{ x: 0.5 }]);
});

test("embeds once, on canvas, and asks for what it missed", async () => {
  widget.render({ model, el });
  await settle();
  model.emit("change:spec");
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
