import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/run_monitor.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;

beforeEach(() => {
  model = new FakeModel({
    share: 0.25,
    line: "epoch 1/4",
    outcome: "running",
    buttons: true,
    hears: true,
    paused: false,
    stopping: false,
    kernel: "k-1",
  });
  el = document.createElement("div");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

/** @param {string} text */
function button(text) {
  return /** @type {HTMLButtonElement} */ (
    [...el.querySelectorAll("button")].find((one) => one.textContent === text)
  );
}

/**
 * A page that a Jupyter server serves.
 *
 * @param {boolean} ok what the server answers
 */
function served(ok) {
  const config = document.createElement("script");
  config.id = "jupyter-config-data";
  config.type = "application/json";
  config.textContent = JSON.stringify({ baseUrl: "/user/me/" });
  document.body.append(config);
  const fetched = vi.fn(async () => ({ ok }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test("shows how far the run is, and follows it", () => {
  widget.render({ model, el });
  expect(el.querySelector("progress")?.value).toBe(0.25);
  model.set("share", 0.5);
  model.set("line", "epoch 2/4");
  model.set("outcome", "stopped");
  expect(el.querySelector("progress")?.value).toBe(0.5);
  expect(el.querySelector(".hcat-line")?.textContent).toBe("epoch 2/4");
  expect(el.querySelector(".hcat-live.hcat-stopped")).not.toBeNull();
});

test("a reader of the screen hears the outcome, not each batch", () => {
  widget.render({ model, el });
  const live = () => el.querySelector("[role=status]")?.getAttribute("aria-live");
  expect(live()).toBe("off");
  model.set("outcome", "finished");
  expect(live()).toBe("polite");
});

test("shows markup as text", () => {
  model.traits.line = "<b id=evil>digits</b>";
  widget.render({ model, el });
  expect(el.querySelector("#evil")).toBeNull();
  expect(el.querySelector(".hcat-line")?.textContent).toBe("<b id=evil>digits</b>");
});

test("shows buttons only while there is a run to obey them", () => {
  model.traits.buttons = false;
  widget.render({ model, el });
  expect(button("Stop").hidden).toBe(true);
  expect(model.sent).toEqual([]);
  model.set("buttons", true);
  expect(button("Stop").hidden).toBe(false);
  expect(model.sent).toEqual([{ type: "ready" }]);
  model.set("outcome", "finished");
  expect(button("Stop").hidden).toBe(true);
  expect(button("Pause").hidden).toBe(true);
});

test("pauses and goes on", () => {
  widget.render({ model, el });
  model.sent.length = 0;
  button("Pause").click();
  model.set("paused", true);
  expect(el.querySelector(".hcat-line")?.textContent).toBe("paused · epoch 1/4");
  button("Resume").click();
  expect(model.sent).toEqual([{ type: "pause" }, { type: "resume" }]);
});

test("a kernel that hears is told by a message alone", async () => {
  vi.useFakeTimers();
  const fetched = served(true);
  widget.render({ model, el });
  button("Stop").click();
  expect(model.sent.at(-1)).toEqual({ type: "stop" });
  expect(button("Stop").disabled).toBe(true);
  model.set("stopping", true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetched).not.toHaveBeenCalled();
});

test("a kernel that does not answer after all is interrupted", async () => {
  vi.useFakeTimers();
  const fetched = served(true);
  widget.render({ model, el });
  button("Stop").click();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetched).toHaveBeenCalledTimes(1);
});

test("a kernel that cannot hear is interrupted by the server, with its cookie", async () => {
  // biome-ignore lint/suspicious/noDocumentCookie: this is how Jupyter hands it over
  document.cookie = "_xsrf=2|abc";
  const fetched = served(true);
  model.traits.hears = false;
  widget.render({ model, el });
  expect(button("Pause").disabled).toBe(true);
  expect(button("Pause").title).not.toBe("");
  button("Stop").click();
  await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(1));
  expect(fetched).toHaveBeenCalledWith("/user/me/api/kernels/k-1/interrupt", {
    method: "POST",
    headers: { "X-XSRFToken": "2|abc" },
  });
});

test.each([
  ["the server refuses", "k-1", true],
  ["the kernel has no id", "", true],
  ["no server serves the page", "k-1", false],
])("says so where %s, and Stop can be pressed again", async (_, kernel, isServed) => {
  if (isServed) served(false);
  model.traits = { ...model.traits, hears: false, kernel };
  widget.render({ model, el });
  button("Stop").click();
  await vi.waitFor(() => expect(el.textContent).toContain("use the kernel's stop button"));
  expect(button("Stop").disabled).toBe(false);
});

test("keys of the buttons do not reach the notebook", () => {
  const heard = vi.fn();
  el.addEventListener("keydown", heard);
  widget.render({ model, el });
  button("Stop").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  expect(heard).not.toHaveBeenCalled();
  expect(el.querySelectorAll("button[data-lm-suppress-shortcuts]").length).toBe(2);
});

test("takes off every listener", () => {
  const close = widget.render({ model, el });
  expect(model.listening).toBeGreaterThan(0);
  close();
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
});
