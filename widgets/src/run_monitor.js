// The progress of a run, with Pause and Stop.  Its Python half is hcat_nb/jupyter/run_monitor.py.
import { make, makeButton } from "./shared/dom.js";

/** @typedef {import("./shared/dom.js").Model} Model */

const UNHEARD_MS = 1500; // a batch may hold the kernel's lock, but rarely that long
const DEAF = "This kernel cannot hear Pause while its cell runs";
const LOST = "not sent: use the kernel's stop button";

/**
 * Ask the Jupyter server that serves this page to interrupt a kernel.
 *
 * @param {string} kernel its id
 * @returns {Promise<boolean>} whether the server did; false where none serves the page
 */
async function interrupt(kernel) {
  const config = document.getElementById("jupyter-config-data");
  if (!kernel || !config?.textContent) return false;
  const { baseUrl = "/", token = "" } = JSON.parse(config.textContent);
  const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  /** @type {Record<string, string>} */
  const headers = {};
  if (xsrf) headers["X-XSRFToken"] = xsrf;
  if (token) headers.Authorization = `token ${token}`;
  try {
    const url = `${baseUrl}api/kernels/${encodeURIComponent(kernel)}/interrupt`;
    return (await fetch(url, { method: "POST", headers })).ok;
  } catch {
    return false; // no server answers: the caller says so
  }
}

/**
 * Draw bar and buttons and keep them up to date.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const words = { "aria-label": "progress of the run" };
  const bar = /** @type {HTMLProgressElement} */ (make("progress", "", "", words));
  bar.max = 1;
  const line = make("span", "hcat-line", "", { role: "status" });
  const note = make("span", "", "", { role: "alert" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const byServer = async () => {
    if (model.get("outcome") !== "running" || model.get("stopping")) return;
    if (await interrupt(model.get("kernel"))) return;
    note.textContent = LOST;
    stop.disabled = false;
  };
  const pause = makeButton("Pause", () => {
    model.send({ type: model.get("paused") ? "resume" : "pause" });
  });
  const stop = makeButton("Stop", () => {
    stop.disabled = true;
    note.textContent = "";
    model.send({ type: "stop" });
    if (model.get("hears")) timer = setTimeout(byServer, UNHEARD_MS);
    else byServer();
  });
  const box = make("div");
  box.append(bar, pause, stop, line, note);
  el.append(box);

  const update = () => {
    // hcat-live tells the page that a live view stands here (static_view.py).
    box.className = `hcat-live hcat-view hcat-monitor hcat-${model.get("outcome")}`;
    bar.value = model.get("share");
    // Twice a second would be read out without end; the outcome is read out.
    line.setAttribute("aria-live", model.get("outcome") === "running" ? "off" : "polite");
    line.textContent = `${model.get("paused") ? "paused · " : ""}${model.get("line")}`;
    const shown = model.get("buttons") && model.get("outcome") === "running";
    pause.hidden = stop.hidden = !shown;
    pause.textContent = model.get("paused") ? "Resume" : "Pause";
    pause.disabled = !model.get("hears") || model.get("stopping");
    pause.title = model.get("hears") ? "" : DEAF;
    if (model.get("stopping")) stop.disabled = true;
  };
  const traits = ["share", "line", "outcome", "buttons", "hears", "paused", "stopping"];
  const events = traits.map((name) => `change:${name}`);
  for (const event of events) model.on(event, update);
  update();
  // Whether this arrives while the cell runs tells whether the buttons' messages will.
  const ask = () => {
    if (model.get("buttons") && model.get("outcome") === "running") model.send({ type: "ready" });
  };
  model.on("change:buttons", ask);
  ask();

  return () => {
    clearTimeout(timer);
    for (const event of events) model.off(event, update);
    model.off("change:buttons", ask);
    box.remove();
  };
}

export default { render };
