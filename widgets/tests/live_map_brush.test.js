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
