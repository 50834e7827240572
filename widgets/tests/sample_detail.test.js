import { beforeEach, expect, test, vi } from "vitest";
import widget, { trajectoryWords } from "../src/sample_detail.js";
import { FakeModel } from "./fake_model.js";

const EVIL = "<b id=evil>bold</b>";
/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;

beforeEach(() => {
  URL.createObjectURL = vi.fn(() => "blob:picture");
  URL.revokeObjectURL = vi.fn();
  model = new FakeModel({
    heading: "sample s1",
    text: "",
    facts: [["label", "oak"]],
    scores: [
      ["aum", "0.5", 0.98],
      ["vog", "n/a", null],
    ],
    trajectory: [0.1, 0.5, null, 0.9],
    note: "",
    picture: new DataView(new ArrayBuffer(0)),
  });
  el = document.createElement("div");
});

test("says facts, scores with their rank, and the trajectory", () => {
  widget.render({ model, el });
  expect(el.textContent).toContain("labeloak");
  expect(el.querySelectorAll("meter")).toHaveLength(1);
  expect(el.querySelector("meter")?.getAttribute("value")).toBe("0.98");
  expect(el.querySelector("meter")?.title).toBe("harder than 98 % of the samples");
  expect(el.querySelectorAll("circle")).toHaveLength(3);
  expect(el.querySelector("svg")?.getAttribute("aria-label")).toBe(
    "probability of the label after each epoch: 0.10, 0.50, not seen, 0.90",
  );
});

test("a trajectory has a gap where the sample was not seen", () => {
  widget.render({ model, el });
  const path = /** @type {string} */ (el.querySelector("path")?.getAttribute("d"));
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/L/g)).toHaveLength(1);
  expect(trajectoryWords([])).toBe("probability of the label after each epoch: ");
});

test("one epoch is a point", () => {
  model.traits.trajectory = [0.5];
  widget.render({ model, el });
  expect(el.querySelectorAll("circle")).toHaveLength(1);
});

test("says how to get a trajectory that there is not", () => {
  model.traits.trajectory = [];
  model.traits.note = "train with keep_dynamics";
  widget.render({ model, el });
  expect(el.querySelector("svg")).toBeNull();
  expect(el.textContent).toContain("train with keep_dynamics");
});

test("changes that come together are drawn once", async () => {
  widget.render({ model, el });
  model.set("picture", new DataView(new ArrayBuffer(4)));
  model.set("heading", "sample s2");
  expect(URL.createObjectURL).not.toHaveBeenCalled();
  await Promise.resolve();
  expect(el.querySelector("img")?.alt).toBe("sample s2");
  expect(URL.createObjectURL).toHaveBeenCalledTimes(1);
});

test("shows markup as text", () => {
  Object.assign(model.traits, {
    heading: EVIL,
    text: EVIL,
    facts: [[EVIL, EVIL]],
    scores: [[EVIL, EVIL, 0]],
    trajectory: [],
    note: EVIL,
  });
  widget.render({ model, el });
  expect(el.querySelector("#evil")).toBeNull();
  expect(el.textContent?.split(EVIL)).toHaveLength(8);
});

test("says that there is no sample, and takes off every listener", () => {
  model.traits.heading = "";
  const close = widget.render({ model, el });
  expect(el.textContent).toBe("no sample in focus");
  close();
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
});
