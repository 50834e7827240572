import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/live_map.js";
import { FakeModel } from "./fake_model.js";

const view = {
  signal: () => view,
  runAsync: async () => view,
  addSignalListener: vi.fn(),
  addEventListener: vi.fn(),
};
const vgSpec = { data: [], signals: [{ name: "brush" }] };
const heard = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  /** @type {any} */ (globalThis).hcatVegaEmbed = async (/** @type {HTMLElement} */ place) => {
    const canvas = document.createElement("canvas");
    canvas.addEventListener("unbrush", heard);
    place.append(canvas);
    return { view, vgSpec, finalize: () => {} };
  };
});

afterEach(() => {
  vi.useRealTimers();
});

test("the program takes the brush away through the event that Vega waits for", async () => {
  const model = new FakeModel({ spec: { mark: "point" } });
  const el = document.createElement("div");
  const close = widget.render({ model, el });
  model.emit("msg:custom", { type: "unbrush" }, []); // before there is a map
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).not.toHaveBeenCalled();
  model.emit("msg:custom", { type: "unbrush" }, []);
  expect(heard).toHaveBeenCalledOnce();
  close();
});

test("arrow keys make a brush and move it, and reach neither page nor notebook", async () => {
  const ranges = /** @type {Record<string, any>} */ ({});
  const sized = {
    ...view,
    width: () => 200,
    height: () => 100,
    signal: vi.fn((/** @type {string} */ name, /** @type {any} */ value) => {
      if (value === undefined) return ranges[name];
      ranges[name] = value;
      return sized;
    }),
  };
  const signals = ["brush", "brush_x_1", "brush_y_1"].map((name) => ({ name }));
  /** @type {any} */ (globalThis).hcatVegaEmbed = async () => ({
    view: sized,
    vgSpec: { data: [], signals },
    finalize: () => {},
  });
  const [model, el] = [new FakeModel({ spec: { mark: "point" } }), document.createElement("div")];
  widget.render({ model, el });
  await vi.advanceTimersByTimeAsync(100);
  const box = /** @type {HTMLElement} */ (el.querySelector(".hcat-map"));
  expect(box.tabIndex).toBe(0);
  const press = (/** @type {string} */ key, shiftKey = false) => {
    const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
    box.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(press("ArrowRight")).toBe(true);
  expect([ranges.brush_x_1, ranges.brush_y_1]).toEqual([
    [80, 120],
    [40, 60],
  ]);
  press("ArrowRight");
  press("ArrowDown", true);
  expect([ranges.brush_x_1, ranges.brush_y_1]).toEqual([
    [90, 130],
    [40, 65],
  ]);
  expect(press("x")).toBe(false);
});
