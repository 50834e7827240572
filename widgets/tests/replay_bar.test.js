import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/replay_bar.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {() => void} */
let close;

/** @returns {any} */
const find = (/** @type {string} */ selector) => el.querySelector(selector);
const asked = () => model.sent.map(({ epoch }) => epoch);

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel({ epochs: [1, 3, 5], epoch: 5, note: "every 2nd epoch is kept" });
  el = document.createElement("div");
  close = widget.render({ model, el });
});

afterEach(() => {
  vi.useRealTimers();
});

test("stands at the last epoch and says what is kept", () => {
  expect(find("input").value).toBe("2");
  expect(find("output").textContent).toBe("epoch 5 of 5");
  expect(el.textContent).toContain("every 2nd epoch is kept");
  expect(find("input").getAttribute("aria-valuetext")).toBe("epoch 5 of 5");
});

test("a view after a reload stands at the epoch that the map shows", () => {
  model.traits.epoch = 3;
  const again = document.createElement("div");
  widget.render({ model, el: again });
  expect(again.querySelector("input")?.value).toBe("1");
  expect(again.querySelector("output")?.textContent).toBe("epoch 3 of 5");
});

test("is hidden until there are two epochs", () => {
  model.set("epochs", [1]);
  expect(find(".hcat-replay").hidden).toBe(true);
  model.set("epochs", [1, 2]);
  expect(find(".hcat-replay").hidden).toBe(false);
});

test("a dragged slider asks for the newest place only", async () => {
  for (const place of ["1", "0"]) {
    find("input").value = place;
    find("input").dispatchEvent(new Event("input"));
  }
  await vi.advanceTimersByTimeAsync(100);
  expect(asked()).toEqual([1]);
  expect(find("output").textContent).toBe("epoch 1 of 5");
});

test("plays from the first epoch to the last, and stops", async () => {
  find("button").click();
  expect(find("button").getAttribute("aria-label")).toBe("pause the replay");
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked()).toEqual([1, 3, 5]);
  expect(find("button").getAttribute("aria-label")).toBe("replay the epochs");
});

test("a second press pauses", async () => {
  find("button").click();
  await vi.advanceTimersByTimeAsync(100);
  find("button").click();
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked()).toEqual([1]);
});

test("the notebook does not hear its keys", () => {
  const outside = vi.fn();
  el.addEventListener("keydown", outside);
  find("input").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  expect(outside).not.toHaveBeenCalled();
  expect(el.querySelectorAll("[data-lm-suppress-shortcuts]").length).toBe(2);
});

test("takes off every listener", async () => {
  find("button").click();
  close();
  await vi.advanceTimersByTimeAsync(2000);
  expect(model.listening).toBe(0);
  expect(asked()).toEqual([]);
  expect(el.childElementCount).toBe(0);
});
