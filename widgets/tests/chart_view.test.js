import { beforeEach, expect, test, vi } from "vitest";
import widget from "../src/chart_view.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {any} */
let view;
/** @type {any} */
let embed;
/** @type {any[]} */
let finalized;

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const chart = (/** @type {number} */ seq) => ({
  type: "chart",
  seq,
  spec: { mark: "point", description: `chart <b>${seq}</b>` },
});

beforeEach(() => {
  document.body.dataset.jpThemeLight = "true";
  let wide = 340;
  view = {
    signal: vi.fn(() => view),
    width: vi.fn((to) => {
      if (to === undefined) return wide;
      wide = to;
      return view;
    }),
    runAsync: vi.fn(async () => view),
  };
  finalized = [];
  embed = vi.fn(async (/** @type {HTMLElement} */ place, /** @type {any} */ spec) => {
    place.append(document.createElement("canvas"));
    return { view, finalize: () => finalized.push(spec.description) };
  });
  /** @type {any} */ (globalThis).hcatVegaEmbed = embed;
  model = new FakeModel();
  el = document.createElement("div");
});

test("asks for the chart, draws it on canvas, and says what it is", async () => {
  widget.render({ model, el });
  expect(model.sent).toEqual([{ type: "ready" }]);
  model.emit("msg:custom", chart(1));
  await settle();
  expect(embed.mock.calls[0][2].renderer).toBe("canvas");
  const box = /** @type {HTMLElement} */ (el.querySelector(".hcat-chart"));
  expect(box.getAttribute("aria-label")).toBe("chart <b>1</b>");
  expect(box.dataset.seq).toBe("1");
  expect(el.querySelector("b")).toBeNull();
});

test("a chart is no wider than its row, and its legend stands below it", async () => {
  const row = document.createElement("div");
  row.append(el);
  Object.defineProperty(row, "clientWidth", { value: 300 });
  embed.mockImplementation(async (/** @type {HTMLElement} */ place) => {
    const canvas = document.createElement("canvas");
    Object.defineProperty(canvas, "clientWidth", { value: 400 });
    place.append(canvas);
    return { view, finalize: vi.fn() };
  });
  widget.render({ model, el });
  model.emit("msg:custom", chart(1));
  await settle();
  expect(view.width()).toBe(240);
  expect(embed.mock.calls[0][1].config.legend.orient).toBe("bottom");
});

test("a new chart takes the place of the old one", async () => {
  widget.render({ model, el });
  model.emit("msg:custom", chart(1));
  await settle();
  model.emit("msg:custom", chart(2));
  await settle();
  expect(finalized).toEqual(["chart <b>1</b>"]);
  expect(el.querySelectorAll("canvas").length).toBe(1);
});

test("of charts that come while one is drawn, the newest is drawn", async () => {
  widget.render({ model, el });
  for (const seq of [1, 2, 3, 4]) model.emit("msg:custom", chart(seq));
  await settle();
  expect(embed).toHaveBeenCalledTimes(2);
  expect(/** @type {HTMLElement} */ (el.querySelector(".hcat-chart")).dataset.seq).toBe("4");
});

test("follows the page's theme without drawing anew", async () => {
  widget.render({ model, el });
  model.emit("msg:custom", chart(1));
  await settle();
  document.body.dataset.jpThemeLight = "false";
  await settle();
  expect(view.signal.mock.calls.at(-1)).toEqual(["ink", "#d4d4d4"]);
  expect(embed).toHaveBeenCalledTimes(1);
});

test("an error is text, and the next chart is drawn", async () => {
  widget.render({ model, el });
  embed.mockRejectedValueOnce(new Error("<i>broken</i>"));
  model.emit("msg:custom", chart(1));
  await settle();
  expect(el.textContent).toContain("<i>broken</i>");
  model.emit("msg:custom", chart(2));
  await settle();
  expect(el.textContent).toBe("");
  expect(el.querySelectorAll("canvas").length).toBe(1);
});

test("takes off every listener", async () => {
  const close = widget.render({ model, el });
  model.emit("msg:custom", chart(1));
  await settle();
  close();
  expect(model.listening).toBe(0);
  expect(finalized).toEqual(["chart <b>1</b>"]);
  expect(el.childElementCount).toBe(0);
});
