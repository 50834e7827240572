// A button that puts a text on the clipboard: a trait, or what the kernel answers.
// Its Python half is hcat_nb/jupyter/copy_button.py.
import { make, makeButton } from "./shared/dom.js";

/** @typedef {import("./shared/dom.js").Model} Model */

const SHOWN_MS = 2000;

/**
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const root = make("span", "hcat-view hcat-copy");
  const said = make("span", "hcat-copied", "", { role: "status" });
  // Where the browser refuses: the text, selected.
  const field = /** @type {HTMLTextAreaElement} */ (
    make("textarea", "", "", { readonly: "", rows: "3", "aria-label": "text to copy" })
  );
  field.hidden = true;
  let timer = 0;

  const say = (/** @type {string} */ words) => {
    window.clearTimeout(timer);
    said.textContent = words;
    if (words) timer = window.setTimeout(() => say(""), SHOWN_MS);
  };
  const put = async (/** @type {string} */ text) => {
    try {
      await navigator.clipboard.writeText(text); // absent on pages without https
      field.hidden = true;
      say("copied");
    } catch {
      field.value = text;
      field.hidden = false;
      field.focus();
      field.select();
      say("Ctrl+C copies it");
    }
  };
  const press = () => {
    if (model.get("asks")) model.send({ type: "copy" });
    else put(model.get("text"));
  };
  const hear = (/** @type {{type: string, text: string}} */ content) => {
    if (content.type === "text") put(content.text);
  };
  const button = makeButton(model.get("words"), press);
  button.title = model.get("hint");
  const enable = () => {
    button.disabled = !model.get("asks") && !model.get("text");
  };
  field.addEventListener("keydown", (event) => event.stopPropagation());
  root.append(button, said, field);
  el.append(root);
  model.on("msg:custom", hear);
  model.on("change:text", enable);
  enable();

  return () => {
    window.clearTimeout(timer);
    model.off("msg:custom", hear);
    model.off("change:text", enable);
    root.remove();
  };
}

export default { render };
