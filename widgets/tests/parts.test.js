import { expect, test, vi } from "vitest";
import { nudged } from "../src/live_map.js";
import { fillRoom, fitted, partsOf } from "../src/shared/parts.js";

const run = () => ({
  params: [{ name: "brush", views: ["map_0"] }, { name: "ink" }],
  config: { font: "x", legend: { labelFontSize: 11 } },
  concat: [
    { layer: [{ mark: "rect" }, { name: "map_0", mark: "circle" }], params: [{ name: "heading" }] },
    { hconcat: [{ name: "live_accuracy" }, { name: "live_auroc" }, { name: "live_loss" }] },
    { concat: [{ mark: "bar" }], columns: 5 },
  ],
});

test("a concatenation is taken apart, each part with the parameters that it knows", () => {
  const parts = partsOf(run());
  expect(parts.map(({ role }) => role)).toEqual(["map", "side", "side", "more", "more"]);
  const names = parts.map(({ spec }) => spec.params.map((/** @type {any} */ one) => one.name));
  expect(names[0]).toEqual(["brush", "ink", "heading"]);
  expect(names.slice(1)).toEqual([["ink"], ["ink"], ["ink"], ["ink"]]);
  expect(parts.every(({ spec }) => spec.config.font === "x")).toBe(true);
  const own = { concat: [{ mark: "bar" }] }; // a chart of the user's stays whole
  expect(partsOf(own)).toEqual([{ role: "map", spec: own }]);
});

test("a part is prepared for its room", () => {
  const [map, side, , , many] = partsOf(run());
  expect(fitted(map, 640).config.legend).toMatchObject({ orient: "bottom", labelFontSize: 11 });
  expect(fitted(map, 640).config.axis.labelFontSize).toEqual({ expr: "11 * enlarged" });
  expect(fitted(side, 300).height).toBe(128);
  expect([fitted(many, 640).columns, fitted(many, 10).columns]).toEqual([4, 1]);
});

test("a view takes the room that its labels leave, in whole cells of a density", async () => {
  const sized = { width: 300, height: 200 };
  const view = {
    width: vi.fn((/** @type {number} */ to) =>
      to ? Object.assign(sized, { width: to }) : sized.width,
    ),
    height: vi.fn((/** @type {number} */ to) =>
      to ? Object.assign(sized, { height: to }) : sized.height,
    ),
    signal: vi.fn((/** @type {string} */ _, /** @type {number} */ to) => (to ? view : 1)),
    resize: () => view,
    runAsync: vi.fn(),
  };
  const box = document.createElement("div");
  const place = document.createElement("div");
  const canvas = document.createElement("canvas");
  place.append(canvas);
  box.append(place);
  Object.defineProperty(box, "clientWidth", { value: 700 });
  Object.defineProperty(canvas, "clientWidth", { value: 350 });
  await fillRoom(view, place, "map", false);
  expect(sized).toEqual({ width: 650, height: 380 });
  sized.width = 300;
  await fillRoom(view, place, "map", true);
  expect(sized).toEqual({ width: 640, height: 384 });
  expect(view.signal).not.toHaveBeenCalledWith("enlarged", 1.5);
  box.className = "hcat-presented"; // before a class its type is larger
  await fillRoom(view, place, "map", true);
  expect(view.signal).toHaveBeenLastCalledWith("enlarged", 1.5);
});

test("a box moves within the map, and grows at its upper end", () => {
  expect(nudged([10, 30], 5, 100, false)).toEqual([15, 35]);
  expect(nudged([10, 30], -20, 100, false)).toEqual([0, 20]);
  expect(nudged([75, 95], 20, 100, false)).toEqual([80, 100]);
  expect(nudged([10, 30], 5, 100, true)).toEqual([10, 35]);
  expect(nudged([10, 30], -40, 100, true)).toEqual([10, 15]);
});
