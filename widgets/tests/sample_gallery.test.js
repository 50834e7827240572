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
  suggested: k % 2 ? 1 : -1,
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
  vi.useFakeTimers();
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
  vi.useRealTimers();
});

test("one key accepts what is proposed and moves on, past what is decided", () => {
  const decided = tile(2, { decision: "keep" });
  show(page([tile(1), decided, tile(3), tile(4)], { total: 4, first: 0 }));
  tiles()[0].focus();
  const accept = () => el.querySelector(".hcat-bar button")?.firstChild?.textContent;
  expect(accept()).toBe("Accept: elm");
  press("a");
  press("a"); // before the kernel has answered
  expect(sent("act").map(({ action, rows }) => [action, rows])).toEqual([
    ["accept", [11]],
    ["accept", [13]],
  ]);
  expect(document.activeElement).toBe(tiles()[3]);
  expect(accept()).toBe("Accept");
  press("a"); // nothing is proposed: it is said, and nothing is sent
  expect(sent("act")).toHaveLength(2);
  expect(el.querySelector(".hcat-said")?.textContent).toContain("no label is proposed here");
  expect(document.activeElement).toBe(tiles()[3]);
});

test("from the last open tile it goes on to the first open one of the next page", () => {
  show(page([tile(1)], { total: 3, first: 0 }));
  tiles()[0].focus();
  press("k");
  expect(sent("turn")).toEqual([{ type: "turn", to: "next" }]);
  show(page([tile(5, { decision: "drop" }), tile(6)], { total: 3, first: 1 }));
  expect(document.activeElement).toBe(tiles()[1]);
});

test("a page that is redrawn leaves the walk at its sample", () => {
  show(page([1, 2, 3].map((k) => tile(k))));
  tiles()[2].focus();
  show(
    page(
      [2, 3].map((k) => tile(k)),
      { stay: true, focus: 0 },
    ),
  );
  expect(document.activeElement).toBe(tiles()[1]);
});

test("what a person selected can be accepted as a whole, and a selection by one key", () => {
  const all = () =>
    /** @type {HTMLButtonElement} */ (
      [...el.querySelectorAll("button")].find((one) => /each one's/.test(one.textContent ?? ""))
    );
  show(page([tile(1), tile(2)]));
  expect(all().hidden).toBe(true);
  show(page([tile(1), tile(2)], { brushed: true, total: 28 }));
  expect(all().textContent).toBe("Accept each one's proposal (28)");
  all().click();
  expect(sent("accept_shown")).toHaveLength(1);
  press("a", { ctrlKey: true }, tiles()[0]);
  expect(el.querySelector(".hcat-bar button")?.firstChild?.textContent).toBe("Accept 2 proposals");
  press("a", {}, tiles()[0]);
  expect(sent("act")[0].rows).toEqual([11, 12]);
});

test("a button pressed by keyboard keeps the focus, and one that is clicked gives it back", () => {
  show(page([1, 3, 5].map((k) => tile(k))));
  const keep = /** @type {HTMLElement} */ (el.querySelectorAll(".hcat-bar button")[1]);
  keep.focus();
  keep.dispatchEvent(new MouseEvent("click", { detail: 0 }));
  expect(document.activeElement).toBe(keep);
  vi.advanceTimersByTime(100);
  expect(sent("focus").at(-1)).toMatchObject({ row: 13 }); // the card moves on all the same
  keep.dispatchEvent(new MouseEvent("click", { detail: 1 }));
  expect(document.activeElement).toBe(tiles()[2]);
});

test("a tile says in a word what was decided", () => {
  show(page([1, 3, 5, 7, 9].map((k) => tile(k))));
  const said = ["relabel → elm", "relabel → elm tree", "keep", "drop", "mislabeled"];
  const marks = said.map((words, k) => [11 + 2 * k, words]);
  model.emit("msg:custom", { type: "marks", marks });
  const badges = tiles().map((one) => one.querySelector(".hcat-badge")?.textContent);
  expect(badges).toEqual(["accepted", "→ elm tree", "kept", "dropped", "wrong"]);
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
  expect(tileWords(tile(0), "aum", "")).toBe("sample s0, label oak, aum 0.5");
  const other = tile(1, { label: "", text: "a tree", decision: "drop" });
  expect(tileWords(other, "vog", "elm")).toBe(
    "sample s1, label none, proposed elm, vog 0.5, a tree, decided: drop",
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
    "-96px 0px",
    "0px -96px",
  ]);
  expect(URL.createObjectURL).toHaveBeenCalledTimes(1);
  expect(tiles()[1].textContent).toContain("oak → elm");
});

test("shows markup in ids, labels, texts and classes as text", () => {
  const evil = { id: EVIL, label: "oak", suggested: 2, text: EVIL, decision: EVIL };
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
  vi.advanceTimersByTime(100); // of a walk, where it rests is told
  expect(sent("focus").map(({ row, place }) => [row, place])).toEqual([[12, 2]]);
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
  press("m"); // and it moves on to the next
  expect(document.activeElement).toBe(tiles()[2]);
  press("ArrowLeft", { shiftKey: true });
  press("d");
  press("Home");
  press(" ");
  press("Escape");
  press("k");
  press("a", { ctrlKey: true });
  press("c");
  press("u");
  press("y");
  expect(sent("act").map(({ action, rows }) => [action, rows])).toEqual([
    ["mislabeled", [11]],
    ["drop", [11, 12]],
    ["keep", [10]],
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
  expect(document.activeElement).toBe(tiles()[1]); // the last one of the page

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
  const relabel = [...el.querySelectorAll("button")].find((one) =>
    /Other label/.test(one.textContent),
  );
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
