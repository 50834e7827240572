// A page of samples as pictures, texts or rows, to walk through and to decide on by keyboard.
// Its Python half is hcat_nb/jupyter/sample_gallery.py.

/**
 * @typedef {object} Tile
 * @property {number} row position of the sample, which only the kernel reads
 * @property {string} id
 * @property {string} label
 * @property {string} predicted
 * @property {number} suggested class code, or -1
 * @property {string} score of the method that sorts
 * @property {string} decision what was decided, or ""
 * @property {string} [text]
 * @property {string[]} [cells] of a row, one a column
 *
 * @typedef {object} Page
 * @property {"page"} type
 * @property {"image" | "text" | "table"} kind
 * @property {Tile[]} tiles
 * @property {number} first rank of the first tile, from 0
 * @property {number} total
 * @property {string} by the method that sorts
 * @property {string[]} columns of the rows
 * @property {{columns: number, rows: number, pixels: number} | null} sprite
 * @property {number} focus which tile a walk goes on from
 * @property {string} said
 *
 * @typedef {{type: "marks", marks: [number, string][]} | {type: "say", said: string} | Page} Message
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, handler: (...args: any[]) => void) => void} on
 * @property {(event: string, handler: (...args: any[]) => void) => void} off
 */

const TILE_PIXELS = 76;
const MATCHES = 50; // classes that the chooser lists at once
/** @type {[string, string, string][]} action, key, words */
const ACTIONS = [
  ["mislabeled", "m", "Mislabeled"],
  ["relabel", "r", "Relabel…"],
  ["drop", "d", "Drop"],
  ["keep", "k", "Keep"],
  ["clear", "c", "Clear"],
  ["undo", "u", "Undo"],
  ["redo", "y", "Redo"],
];
const BY_KEY = new Map(ACTIONS.map(([action, key]) => [key, action]));
let made = 0; // views, for ids that are unique on the page

/**
 * Where a key leads on a page of tiles, or null where it leads nowhere.
 *
 * @param {string} key
 * @param {number} at
 * @param {number} n
 * @param {number} columns
 * @returns {number | "next" | "previous" | null}
 */
export function moved(key, at, n, columns) {
  /** @type {Record<string, number>} */
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === "Home") return 0;
  if (key === "End") return n - 1;
  if (key === "PageDown") return "next";
  if (key === "PageUp") return "previous";
  if (!(key in steps)) return null;
  const to = at + steps[key];
  if (to >= n) return "next";
  return to < 0 ? "previous" : to;
}

/**
 * Say in words what a tile shows.
 *
 * @param {Tile} tile
 * @param {string} by
 * @returns {string}
 */
export function tileWords(tile, by) {
  const words = [`sample ${tile.id}`, `label ${tile.label || "none"}`];
  if (tile.predicted && tile.predicted !== tile.label) words.push(`predicted ${tile.predicted}`);
  words.push(`${by} ${tile.score}`);
  if (tile.text) words.push(tile.text);
  if (tile.decision) words.push(`decided: ${tile.decision}`);
  return words.join(", ");
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
function make(tag, name = "", text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * A field that finds a class by a part of its name.
 *
 * @param {string[]} classes
 * @param {string} prefix of ids
 * @param {(code: number | null) => void} done with null: nothing chosen
 */
function makeChooser(classes, prefix, done) {
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

/**
 * Draw the gallery and keep it up to date.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const prefix = `hcat-gallery-${made++}`;
  // hcat-live: see static_view.py
  const root = make("div", "hcat-live hcat-gallery", "", {
    role: "group",
    "aria-label": "samples",
  });
  const use = "decide on the selected samples";
  const bar = make("div", "hcat-bar", "", { role: "toolbar", "aria-label": use });
  const status = make("div", "hcat-said", "", { role: "status" });
  const heads = make("div", "hcat-row hcat-heads", "", { "aria-hidden": "true" }); // rows say it
  const list = make("div", "hcat-tiles", "", { role: "listbox", "aria-multiselectable": "true" });
  let page = /** @type {Page | null} */ (null);
  let at = 0;
  const selected = /** @type {Set<number>} */ (new Set());
  let address = "";
  let closed = false;

  const options = () => /** @type {HTMLElement[]} */ ([...list.children]);
  const columns = () => {
    const tiles = options();
    const top = tiles[0]?.offsetTop;
    const below = tiles.findIndex((tile) => tile.offsetTop !== top);
    return below < 0 ? tiles.length : below;
  };

  const focus = (/** @type {number} */ to, take = true) => {
    const tiles = options();
    at = Math.max(0, Math.min(to, tiles.length - 1));
    tiles.forEach((tile, k) => {
      tile.tabIndex = k === at ? 0 : -1;
    });
    if (take) tiles[at]?.focus();
  };
  const mark = () => {
    options().forEach((tile, k) => {
      tile.setAttribute("aria-selected", String(selected.has(k)));
    });
  };
  const chooser = makeChooser(model.get("classes"), prefix, (code) => {
    chooser.close();
    focus(at);
    if (code !== null) send("relabel", code);
  });

  const chosen = () => {
    const places = selected.size ? [...selected].sort((a, b) => a - b) : [at];
    return places.flatMap((k) => page?.tiles[k] ?? []);
  };
  const send = (/** @type {string} */ action, code = -1) => {
    const rows = chosen().map(({ row }) => row);
    if (action === "undo" || action === "redo") model.send({ type: action });
    else if (rows.length) model.send({ type: "act", action, rows, code });
  };
  const act = (/** @type {string} */ action) => {
    if (action !== "relabel") send(action);
    else if (chosen().length) chooser.open(chosen()[0].suggested);
  };

  const isOwn = (/** @type {KeyboardEvent} */ { ctrlKey, metaKey, altKey, key }) =>
    !(ctrlKey || metaKey || altKey) || ((ctrlKey || metaKey) && key === "a");
  // Notebook 7 hears keys before the gallery does, and leaves those to elements so marked.
  const guard = (/** @type {any} */ event) =>
    root.contains(event.target) &&
    event.target.toggleAttribute("data-lm-suppress-shortcuts", isOwn(event));
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Tab" || !page || !isOwn(event)) return;
    const n = page.tiles.length;
    event.stopPropagation(); // the notebook would cut, copy or run cells
    const to = moved(event.key, at, n, columns());
    const action = BY_KEY.get(event.key);
    if (event.ctrlKey || event.metaKey) {
      for (let k = 0; k < n; k++) selected.add(k);
      mark();
    } else if (typeof to === "number") {
      if (event.shiftKey) {
        for (let k = Math.min(at, to); k <= Math.max(at, to); k++) selected.add(k);
        mark();
      }
      focus(to);
    } else if (to) model.send({ type: "turn", to });
    else if (event.key === " ") toggle(at);
    else if (event.key === "Escape") {
      selected.clear();
      mark();
    } else if (action) act(action);
    else return;
    event.preventDefault();
  };
  const toggle = (/** @type {number} */ k) => {
    if (!selected.delete(k)) selected.add(k);
    mark();
  };

  const drawTile = (/** @type {Tile} */ tile, /** @type {number} */ k) => {
    const { kind, sprite, by } = /** @type {Page} */ (page);
    const look = kind === "table" ? "hcat-tile hcat-row" : "hcat-tile";
    const option = make("div", look, "", { id: `${prefix}-${k}`, role: "option", tabindex: "-1" });
    const other = tile.predicted && tile.predicted !== tile.label;
    const words = other ? `${tile.label || "none"} → ${tile.predicted}` : tile.label || "none";
    if (kind === "image" && sprite) {
      const picture = make("div", "hcat-picture");
      const scale = TILE_PIXELS / sprite.pixels;
      picture.style.backgroundImage = `url(${address})`;
      picture.style.backgroundSize = `${sprite.columns * TILE_PIXELS}px auto`;
      const [x, y] = [k % sprite.columns, Math.floor(k / sprite.columns)];
      picture.style.backgroundPosition = `-${x * TILE_PIXELS}px -${y * TILE_PIXELS}px`;
      picture.classList.toggle("hcat-enlarged", scale > 1);
      option.append(picture);
    }
    const lead = kind === "table" ? [make("span", "", tile.id)] : [];
    option.append(...lead, make("span", other ? "hcat-doubted" : "hcat-label", words));
    if (kind === "text") option.append(make("span", "hcat-text", tile.text));
    for (const cell of tile.cells ?? []) option.append(make("span", "hcat-cell", cell));
    option.append(
      make("span", "hcat-score", kind === "table" ? tile.score : `${by} ${tile.score}`),
    );
    option.append(make("span", "hcat-badge"));
    option.addEventListener("focus", () => {
      focus(k, false);
      model.send({ type: "focus", row: tile.row, place: k });
    });
    option.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) toggle(k);
      focus(k);
    });
    badge(option, tile);
    return option;
  };
  const badge = (/** @type {HTMLElement} */ option, /** @type {Tile} */ tile) => {
    const { by } = /** @type {Page} */ (page);
    option.dataset.decision = tile.decision.split(" ")[0];
    /** @type {HTMLElement} */ (option.querySelector(".hcat-badge")).textContent = tile.decision;
    option.title = tileWords(tile, by);
    option.setAttribute("aria-label", tileWords(tile, by));
  };

  const drawPage = (/** @type {Page} */ next, /** @type {DataView | undefined} */ sprite) => {
    const held = list.contains(document.activeElement);
    page = next;
    selected.clear();
    chooser.close();
    URL.revokeObjectURL(address);
    address = sprite
      ? URL.createObjectURL(new Blob([/** @type {any} */ (sprite)], { type: "image/png" }))
      : "";
    const { kind, tiles, first, total, by } = next;
    list.className = `hcat-tiles hcat-of-${kind}`;
    const template = `10ch minmax(12ch, 1fr) ${"minmax(6ch, 1fr) ".repeat(next.columns.length)}9ch 16ch`;
    root.style.setProperty("--hcat-columns", template);
    const names = ["id", "label → predicted", ...next.columns, by, "decision"];
    heads.replaceChildren(...names.map((name) => make("span", "", name)));
    heads.hidden = kind !== "table" || tiles.length === 0;
    list.replaceChildren(...tiles.map(drawTile));
    const range = tiles.length ? `${first + 1}–${first + tiles.length} of ` : "";
    place.textContent = `${range}${total.toLocaleString("en")} samples`;
    list.setAttribute("aria-label", `${place.textContent}, hardest first by ${by}`);
    status.textContent = next.said;
    mark();
    focus(next.focus, held);
  };

  const hear = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) => {
    if (closed) return;
    if (content.type === "page") drawPage(content, buffers?.[0]);
    else if (content.type === "marks" && page) {
      const marks = new Map(content.marks);
      page.tiles.forEach((tile, k) => {
        tile.decision = marks.get(tile.row) ?? tile.decision;
        badge(options()[k], tile);
      });
    } else if (content.type === "say") status.textContent = content.said;
  };

  const button = (
    /** @type {string} */ words,
    /** @type {string} */ key,
    /** @type {() => void} */ press,
  ) => {
    const one = make("button", "hcat-button", words);
    /** @type {HTMLButtonElement} */ (one).type = "button";
    one.setAttribute("aria-keyshortcuts", key);
    one.append(make("kbd", "", key));
    one.addEventListener("click", press);
    one.addEventListener("keydown", (event) => event.stopPropagation()); // Enter would edit the cell
    return one;
  };
  bar.append(...ACTIONS.map(([action, key, words]) => button(words, key, () => act(action))));
  const [place, turns] = [make("span", "hcat-place"), make("span", "hcat-turns")];
  const turn = (/** @type {string} */ to) => () => model.send({ type: "turn", to });
  turns.append(button("‹", "PageUp", turn("previous")), place);
  turns.append(button("›", "PageDown", turn("next")));
  list.addEventListener("keydown", keydown);
  bar.append(turns);
  root.append(bar, chooser.box, heads, list, status);
  el.append(root);
  window.addEventListener("keydown", guard, true);
  model.on("msg:custom", hear);
  model.send({ type: "ready" });

  return () => {
    closed = true;
    window.removeEventListener("keydown", guard, true);
    model.off("msg:custom", hear);
    URL.revokeObjectURL(address);
    root.remove();
  };
}

export default { render };
