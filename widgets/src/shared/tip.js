// What the pointer rests on: words at once, and then what the kernel knows of the sample.
import { debounced, make } from "./dom.js";

/**
 * @typedef {object} Told what the kernel knows of a sample
 * @property {number} row
 * @property {string} label "" where there is none
 * @property {string} proposal "" where no other label is proposed
 * @property {string} decision "" where nothing is decided
 * @property {string} text
 * @property {[string, string][]} values names and values
 * @property {number} pixels of the picture, a side; 0 where there is none
 */

const ROOM = 12; // pixels between the pointer and what is told
const SHARP = 96; // pixels that a picture is drawn with; a smaller one is enlarged

/**
 * @param {any} view
 * @param {MouseEvent} event
 * @returns {any} the datum of the topmost sample under the pointer, also under the brush, or of a
 *   cell that stands for many
 */
export function datumUnder(view, { clientX, clientY }) {
  const { left, top } = view.container().querySelector("canvas").getBoundingClientRect();
  const [[right, down], padding] = [view.origin(), view.padding()];
  const [x, y] = [clientX - left - padding.left - right, clientY - top - padding.top - down];
  /** @type {any} */
  let found;
  const look = (/** @type {any} */ mark, /** @type {number} */ x, /** @type {number} */ y) => {
    for (const item of mark.items) {
      if (item.items) for (const inner of item.items) look(inner, x - item.x, y - item.y);
      else if (item.datum?.row === undefined && item.datum?.shade === undefined) continue;
      else if (item.bounds.contains(x, y)) found = item.datum;
    }
  };
  look(view.scenegraph().root, x, y);
  return found;
}

/**
 * Tell of what the pointer rests on.
 *
 * @param {HTMLElement} box of the map, which it is placed in
 * @param {(event: MouseEvent) => any} under
 * @param {(row: number) => void} ask the kernel; its answer is for `tell`
 */
export function makeTip(box, under, ask) {
  // Who has no pointer finds the same on the card and in the queue.
  const tip = make("div", "hcat-tip", "", { "aria-hidden": "true" });
  const picture = /** @type {HTMLImageElement} */ (make("img"));
  const words = make("div");
  tip.append(picture, words);
  let row = -1;

  const hide = () => {
    look.cancel();
    row = -1;
    tip.hidden = true;
  };
  const place = (/** @type {MouseEvent} */ { clientX, clientY }) => {
    const frame = box.getBoundingClientRect();
    const [x, y] = [clientX - frame.left, clientY - frame.top];
    // On the side that has more room, so that nothing of it is cut.
    const across =
      x > frame.width / 2 ? `right: ${frame.width - x + ROOM}px` : `left: ${x + ROOM}px`;
    const up = y > frame.height / 2 ? `bottom: ${frame.height - y + ROOM}px` : `top: ${y + ROOM}px`;
    tip.style.cssText = `${across}; ${up}`;
  };
  const look = debounced((/** @type {MouseEvent} */ event) => {
    const datum = under(event);
    if (datum === undefined) return hide();
    place(event);
    if (datum.row !== undefined && datum.row === row) return;
    row = datum.row ?? -1;
    picture.hidden = true;
    const many = `${datum.n?.toLocaleString("en")} samples`;
    words.replaceChildren(make("b", "", row < 0 ? many : `sample ${datum.id}`));
    tip.hidden = false;
    if (row >= 0) ask(row);
  });
  const move = (/** @type {PointerEvent} */ event) => (event.buttons ? hide() : look(event));
  box.addEventListener("pointermove", move);
  for (const name of ["pointerleave", "pointerdown", "wheel"])
    box.addEventListener(name, hide, { passive: true });
  hide();

  return {
    tip,
    hide,
    /** @param {Told} told @param {DataView | undefined} bytes */
    tell(told, bytes) {
      if (told.row !== row) return; // the pointer went on
      URL.revokeObjectURL(picture.src);
      picture.hidden = !bytes;
      if (bytes) {
        picture.src = URL.createObjectURL(new Blob([/** @type {any} */ (bytes)]));
        picture.classList.toggle("hcat-enlarged", told.pixels < SHARP);
      }
      words.append(make("div", "", told.label ? `label ${told.label}` : "no label"));
      if (told.proposal) words.append(make("div", "hcat-doubted", `looks like ${told.proposal}`));
      if (told.decision) words.append(make("div", "hcat-made", told.decision));
      if (told.text) words.append(make("div", "hcat-cut", told.text));
      for (const [name, value] of told.values) {
        const line = make("div", "hcat-cut", value);
        line.prepend(make("span", "hcat-soft", `${name} `));
        words.append(line);
      }
    },
  };
}
