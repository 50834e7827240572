import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/copy_button.js";
import { FakeModel } from "./fake_model.js";

/** @type {HTMLElement} */
let el;
const write = vi.fn();
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const button = () => /** @type {HTMLButtonElement} */ (el.querySelector("button"));
const field = () => /** @type {HTMLTextAreaElement} */ (el.querySelector("textarea"));

beforeEach(() => {
  el = document.createElement("div");
  write.mockReset();
  Object.assign(navigator, { clipboard: { writeText: write } });
});

afterEach(() => {
  Object.assign(navigator, { clipboard: undefined });
});

test("a text is copied, and said to be; without one there is nothing to press", async () => {
  const model = new FakeModel({ words: "Copy", hint: "the line", text: "", asks: false });
  const close = widget.render({ model, el });
  expect(button().disabled).toBe(true);
  model.set("text", "%hcat_train");
  button().click();
  await settle();
  expect(write.mock.calls).toEqual([["%hcat_train"]]);
  expect(el.querySelector("[role=status]")?.textContent).toBe("copied");
  close();
  expect(model.listening).toBe(0);
});

test("the kernel is asked for what only it knows", async () => {
  const model = new FakeModel({ words: "Copy ids", hint: "", text: "", asks: true });
  widget.render({ model, el });
  button().click();
  expect(model.sent).toEqual([{ type: "copy" }]);
  model.emit("msg:custom", { type: "text", text: "[1, 2]" });
  await settle();
  expect(write.mock.calls).toEqual([["[1, 2]"]]);
});

test("where the browser refuses, the text stands there to be copied", async () => {
  Object.assign(navigator, { clipboard: undefined });
  widget.render({ model: new FakeModel({ words: "Copy", text: "words", asks: false }), el });
  expect(field().hidden).toBe(true);
  button().click();
  await settle();
  expect([field().hidden, field().value]).toEqual([false, "words"]);
});
