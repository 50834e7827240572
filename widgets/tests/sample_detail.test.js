import { beforeEach, expect, test, vi } from "vitest";
import widget, { curveWords } from "../src/sample_detail.js";
import { FakeModel } from "./fake_model.js";

const EVIL = "<b id=evil>bold</b>";
/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;

const empty = () => new DataView(new ArrayBuffer(0));
const bytes = () => new DataView(new ArrayBuffer(4));
const card = (more = {}) => ({
  heading: "sample s1",
  sharp: true,
  label: "oak",
  proposal: "elm",
  sentence: "elm has a probability of 71 %.",
  text: "",
  facts: [["rank", "13 of 506"]],
  odd: [],
  values: [],
  curves: [
    { name: "oak", role: "given", values: [0.1, 0.5, null, 0.2] },
    { name: "elm", role: "proposed", values: [0.3, 0.4, null, 0.8] },
  ],
  note: "",
  near: [],
  nearNote: "",
  scores: [
    ["aum", "0.5", 0.98],
    ["vog", "n/a", null],
  ],
  ...more,
});

beforeEach(() => {
  URL.createObjectURL = vi.fn(() => "blob:picture");
  URL.revokeObjectURL = vi.fn();
  model = new FakeModel({ card: card(), picture: empty(), small: empty(), near: empty() });
  el = document.createElement("div");
});

test("says the verdict first, and folds the scores", () => {
  widget.render({ model, el });
  expect(el.querySelector(".hcat-title")?.textContent).toBe("Labelled oak, looks like elm");
  expect(el.querySelector("em")?.textContent).toBe("looks like elm");
  expect(el.textContent).toContain("rank13 of 506");
  const fold = /** @type {HTMLDetailsElement} */ (el.querySelector("details"));
  expect(fold.open).toBe(false);
  expect(fold.textContent).toContain("aum0.5");
  expect(el.querySelectorAll(".hcat-meter")).toHaveLength(1);
  expect(el.querySelector(".hcat-meter")?.getAttribute("aria-label")).toBe(
    "harder than 98 % of the samples",
  );
});

test("an unfolded part stays so for the next sample", async () => {
  widget.render({ model, el });
  const fold = /** @type {HTMLDetailsElement} */ (el.querySelector("details"));
  fold.open = true;
  fold.dispatchEvent(new Event("toggle"));
  model.set("card", card({ heading: "sample s2" }));
  await Promise.resolve();
  expect(/** @type {HTMLDetailsElement} */ (el.querySelector("details")).open).toBe(true);
});

test("draws both curves, apart by dashes too, with a gap where the sample was not seen", () => {
  widget.render({ model, el });
  expect(el.querySelector("svg")?.getAttribute("aria-label")).toBe(
    "probability after each epoch; oak: 0.10, 0.50, not seen, 0.20; elm: 0.30, 0.40, not seen, 0.80",
  );
  const path = el.querySelector("path.hcat-given")?.getAttribute("d") ?? "";
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/L/g)).toHaveLength(1);
  expect(el.querySelectorAll("circle")).toHaveLength(6);
  expect(curveWords([])).toBe("probability after each epoch; ");
});

test("names of curves that end together do not cover each other", () => {
  const values = [0.5, 0.5];
  const curves = ["oak", "elm"].map((name, k) => ({
    name,
    role: ["given", "proposed"][k],
    values,
  }));
  model.traits.card = card({ curves });
  widget.render({ model, el });
  const [one, other] = [...el.querySelectorAll("text.hcat-given, text.hcat-proposed")].map((text) =>
    Number(text.getAttribute("y")),
  );
  expect(Math.abs(one - other)).toBeGreaterThanOrEqual(13);
});

test("one epoch is a point, and without curves it is said how to get them", () => {
  model.traits.card = card({ curves: [{ name: "oak", role: "given", values: [0.5] }] });
  widget.render({ model, el });
  expect(el.querySelectorAll("circle")).toHaveLength(1);
  model.traits.card = card({ curves: [], note: "train with keep_dynamics" });
  el = document.createElement("div");
  widget.render({ model, el });
  expect(el.querySelector("svg")).toBeNull();
  expect(el.textContent).toContain("train with keep_dynamics");
});

test("shows the picture as on disk, and the reduced one small beside it", () => {
  Object.assign(model.traits, { picture: bytes(), small: bytes() });
  widget.render({ model, el });
  expect([...el.querySelectorAll("img")].map((one) => one.alt)).toEqual([
    "sample s1",
    "as the network saw it",
  ]);
  expect(el.querySelector(".hcat-whole.hcat-enlarged")).toBeNull();
  model.traits.card = card({ sharp: false });
  el = document.createElement("div");
  widget.render({ model, el });
  expect(el.querySelector(".hcat-whole.hcat-enlarged")).not.toBeNull();
});

test("neighbours are tiles of one strip, or lines", () => {
  const near = [
    { title: "nearest labelled oak", names: ["s2", "s3"], texts: ["", ""] },
    { title: "nearest labelled elm", names: ["s4"], texts: [""] },
  ];
  Object.assign(model.traits, { card: card({ near }), near: bytes() });
  widget.render({ model, el });
  const tiles = [.../** @type {any} */ (el.querySelectorAll(".hcat-mini"))];
  expect(tiles.map((one) => one.style.backgroundPosition)).toEqual([
    "0px 0px",
    "-40px 0px",
    "-80px 0px",
  ]);
  model.traits.card = card({ near: [{ title: "nearest", names: ["s2"], texts: ["a tree"] }] });
  model.traits.near = empty();
  el = document.createElement("div");
  widget.render({ model, el });
  expect(el.querySelector(".hcat-line")?.textContent).toBe("a tree");
});

test("changes that come together are drawn once, and old pictures are let go", async () => {
  model.traits.picture = bytes();
  const close = widget.render({ model, el });
  expect(URL.createObjectURL).toHaveBeenCalledTimes(1);
  model.set("picture", bytes());
  model.set("card", card({ heading: "sample s2" }));
  await Promise.resolve();
  expect(el.querySelector("img")?.alt).toBe("sample s2");
  expect(URL.createObjectURL).toHaveBeenCalledTimes(2);
  close();
  expect(URL.revokeObjectURL).toHaveBeenCalledTimes(2);
});

test("shows markup as text", () => {
  model.traits.card = card({
    label: EVIL,
    proposal: EVIL,
    sentence: EVIL,
    text: EVIL,
    facts: [[EVIL, EVIL]],
    odd: [[EVIL, EVIL, EVIL]],
    values: [[EVIL, EVIL]],
    curves: [],
    note: EVIL,
    near: [{ title: EVIL, names: [EVIL], texts: [EVIL] }],
    nearNote: EVIL,
    scores: [[EVIL, EVIL, 0]],
  });
  widget.render({ model, el });
  expect(el.querySelector("#evil")).toBeNull();
  expect(el.textContent?.split(EVIL).length).toBeGreaterThan(14);
});

test("says how to come by a sample where there is none, and takes off every listener", () => {
  model.traits.card = { heading: "" };
  const close = widget.render({ model, el });
  expect(el.textContent).toContain("no sample in focus");
  expect(el.textContent).toContain("drag over several");
  expect(el.textContent).toContain("Ctrl and the wheel zoom");
  close();
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
});
