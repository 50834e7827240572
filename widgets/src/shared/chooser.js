// A field that finds one class among thousands.
import { make } from "./dom.js";

const MATCHES = 50; // classes that the chooser lists at once

/**
 * A field that finds a class by a part of its name.
 *
 * @param {string[]} classes
 * @param {string} prefix of ids
 * @param {(code: number | null) => void} done with null: nothing chosen
 */
export function makeChooser(classes, prefix, done) {
  const box = make("div", "hcat-chooser");
  const input = /** @type {HTMLInputElement} */ (make("input"));
  const id = `${prefix}-choices`;
  const list = make("div", "hcat-choices", "", { id, role: "listbox", "aria-label": "classes" });
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", "new label");
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-expanded", "true");
  input.placeholder = "new label: type, ↑ ↓, Enter";
  box.append(input, list);
  box.hidden = true;
  /** @type {number[]} */
  let codes = [];
  let at = 0;

  const show = () => {
    const options = codes.map((code, k) => {
      const option = make("div", k === at ? "hcat-chosen" : "", classes[code]);
      option.id = `${prefix}-choice-${k}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(k === at));
      option.addEventListener("mousedown", (event) => {
        event.preventDefault(); // the field keeps the focus until it is done
        done(code);
      });
      return option;
    });
    list.replaceChildren(...options);
    if (options.length) input.setAttribute("aria-activedescendant", options[at].id);
    else input.removeAttribute("aria-activedescendant");
    options[at]?.scrollIntoView?.({ block: "nearest" });
  };
  const find = (/** @type {number} */ first) => {
    const part = input.value.toLowerCase();
    codes = classes.map((_, code) => code).filter((k) => classes[k].toLowerCase().includes(part));
    const exact = codes.findIndex((code) => classes[code].toLowerCase() === part);
    const lead = exact >= 0 ? codes[exact] : first;
    if (codes.includes(lead)) codes = [lead, ...codes.filter((code) => code !== lead)];
    codes = codes.slice(0, MATCHES);
    at = 0;
    show();
  };
  input.addEventListener("input", () => find(-1));
  input.addEventListener("blur", () => !box.hidden && done(null));
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && codes.length) {
      at = (at + step + codes.length) % codes.length;
      show();
    } else if (event.key === "Enter" && codes.length) done(codes[at]);
    else if (event.key === "Escape") done(null);
    else if (!step) return;
    event.preventDefault();
  });
  return {
    box,
    /** @param {number} first class that stands first */
    open(first) {
      box.hidden = false;
      input.value = "";
      find(first);
      input.focus();
    },
    close() {
      box.hidden = true;
    },
  };
}
