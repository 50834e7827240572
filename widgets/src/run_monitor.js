// The progress of a run.  Its Python half is hcat_nb/jupyter/run_monitor.py.

/**
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(event: string, handler: () => void) => void} on
 * @property {(event: string, handler: () => void) => void} off
 */

/**
 * Draw the bar and keep it up to date.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", "progress of the run");
  const line = document.createElement("span");
  line.className = "hcat-line";
  line.setAttribute("role", "status");
  const box = document.createElement("div");
  box.append(bar, line);
  el.append(box);

  const update = () => {
    // hcat-live tells the page that a live view stands here (static_view.py).
    box.className = `hcat-live hcat-monitor hcat-${model.get("outcome")}`;
    bar.value = model.get("share");
    line.textContent = model.get("line");
  };
  const events = ["change:share", "change:line", "change:outcome"];
  for (const event of events) model.on(event, update);
  update();

  return () => {
    for (const event of events) model.off(event, update);
    box.remove();
  };
}

export default { render };
