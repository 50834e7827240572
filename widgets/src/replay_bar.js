// The slider that goes back through the epochs of a run.  Its Python half is
// hcat_nb/jupyter/replay_bar.py, which makes the frames that are asked for.
import { make, makeButton } from "./shared/dom.js";

/** @typedef {import("./shared/dom.js").Model} Model */

const ASK_MS = 60; // a dragged slider asks this often at most
const PLAY_MS = 250; // a replayed epoch stays this long at least

/**
 * Draw the slider.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const group = { role: "group", "aria-label": "replay of the epochs" };
  const bar = make("div", "hcat-view hcat-replay", "", group);
  const play = makeButton("", () => toggle());
  const slider = /** @type {HTMLInputElement} */ (make("input"));
  const where = make("output", "", "", { "aria-live": "off" }); // the slider says it
  const note = make("span", "hcat-note");
  slider.type = "range";
  slider.min = "0";
  slider.setAttribute("aria-label", "epoch");
  bar.append(play, slider, where, note);
  el.append(bar);

  let asking = 0;
  let playing = 0;
  /** @returns {number[]} */
  const epochs = () => model.get("epochs");
  const last = () => epochs().length - 1;

  const name = () => {
    const words = `epoch ${epochs()[Number(slider.value)]} of ${epochs()[last()]}`;
    where.textContent = words;
    slider.setAttribute("aria-valuetext", words);
  };
  const mark = (/** @type {boolean} */ on) => {
    play.textContent = on ? "❚❚" : "▶";
    play.setAttribute("aria-label", on ? "pause the replay" : "replay the epochs");
  };
  const ask = () => {
    name();
    if (asking) return;
    asking = window.setTimeout(() => {
      asking = 0;
      model.send({ type: "epoch", epoch: epochs()[Number(slider.value)] });
    }, ASK_MS);
  };
  const stop = () => {
    window.clearTimeout(playing);
    playing = 0;
    mark(false);
  };
  const step = () => {
    const at = Number(slider.value);
    if (at === last()) return stop();
    slider.value = String(at + 1);
    ask();
    playing = window.setTimeout(step, PLAY_MS);
  };
  const toggle = () => {
    if (playing) return stop();
    mark(true);
    if (Number(slider.value) === last()) slider.value = "-1"; // clamped to the first
    ask();
    playing = window.setTimeout(step, PLAY_MS);
  };
  const offer = () => {
    stop();
    bar.hidden = epochs().length < 2;
    note.textContent = model.get("note");
    if (bar.hidden) return;
    slider.max = String(last());
    slider.value = String(epochs().indexOf(model.get("epoch")));
    name();
  };

  slider.addEventListener("input", () => {
    stop();
    ask();
  });
  // The notebook has shortcuts of its own for the keys that move a slider.
  bar.addEventListener("keydown", (event) => event.stopPropagation());
  // Notebook 7 hears keys before they do.
  slider.dataset.lmSuppressShortcuts = "true";
  const events = ["change:epochs", "change:note"];
  for (const event of events) model.on(event, offer);
  offer();

  return () => {
    stop();
    window.clearTimeout(asking);
    for (const event of events) model.off(event, offer);
    bar.remove();
  };
}

export default { render };
