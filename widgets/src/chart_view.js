/**
 * One chart that is replaced as a whole: for panels whose charts change by a click.
 *
 * A chart arrives as a message, not as a trait, so that a saved notebook holds
 * none.  The charts that move every epoch are the live map's.
 *
 * @typedef {{type: "chart", seq: number, spec: Record<string, any>}} Chart
 */
import { INK, onTheme, pageTheme } from "./shared/dom.js";

/** @typedef {import("./shared/dom.js").Model} Model */

const LEAST = 96; // pixels across
const BELOW = { orient: "bottom", titleOrient: "left" }; // beside the chart it would be cut off

/**
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "hcat-chart";
  box.setAttribute("role", "img");
  el.append(box);

  /** @type {any} */
  let embedded = null;
  let closed = false;
  let busy = false;
  /** @type {Chart | null} */
  let pending = null;

  const fail = (/** @type {unknown} */ error) => {
    const words = document.createElement("div");
    words.className = "hcat-error";
    words.textContent = `The chart cannot be drawn: ${error}`;
    box.replaceChildren(words);
  };

  const paintInk = () => {
    embedded?.view.signal("ink", INK[pageTheme()]).runAsync();
  };

  let wide = 0; // as the chart was made
  /** Make a chart narrower that is wider than the row that it stands in. */
  const narrow = () => {
    const canvas = box.querySelector("canvas");
    const room = el.parentElement?.clientWidth;
    if (!embedded || !canvas || !room) return;
    const { view } = embedded;
    const width = Math.max(LEAST, Math.min(wide, room - (canvas.clientWidth - view.width())));
    if (width !== view.width()) view.width(width).runAsync();
  };

  const draw = async () => {
    busy = true;
    while (pending && !closed) {
      const { spec, seq } = pending; // of charts that came meanwhile, the newest
      pending = null;
      embedded?.finalize();
      embedded = null;
      box.replaceChildren();
      const place = document.createElement("div");
      box.append(place);
      box.setAttribute("aria-label", spec.description ?? "chart");
      try {
        const page = /** @type {any} */ (globalThis);
        // As Vega makes its expressions.
        if (!page.hcatVegaEmbed) new Function(model.get("_vega"))();
        const legend = { ...spec.config?.legend, ...BELOW };
        const chart = { ...spec, config: { ...spec.config, legend } };
        const result = await page.hcatVegaEmbed(place, chart, {
          renderer: "canvas",
          actions: false,
        });
        if (closed) {
          result.finalize();
        } else {
          embedded = result;
          wide = result.view.width();
          paintInk();
          narrow();
          box.dataset.seq = String(seq);
        }
      } catch (error) {
        fail(error);
      }
    }
    busy = false;
  };

  const hear = (/** @type {Chart} */ content) => {
    if (content.type !== "chart") return;
    pending = content;
    if (!busy) draw();
  };

  const unpaint = onTheme(paintInk);
  const sizes = "ResizeObserver" in globalThis ? new ResizeObserver(narrow) : null;
  if (el.parentElement) sizes?.observe(el.parentElement);
  model.on("msg:custom", hear);
  model.send({ type: "ready" });

  return () => {
    closed = true;
    unpaint();
    sizes?.disconnect();
    model.off("msg:custom", hear);
    embedded?.finalize();
    box.remove();
  };
}

export default { render };
