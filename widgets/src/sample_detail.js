// The evidence card of one sample.  Its Python half is hcat_nb/jupyter/review/sample_detail.py.
import { draw, make } from "./shared/dom.js";

/**
 * @typedef {import("./shared/dom.js").Model} Model
 * @typedef {(number | null)[]} Values a probability after each epoch; null: not seen
 * @typedef {{name: string, role: "given" | "proposed", values: Values}} Curve
 * @typedef {{title: string, names: string[], texts: string[]}} Near neighbours of one label
 *
 * @typedef {object} Card
 * @property {string} heading "" where no sample is in focus
 * @property {boolean} sharp whether the picture is the one on disk
 * @property {string} label given, "" where there is none
 * @property {string} proposal "" where there is none
 * @property {string} sentence
 * @property {string} text
 * @property {[string, string][]} facts
 * @property {[string, string, string][]} odd column, value, how odd it is
 * @property {[string, string][]} values of a table's row
 * @property {Curve[]} curves
 * @property {string} note where curves are missing
 * @property {Near[]} near
 * @property {string} nearNote where neighbours are missing
 * @property {[string, string, number | null][]} scores name, value, share that is easier
 */

const WIDTH = 420;
const HEIGHT = 96;
const LEFT = 24;
const RIGHT = 92; // the curves' names stand there
const BOTTOM = 14;
const NEAR_PIXELS = 40;
const HINTS = [
  "Click a dot, or drag over several: the queue shows them.",
  "In the queue one key decides and moves on; Shift with arrows or Ctrl with a click takes several.",
  "Ctrl and the wheel zoom the map, Shift and a drag move it, a double click goes back.",
];
const EVENTS = ["card", "picture", "small", "near"].map((name) => `change:${name}`);

/**
 * Say curves in words.
 *
 * @param {Curve[]} curves
 */
export function curveWords(curves) {
  const words = curves.map(({ name, values }) => {
    const said = values.map((value) => (value === null ? "not seen" : value.toFixed(2)));
    return `${name}: ${said.join(", ")}`;
  });
  return `probability after each epoch; ${words.join("; ")}`;
}

/**
 * Draw the probabilities of the given and the proposed label; a gap where a sample was not seen.
 *
 * @param {Curve[]} curves
 */
function drawCurves(curves) {
  const words = curveWords(curves);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  svg.append(draw("title", {}, words));
  const last = curves[0].values.length - 1;
  const step = (WIDTH - LEFT - RIGHT) / Math.max(last, 1);
  const x = (/** @type {number} */ k) => LEFT + k * step;
  const y = (/** @type {number} */ value) => 6 + (1 - value) * (HEIGHT - BOTTOM - 10);
  for (const value of [0, 0.5, 1]) {
    const [x1, x2] = [LEFT, WIDTH - RIGHT];
    svg.append(
      draw("line", { x1, x2, y1: y(value), y2: y(value), class: "hcat-rule" }),
      draw("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, `${value}`),
    );
  }
  svg.append(draw("text", { x: x(0), y: HEIGHT - 1 }, "epoch 1"));
  if (last > 0)
    svg.append(draw("text", { x: x(last), y: HEIGHT - 1, "text-anchor": "end" }, `${last + 1}`));
  const ends = curves.map(({ values }) =>
    y([...values].reverse().find((value) => value !== null) ?? 0),
  );
  if (ends.length > 1 && Math.abs(ends[0] - ends[1]) < 13) {
    const middle = Math.min(Math.max((ends[0] + ends[1]) / 2, 13), HEIGHT - BOTTOM - 8);
    const up = ends[0] <= ends[1] ? -6.5 : 6.5;
    [ends[0], ends[1]] = [middle + up, middle - up];
  }
  curves.forEach(({ name, role, values }, n) => {
    let path = "";
    values.forEach((value, k) => {
      if (value === null) return;
      path += `${k > 0 && values[k - 1] !== null ? "L" : "M"}${x(k)} ${y(value)}`;
      const r = values.length > 40 ? 1 : 2;
      svg.append(draw("circle", { cx: x(k), cy: y(value), r, class: `hcat-${role}` }));
    });
    svg.append(draw("path", { d: path, class: `hcat-${role}` }));
    const at = { x: WIDTH - RIGHT + 6, y: ends[n] + 4, class: `hcat-${role}` };
    svg.append(draw("text", at, name.length > 14 ? `${name.slice(0, 13)}…` : name));
  });
  return svg;
}

/** @param {HTMLElement[][]} rows */
function table(rows) {
  const body = make("table");
  for (const cells of rows) {
    const row = make("tr");
    row.append(...cells);
    body.append(row);
  }
  return body;
}

const rowName = (/** @type {string} */ words) => make("th", "", words, { scope: "row" });

/** @param {number | null} share */
function meter(share) {
  const cell = make("td");
  if (share === null) return cell;
  const words = `harder than ${Math.round(100 * share)} % of the samples`;
  const bar = make("span", "hcat-meter", "", { role: "img", "aria-label": words, title: words });
  bar.style.setProperty("--hcat-share", `${100 * share}%`);
  cell.append(bar);
  return cell;
}

/**
 * Draw the card and follow the model.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const names = { role: "region", "aria-label": "sample in focus" };
  const root = make("div", "hcat-view hcat-detail", "", names);
  el.append(root);
  /** @type {string[]} */
  let addresses = [];
  let waiting = false;
  let closed = false;
  const unfolded = /** @type {Set<string>} */ (new Set()); // of sample after sample

  const address = (/** @type {string} */ trait) => {
    const bytes = model.get(trait);
    if (!bytes?.byteLength) return "";
    addresses.push(URL.createObjectURL(new Blob([bytes], { type: "image/png" })));
    return addresses[addresses.length - 1];
  };

  const drawHead = (/** @type {Card} */ card) => {
    const head = make("div", "hcat-evidence");
    const picture = address("picture");
    if (picture) {
      const frame = make("div", "hcat-pictures");
      const look = card.sharp ? "hcat-whole" : "hcat-whole hcat-enlarged";
      const image = make("img", look, "", { src: picture, alt: card.heading });
      frame.append(image);
      const small = address("small");
      if (small) {
        const alt = "as the network saw it";
        frame.append(make("img", "hcat-small hcat-enlarged", "", { src: small, alt, title: alt }));
      }
      head.append(frame);
    }
    const words = make("div", "hcat-verdict");
    const line = make("p", "hcat-title", card.label ? `Labelled ${card.label}` : "No label");
    if (card.proposal) line.append(", ", make("em", "", `looks like ${card.proposal}`));
    words.append(line, make("p", "hcat-sentence", card.sentence));
    words.append(table(card.facts.map(([key, value]) => [rowName(key), make("td", "", value)])));
    head.append(words);
    return head;
  };

  const fold = (
    /** @type {string} */ name,
    /** @type {string} */ title,
    /** @type {HTMLElement[][]} */ rows,
  ) => {
    const box = /** @type {HTMLDetailsElement} */ (make("details", "hcat-fold"));
    box.open = unfolded.has(name);
    box.addEventListener("toggle", () => {
      if (box.open) unfolded.add(name);
      else unfolded.delete(name);
    });
    box.addEventListener("keydown", (event) => event.stopPropagation());
    box.append(make("summary", "", title), table(rows));
    return box;
  };

  const drawNear = (/** @type {Card} */ card) => {
    const box = make("div", "hcat-near");
    const sprite = address("near");
    const total = card.near.reduce((sum, { names }) => sum + names.length, 0);
    let k = 0;
    for (const { title, names, texts } of card.near) {
      const part = make("section");
      part.append(make("h4", "", title));
      const row = make("div", sprite ? "hcat-strip" : "");
      names.forEach((name, n) => {
        const one = make("div", sprite ? "hcat-mini" : "hcat-line", sprite ? "" : texts[n], {
          title: `sample ${name}`,
        });
        if (sprite) {
          one.setAttribute("role", "img");
          one.setAttribute("aria-label", `sample ${name}`);
          one.style.backgroundImage = `url(${sprite})`;
          one.style.backgroundSize = `${NEAR_PIXELS * total}px ${NEAR_PIXELS}px`;
          one.style.backgroundPosition = `-${NEAR_PIXELS * k++}px 0`;
        }
        row.append(one);
      });
      part.append(row);
      box.append(part);
    }
    if (card.nearNote) box.append(make("p", "hcat-hint", card.nearNote));
    return box;
  };

  const update = () => {
    waiting = false;
    if (closed) return;
    for (const one of addresses) URL.revokeObjectURL(one);
    addresses = [];
    const card = /** @type {Card} */ (model.get("card"));
    if (!card.heading) {
      root.replaceChildren(make("p", "hcat-title", "no sample in focus"));
      for (const words of HINTS) root.append(make("p", "hcat-hint", words));
      return;
    }
    root.replaceChildren(drawHead(card));
    if (card.text) root.append(make("div", "hcat-words", card.text));
    if (card.odd.length) {
      const odd = make("div", "hcat-odd");
      odd.append(make("h4", "", `values that are oddest for ${card.label || "the data"}`));
      const cells = (/** @type {string[]} */ [name, value, odd]) => [
        rowName(name),
        make("td", "hcat-value", value),
        make("td", "hcat-hint", odd),
      ];
      odd.append(table(card.odd.map(cells)));
      root.append(odd);
    }
    const curve = make("div", "hcat-curve");
    if (card.curves.length) {
      curve.append(make("h4", "", "probability after each epoch"), drawCurves(card.curves));
    }
    if (card.note) curve.append(make("p", "hcat-hint", card.note));
    root.append(curve);
    if (card.near.length || card.nearNote) root.append(drawNear(card));
    const rows = card.scores.map(([key, value, share]) => [
      rowName(key),
      make("td", "", value),
      meter(share),
    ]);
    root.append(fold("scores", "scores, and where in the ranking (right: hardest)", rows));
    const values = card.values.map(([key, value]) => [rowName(key), make("td", "", value)]);
    if (values.length) root.append(fold("values", "all values of the row", values));
  };
  // Traits that change together are drawn once.
  const schedule = () => {
    if (!waiting) queueMicrotask(update);
    waiting = true;
  };
  for (const event of EVENTS) model.on(event, schedule);
  update();

  return () => {
    closed = true;
    for (const event of EVENTS) model.off(event, schedule);
    for (const one of addresses) URL.revokeObjectURL(one);
    root.remove();
  };
}

export default { render };
