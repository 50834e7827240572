// All that is known of one sample.  Its Python half is hcat_nb/jupyter/sample_detail.py.

/**
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(event: string, handler: () => void) => void} on
 * @property {(event: string, handler: () => void) => void} off
 */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 250;
const HEIGHT = 90;
const LEFT = 24;
const BOTTOM = 14;
const TRAITS = ["heading", "text", "facts", "scores", "trajectory", "note", "picture"];

/**
 * Make an element; `text` is shown as text, whatever it holds.
 *
 * @param {string} tag
 * @param {string} [name]
 * @param {string} [text]
 */
function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function draw(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.textContent = text;
  return element;
}

/**
 * Say a trajectory in words.
 *
 * @param {(number | null)[]} values
 */
export function trajectoryWords(values) {
  const words = values.map((value) => (value === null ? "not seen" : value.toFixed(2)));
  return `probability of the label after each epoch: ${words.join(", ")}`;
}

/**
 * Draw the label's probability over the epochs; a gap where the sample was not seen.
 *
 * @param {(number | null)[]} values
 */
function drawTrajectory(values) {
  const words = trajectoryWords(values);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  svg.append(draw("title", {}, words));
  const step = (WIDTH - LEFT - 8) / Math.max(values.length - 1, 1);
  const x = (/** @type {number} */ k) => LEFT + k * step;
  const y = (/** @type {number} */ value) => 6 + (1 - value) * (HEIGHT - BOTTOM - 10);
  for (const value of [0, 0.5, 1]) {
    svg.append(
      draw("line", { x1: LEFT, x2: WIDTH - 8, y1: y(value), y2: y(value), class: "hcat-rule" }),
      draw("text", { x: LEFT - 4, y: y(value) + 3, "text-anchor": "end" }, `${value}`),
    );
  }
  const last = values.length - 1;
  svg.append(draw("text", { x: x(0), y: HEIGHT - 2 }, "epoch 1"));
  if (last > 0) {
    svg.append(draw("text", { x: x(last), y: HEIGHT - 2, "text-anchor": "end" }, `${last + 1}`));
  }
  let path = "";
  values.forEach((value, k) => {
    if (value === null) return;
    path += `${k > 0 && values[k - 1] !== null ? "L" : "M"}${x(k)} ${y(value)}`;
    svg.append(draw("circle", { cx: x(k), cy: y(value), r: values.length > 40 ? 1 : 2 }));
  });
  svg.append(draw("path", { d: path }));
  return svg;
}

/**
 * Draw the sample and follow the model.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const root = make("div", "hcat-detail");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", "sample in focus");
  el.append(root);
  let address = "";
  let waiting = false;
  let closed = false;

  const table = (/** @type {HTMLElement[][]} */ rows) => {
    const body = make("table");
    for (const cells of rows) {
      const row = make("tr");
      row.append(...cells);
      body.append(row);
    }
    return body;
  };
  const name = (/** @type {string} */ words) => {
    const cell = make("th", "", words);
    cell.setAttribute("scope", "row");
    return cell;
  };
  const bar = (/** @type {number | null} */ share) => {
    const cell = make("td");
    if (share === null) return cell;
    const meter = make("meter");
    meter.setAttribute("value", String(share));
    meter.setAttribute("aria-label", `harder than ${Math.round(100 * share)} % of the samples`);
    meter.title = `harder than ${Math.round(100 * share)} % of the samples`;
    cell.append(meter);
    return cell;
  };

  const update = () => {
    waiting = false;
    if (closed) return;
    URL.revokeObjectURL(address);
    const heading = model.get("heading");
    root.replaceChildren(make("div", "hcat-title", heading || "no sample in focus"));
    if (!heading) return;
    const picture = model.get("picture");
    if (picture?.byteLength) {
      address = URL.createObjectURL(new Blob([picture], { type: "image/png" }));
      const image = /** @type {HTMLImageElement} */ (make("img"));
      image.src = address;
      image.alt = heading;
      root.append(image);
    }
    if (model.get("text")) root.append(make("div", "hcat-words", model.get("text")));
    const facts = /** @type {[string, string][]} */ (model.get("facts"));
    root.append(table(facts.map(([key, value]) => [name(key), make("td", "", value)])));
    const trajectory = model.get("trajectory");
    root.append(make("div", "hcat-title", "probability of the label"));
    root.append(
      trajectory.length ? drawTrajectory(trajectory) : make("div", "", model.get("note")),
    );
    const scores = /** @type {[string, string, number | null][]} */ (model.get("scores"));
    root.append(make("div", "hcat-title", "scores, and where in the ranking (right: hardest)"));
    root.append(
      table(scores.map(([key, value, share]) => [name(key), make("td", "", value), bar(share)])),
    );
  };
  // Traits that change together are drawn once.
  const schedule = () => {
    if (!waiting) queueMicrotask(update);
    waiting = true;
  };
  for (const trait of TRAITS) model.on(`change:${trait}`, schedule);
  update();

  return () => {
    closed = true;
    for (const trait of TRAITS) model.off(`change:${trait}`, schedule);
    URL.revokeObjectURL(address);
    root.remove();
  };
}

export default { render };
