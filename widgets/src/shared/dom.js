// Small helpers of all views.  hcat_nb/assets.py joins them to each module that imports them.

/**
 * The kernel's half of a view, as anywidget hands it over.
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: any) => void} send
 * @property {(event: string, handler: (...args: any[]) => void) => void} on
 * @property {(event: string, handler: (...args: any[]) => void) => void} off
 */

export const INK = { light: "#333333", dark: "#d4d4d4" };
const SVG = "http://www.w3.org/2000/svg";
const QUIET_MS = 30; // a gesture is told when it pauses,
const LATEST_MS = 60; // or after this long

/** @returns {"light" | "dark"} the theme of JupyterLab, Notebook or VS Code */
export function pageTheme() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  const dark = jpThemeLight === "false" || (vscodeThemeKind ?? "").includes("dark");
  return dark ? "dark" : "light";
}

/**
 * Call `paint` whenever the page's theme changes.
 *
 * @param {() => void} paint
 * @returns {() => void} ends it
 */
export function onTheme(paint) {
  const observer = new MutationObserver(paint);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  return () => observer.disconnect();
}

/**
 * Make an element; `text` is shown as text, whatever it holds.
 *
 * @param {string} tag
 * @param {string} [name]
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElement}
 */
export function make(tag, name = "", text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * Make an element of a drawing.
 *
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
export function draw(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.textContent = text;
  return element;
}

/**
 * Make a button whose keys stay its own: the notebook would take Enter for "edit this cell".
 *
 * @param {string} words
 * @param {(event: MouseEvent) => void} press
 * @param {string} [key] that does the same
 * @param {string} [look] further classes
 * @returns {HTMLButtonElement}
 */
export function makeButton(words, press, key = "", look = "") {
  const one = /** @type {HTMLButtonElement} */ (
    make("button", `hcat-button ${look}`.trim(), words)
  );
  one.type = "button";
  if (key) {
    one.setAttribute("aria-keyshortcuts", key);
    one.append(make("kbd", "", key));
  }
  one.addEventListener("click", press);
  one.addEventListener("keydown", (event) => event.stopPropagation());
  one.dataset.lmSuppressShortcuts = "true"; // Notebook 7 hears keys before the button does
  return one;
}

/**
 * Tell of changes when they pause, or after a while.
 *
 * @template T
 * @param {(value: T) => void} tell
 * @returns {{(value: T): void, cancel: () => void}}
 */
export function debounced(tell) {
  let timer = 0;
  let first = 0;
  const later = (/** @type {T} */ value) => {
    const now = performance.now();
    if (timer) window.clearTimeout(timer);
    else first = now;
    const wait = Math.max(0, Math.min(QUIET_MS, first + LATEST_MS - now));
    timer = window.setTimeout(() => {
      timer = 0;
      tell(value);
    }, wait);
  };
  later.cancel = () => {
    window.clearTimeout(timer);
    timer = 0;
  };
  return later;
}
