import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeTip } from "../src/shared/tip.js";

const told = {
  row: 7,
  label: "oak",
  proposal: "elm",
  decision: "drop",
  text: "",
  values: [],
  pixels: 8,
};
/** @type {HTMLElement} */
let box;
/** @type {any} */
let under;
const ask = vi.fn();
const move = async (/** @type {Record<string, number>} */ at = {}) => {
  box.dispatchEvent(Object.assign(new Event("pointermove"), { clientX: 5, clientY: 5, ...at }));
  await vi.advanceTimersByTimeAsync(100);
};

beforeEach(() => {
  vi.useFakeTimers();
  URL.createObjectURL = () => "blob:made";
  URL.revokeObjectURL = () => {};
  ask.mockClear();
  box = document.createElement("div");
  under = { row: 7, id: "<b>s7</b>" };
});

afterEach(() => {
  vi.useRealTimers();
});

test("what is drawn is told at once, what the kernel knows when it answers", async () => {
  const made = makeTip(box, () => under, ask);
  expect(made.tip.hidden).toBe(true);
  await move();
  expect(made.tip.hidden).toBe(false);
  expect(made.tip.textContent).toBe("sample <b>s7</b>");
  await move(); // the same sample is asked for once
  expect(ask.mock.calls).toEqual([[7]]);
  made.tell({ ...told, row: 3, text: "late" }, undefined);
  expect(made.tip.textContent).not.toContain("late");
  made.tell({ ...told, values: [["aum", "2.5"]] }, new DataView(new ArrayBuffer(1)));
  expect(made.tip.textContent).toBe("sample <b>s7</b>label oaklooks like elmdropaum 2.5");
  const picture = /** @type {HTMLImageElement} */ (made.tip.querySelector("img"));
  expect([picture.hidden, picture.className]).toEqual([false, "hcat-enlarged"]);
});

test("it goes where nothing is under the pointer, when a drag begins, and when it leaves", async () => {
  const made = makeTip(box, () => under, ask);
  for (const gone of [
    () => move({ buttons: 1 }),
    async () => box.dispatchEvent(new Event("pointerleave")),
    () => {
      under = undefined;
      return move();
    },
  ]) {
    await move();
    expect(made.tip.hidden).toBe(false);
    await gone();
    expect(made.tip.hidden).toBe(true);
  }
});

test("a cell of many samples says how many, and asks for nothing", async () => {
  under = { shade: 9, n: 1234 };
  const made = makeTip(box, () => under, ask);
  await move();
  expect(made.tip.textContent).toBe("1,234 samples");
  expect(ask).not.toHaveBeenCalled();
});
