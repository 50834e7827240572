import { beforeEach, expect, test } from "vitest";
import widget from "../src/run_monitor.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;

beforeEach(() => {
  model = new FakeModel({ share: 0.25, line: "epoch 1/4", outcome: "running" });
  el = document.createElement("div");
});

test("shows how far the run is, and follows it", () => {
  widget.render({ model, el });
  expect(el.querySelector("progress").value).toBe(0.25);
  model.set("share", 0.5);
  model.set("line", "epoch 2/4");
  model.set("outcome", "stopped");
  expect(el.querySelector("progress").value).toBe(0.5);
  expect(el.textContent).toBe("epoch 2/4");
  expect(el.querySelector(".hcat-live.hcat-stopped")).not.toBeNull();
});

test("shows markup as text", () => {
  model.traits.line = "<b id=evil>digits</b>";
  widget.render({ model, el });
  expect(el.querySelector("#evil")).toBeNull();
  expect(el.textContent).toBe("<b id=evil>digits</b>");
});

test("takes off every listener", () => {
  const close = widget.render({ model, el });
  expect(model.listening).toBeGreaterThan(0);
  close();
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
});
