import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget, { moved, tileWords } from "../src/sample_gallery.js";
import { FakeModel } from "./fake_model.js";

/** @type {FakeModel} */
let model;
/** @type {HTMLElement} */
let el;
/** @type {() => void} */
let close;

const EVIL = "<b id=evil>bold</b>";
const tile = (/** @type {number} */ k, more = {}) => ({
  row: 10 + k,
  id: `s${k}`,
  label: "oak",
  predicted: k % 2 ? "elm" : "oak",
  suggested: k % 2,
  score: "0.5",
  decision: "",
  ...more,
});
const page = (/** @type {object[]} */ tiles, more = {}) => ({
  type: "page",
  kind: "image",
  tiles,
  first: 100,
  total: 5000,
  by: "aum",
  columns: [],
  sprite: { columns: 2, rows: 2, pixels: 28 },
  focus: 0,
  said: "",
  ...more,
});
const png = () => [new DataView(new ArrayBuffer(8))];
const tiles = () => /** @type {HTMLElement[]} */ ([...el.querySelectorAll(".hcat-tile")]);
const show = (/** @type {object} */ message) => model.emit("msg:custom", message, png());
const sent = (/** @type {string} */ type) => model.sent.filter((one) => one.type === type);
const press = (/** @type {string} */ key, more = {}, target = document.activeElement) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target?.dispatchEvent(event);
  return event;
};

beforeEach(() => {
  URL.createObjectURL = vi.fn(() => "blob:sprite");
  URL.revokeObjectURL = vi.fn();
  model = new FakeModel({ classes: ["oak", "elm", EVIL, "elm tree"] });
  el = document.createElement("div");
  document.body.append(el);
  close = widget.render({ model, el });
});

afterEach(() => {
  close();
  el.remove();
});

test("keys lead to neighbours, and over the edge to other pages", () => {
  expect(moved("ArrowRight", 0, 6, 3)).toBe(1);
  expect(moved("ArrowDown", 1, 6, 3)).toBe(4);
  expect(moved("ArrowUp", 4, 6, 3)).toBe(1);
  expect(moved("ArrowUp", 1, 6, 3)).toBe("previous");
  expect(moved("ArrowRight", 5, 6, 3)).toBe("next");
  expect(moved("Home", 4, 6, 3)).toBe(0);
  expect(moved("End", 0, 6, 3)).toBe(5);
  expect(moved("PageDown", 0, 6, 3)).toBe("next");
  expect(moved("PageUp", 0, 6, 3)).toBe("previous");
  expect(moved("m", 0, 6, 3)).toBeNull();
});

test("a tile says what it shows", () => {
  expect(tileWords(tile(0), "aum")).toBe("sample s0, label oak, aum 0.5");
  const other = tile(1, { label: "", text: "a tree", decision: "drop" });
  expect(tileWords(other, "vog")).toBe(
    "sample s1, label none, predicted elm, vog 0.5, a tree, decided: drop",
  );
});

test("asks for its page and shows it as a listbox of one sprite", () => {
  expect(sent("ready")).toHaveLength(1);
  show(page([0, 1, 2].map((k) => tile(k))));
  const list = /** @type {HTMLElement} */ (el.querySelector(".hcat-tiles"));
  expect(list.getAttribute("role")).toBe("listbox");
  expect(list.getAttribute("aria-label")).toBe("101–103 of 5,000 samples, hardest first by aum");
  expect(tiles().map((one) => one.getAttribute("role"))).toEqual(["option", "option", "option"]);
  expect(tiles().map((one) => one.tabIndex)).toEqual([0, -1, -1]);
  const pictures = [.../** @type {any} */ (el.querySelectorAll(".hcat-picture"))];
  expect(pictures.map((one) => one.style.backgroundPosition)).toEqual([
    "0px 0px",
    "-76px 0px",
    "0px -76px",
  ]);
  expect(URL.createObjectURL).toHaveBeenCalledTimes(1);
  expect(tiles()[1].textContent).toContain("oak → elm");
});

test("shows markup in ids, labels, texts and classes as text", () => {
  const evil = { id: EVIL, label: EVIL, predicted: EVIL, text: EVIL, decision: EVIL };
  show(page([tile(0, evil)], { kind: "text", sprite: null, by: EVIL, said: EVIL }));
  show({ ...page([tile(0, { ...evil, cells: [EVIL] })]), kind: "table", columns: [EVIL] });
  tiles()[0].focus();
  press("r");
  expect(document.querySelector("#evil")).toBeNull();
  expect(tiles()[0].textContent).toContain(EVIL);
  expect(el.querySelector(".hcat-choices")?.textContent).toContain(EVIL);
});

test("the focus roves with the arrows and tells the kernel", () => {
  show(page([0, 1, 2].map((k) => tile(k))));
  tiles()[0].focus();
  press("ArrowRight");
  expect(document.activeElement).toBe(tiles()[1]);
  expect(tiles().map((one) => one.tabIndex)).toEqual([-1, 0, -1]);
  press("End");
  expect(sent("focus").map(({ row, place }) => [row, place])).toEqual([
    [10, 0],
    [11, 1],
    [12, 2],
  ]);
  press("ArrowRight");
  press("PageUp");
  expect(sent("turn").map(({ to }) => to)).toEqual(["next", "previous"]);
});

test("rows that wrap are walked by columns", () => {
  show(page([0, 1, 2, 3].map((k) => tile(k))));
  tiles().forEach((one, k) => {
    Object.defineProperty(one, "offsetTop", { value: k < 2 ? 0 : 100 });
  });
  tiles()[1].focus();
  press("ArrowDown");
  expect(document.activeElement).toBe(tiles()[3]);
});

test("letters decide on the tile in focus, or on all that are selected", () => {
  show(page([0, 1, 2].map((k) => tile(k))));
  tiles()[1].focus();
  press("m");
  press(" ");
  press("ArrowRight", { shiftKey: true });
  press("d");
  press("Escape");
  press("k");
  press("a", { ctrlKey: true });
  press("c");
  press("u");
  press("y");
  expect(sent("act").map(({ action, rows }) => [action, rows])).toEqual([
    ["mislabeled", [11]],
    ["drop", [11, 12]],
    ["keep", [12]],
    ["clear", [10, 11, 12]],
  ]);
  expect([sent("undo").length, sent("redo").length]).toEqual([1, 1]);
});

test("no key but Tab and the page's own shortcuts reaches the notebook", () => {
  const heard = vi.fn();
  document.body.addEventListener("keydown", heard);
  show(page([tile(0)]));
  tiles()[0].focus();
  for (const key of ["m", "x", "ArrowDown", "Enter", "b", "r"]) press(key);
  press("d", {}, el.querySelector(".hcat-chooser input"));
  for (const button of el.querySelectorAll("button")) press("Enter", {}, button);
  expect(heard).not.toHaveBeenCalled();
  expect(press("Tab", {}, tiles()[0]).defaultPrevented).toBe(false);
  press("s", { ctrlKey: true }, tiles()[0]);
  expect(heard).toHaveBeenCalledTimes(2);
  document.body.removeEventListener("keydown", heard);
});

test("a notebook that hears keys first is told which are the gallery's", () => {
  const marked = /** @type {boolean[]} */ ([]);
  const first = (/** @type {any} */ event) =>
    marked.push(event.target.hasAttribute("data-lm-suppress-shortcuts"));
  document.addEventListener("keydown", first, true); // as Notebook 7 does
  show(page([tile(0)]));
  press("d", {}, tiles()[0]);
  press("s", { ctrlKey: true }, tiles()[0]);
  press("a", { ctrlKey: true }, tiles()[0]);
  document.removeEventListener("keydown", first, true);
  expect(marked).toEqual([true, false, true]);
});

test("a class is chosen by keyboard, the suggested one first", () => {
  show(page([0, 1].map((k) => tile(k))));
  tiles()[1].focus();
  press("r");
  const input = /** @type {HTMLInputElement} */ (document.activeElement);
  expect(input.getAttribute("role")).toBe("combobox");
  const choices = () =>
    [...el.querySelectorAll(".hcat-choices > div")].map((one) => one.textContent);
  expect(choices()[0]).toBe("elm");
  press("ArrowDown");
  press("ArrowUp");
  press("Enter");
  expect(document.activeElement).toBe(tiles()[1]);

  press("r");
  input.value = "ELM";
  input.dispatchEvent(new Event("input"));
  expect(choices()).toEqual(["elm", "elm tree"]);
  press("ArrowDown");
  expect(input.getAttribute("aria-activedescendant")).toMatch(/-choice-1$/);
  press("Enter");
  expect(sent("act").map(({ rows, code }) => [rows, code])).toEqual([
    [[11], 1],
    [[11], 3],
  ]);
});

test("the chooser can be left, and knows when nothing fits", () => {
  show(page([tile(0)]));
  tiles()[0].focus();
  press("r");
  const input = /** @type {HTMLInputElement} */ (document.activeElement);
  input.value = "beech";
  input.dispatchEvent(new Event("input"));
  press("Enter");
  expect(input.hasAttribute("aria-activedescendant")).toBe(false);
  press("Escape");
  expect(document.activeElement).toBe(tiles()[0]);
  press("r");
  input.blur();
  expect(/** @type {HTMLElement} */ (el.querySelector(".hcat-chooser")).hidden).toBe(true);
  expect(sent("act")).toEqual([]);
});

test("a class is chosen by mouse", () => {
  show(page([tile(0)]));
  tiles()[0].click();
  const relabel = [...el.querySelectorAll("button")].find((one) => /Relabel/.test(one.textContent));
  relabel?.click();
  const choice = el.querySelectorAll(".hcat-choices > div")[1];
  choice.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
  expect(sent("act")).toEqual([{ type: "act", action: "relabel", rows: [10], code: 1 }]);
});

test("marks change words, style and what is read out, and leave the focus", () => {
  show(page([0, 1].map((k) => tile(k))));
  tiles()[1].focus();
  model.emit("msg:custom", { type: "marks", marks: [[11, "relabel → elm"]] });
  model.emit("msg:custom", { type: "say", said: "1 relabelled" });
  expect(document.activeElement).toBe(tiles()[1]);
  expect(tiles()[1].dataset.decision).toBe("relabel");
  expect(tiles()[1].getAttribute("aria-label")).toContain("decided: relabel → elm");
  expect(el.querySelector("[role=status]")?.textContent).toBe("1 relabelled");
  model.emit("msg:custom", { type: "marks", marks: [[11, ""]] });
  expect(tiles()[1].dataset.decision).toBe("");
});

test("a new page keeps the focus in the gallery, and takes it from nobody", () => {
  show(page([0, 1].map((k) => tile(k))));
  show(
    page(
      [2, 3].map((k) => tile(k)),
      { focus: 1 },
    ),
  );
  expect(document.activeElement).toBe(document.body);
  tiles()[0].focus();
  show(
    page(
      [4, 5].map((k) => tile(k)),
      { focus: 1 },
    ),
  );
  expect(document.activeElement).toBe(tiles()[1]);
  expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:sprite");
});

test("an empty page is said and takes keys", () => {
  show(page([], { total: 0, sprite: null }));
  expect(el.querySelector(".hcat-place")?.textContent).toBe("0 samples");
  press("m", {}, el.querySelector(".hcat-tiles"));
  press("r", {}, el.querySelector(".hcat-tiles"));
  expect(sent("act")).toEqual([]);
});

test("takes off every listener", () => {
  show(page([tile(0)]));
  const off = vi.spyOn(window, "removeEventListener");
  close();
  expect(off).toHaveBeenCalledWith("keydown", expect.any(Function), true);
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
});
