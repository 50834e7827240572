// The review queue: samples as pictures, texts or rows, decided on by one key each.
// Its Python half is hcat_nb/jupyter/review/sample_gallery.py.
import { makeChooser } from "./shared/chooser.js";
import { debounced, make, makeButton } from "./shared/dom.js";

/**
 * @typedef {import("./shared/dom.js").Model} Model
 *
 * @typedef {object} Tile
 * @property {number} row position of the sample, which only the kernel reads
 * @property {string} id
 * @property {string} label
 * @property {number} suggested class code of the proposed label, or -1
 * @property {string} score of what sorts, or ""
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
 * @property {string} by what sorts
 * @property {string[]} columns of the rows
 * @property {{columns: number, rows: number, pixels: number} | null} sprite
 * @property {number} focus which tile a walk goes on from
 * @property {boolean} [stay] whether a walk goes on from its own sample, where it is still there
 * @property {boolean} [brushed] whether a person selected what is shown
 * @property {string} said
 *
 * @typedef {{type: "marks", marks: [number, string][]}
 *   | {type: "say", said: string, bad?: boolean} | Page} Message
 */

const TILE_PIXELS = 96;
const SETTLE_MS = 300;
const COLUMN = "minmax(0, 1fr) ";
/** @type {[string, string, string, string][]} action, key, words, look */
const ACTIONS = [
  ["accept", "a", "Accept", "hcat-primary"],
  ["keep", "k", "Keep", ""],
  ["relabel", "r", "Other label…", ""],
  ["drop", "d", "Drop", ""],
  ["mislabeled", "m", "Wrong", ""],
  ["undo", "u", "Undo", ""],
  ["redo", "y", "Redo", "hcat-quiet"],
  ["clear", "c", "Clear", "hcat-quiet"],
];
/** @type {Record<string, string>} */
const HINTS = {
  accept: "give the sample the proposed label",
  keep: "the label is right as it is",
  relabel: "give the sample another label, which you choose",
  drop: "leave the sample out",
  mislabeled: "the label is wrong, and the right one is not known",
};
/** @type {Record<string, string>} what stands on a tile */
const BADGES = { keep: "kept", drop: "dropped", mislabeled: "wrong" };
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
 * @param {string} proposal
 * @returns {string}
 */
export function tileWords(tile, by, proposal) {
  const words = [`sample ${tile.id}`, `label ${tile.label || "none"}`];
  if (proposal) words.push(`proposed ${proposal}`);
  if (tile.score) words.push(`${by} ${tile.score}`);
  if (tile.text) words.push(tile.text);
  if (tile.decision) words.push(`decided: ${tile.decision}`);
  return words.join(", ");
}

/**
 * Draw the queue and keep it up to date.
 *
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const prefix = `hcat-gallery-${made++}`;
  // hcat-live: see static_view.py
  const group = { role: "group", "aria-label": "samples" };
  const root = make("div", "hcat-live hcat-view hcat-gallery", "", group);
  const use = "decide on the selected samples";
  const bar = make("div", "hcat-bar", "", { role: "toolbar", "aria-label": use });
  const status = make("span", "hcat-said", "", { role: "status" });
  const heads = make("div", "hcat-row hcat-heads", "", { "aria-hidden": "true" }); // rows say it
  const list = make("div", "hcat-tiles", "", { role: "listbox", "aria-multiselectable": "true" });
  /** @type {string[]} */
  const classes = model.get("classes");
  let page = /** @type {Page | null} */ (null);
  let at = 0;
  const selected = /** @type {Set<number>} */ (new Set());
  let onward = false; // a decision on the last open tile asked for the next page
  let stays = false; // a button was pressed by keyboard
  let settling = 0;
  let address = "";
  let closed = false;

  const options = () => /** @type {HTMLElement[]} */ ([...list.children]);
  const columns = () => {
    const tiles = options();
    const top = tiles[0]?.offsetTop;
    const below = tiles.findIndex((tile) => tile.offsetTop !== top);
    return below < 0 ? tiles.length : below;
  };
  const proposalOf = (/** @type {Tile} */ tile) =>
    tile.suggested >= 0 && classes[tile.suggested] !== tile.label ? classes[tile.suggested] : "";
  const say = (/** @type {string} */ words, bad = false) => {
    status.textContent = words;
    status.classList.toggle("hcat-bad", bad);
  };

  const tellFocus = debounced((/** @type {Tile} */ tile) => {
    const place = page?.tiles.indexOf(tile) ?? -1;
    if (place >= 0) model.send({ type: "focus", row: tile.row, place });
  });
  const focus = (/** @type {number} */ to, take = true) => {
    const tiles = options();
    at = Math.max(0, Math.min(to, tiles.length - 1));
    tiles.forEach((tile, k) => {
      tile.tabIndex = k === at ? 0 : -1;
      tile.classList.toggle("hcat-at", k === at);
    });
    if (take) tiles[at]?.focus({ preventScroll: true });
    const [tile, box] = [tiles[at], list];
    // The list scrolls, and never the notebook.
    if (tile && tile.offsetTop < box.scrollTop) box.scrollTop = tile.offsetTop - 4;
    const low = tile ? tile.offsetTop + tile.offsetHeight - box.clientHeight : 0;
    if (low > box.scrollTop) box.scrollTop = low + 4;
    nameAccept();
  };
  const mark = () => {
    options().forEach((tile, k) => {
      tile.setAttribute("aria-selected", String(selected.has(k)));
    });
    nameAccept();
  };
  const nameAccept = () => {
    const [tile, many] = [page?.tiles[at], selected.size];
    const proposal = tile ? proposalOf(tile) : "";
    const words = proposal ? `Accept: ${proposal}` : "Accept";
    buttons.accept.firstChild?.replaceWith(many > 1 ? `Accept ${many} proposals` : words);
    buttons.accept.classList.toggle("hcat-primary", many > 1 || Boolean(proposal));
  };
  const chooser = makeChooser(classes, prefix, (code) => {
    chooser.close();
    focus(at);
    if (code !== null) decide("relabel", code);
  });

  const places = () => (selected.size ? [...selected].sort((a, b) => a - b) : [at]);
  const chosen = () => places().flatMap((k) => page?.tiles[k] ?? []);
  /** Go to a sample; who pressed a button by keyboard stays there. */
  const goTo = (/** @type {number} */ to) => {
    focus(to, !stays);
    if (stays && page?.tiles[at]) tellFocus(page.tiles[at]);
  };
  /** Go to the next sample that nobody decided on, after a place. */
  const moveOn = (/** @type {number} */ from) => {
    if (!page) return;
    const rest = page.tiles.slice(from + 1);
    const step = rest.findIndex((tile) => !tile.decision);
    if (step >= 0) return goTo(from + 1 + step);
    if (page.first + page.tiles.length < page.total) {
      onward = true;
      model.send({ type: "turn", to: "next" });
    } else goTo(Math.min(from + 1, page.tiles.length - 1));
  };
  const decide = (/** @type {string} */ action, code = -1) => {
    const tiles = chosen();
    if (!tiles.length) return;
    if (action === "accept" && !tiles.some(proposalOf))
      return say(
        "no label is proposed here: k keeps, r chooses another, d drops, m says wrong",
        true,
      );
    const last = Math.max(...places());
    for (const tile of tiles) {
      const passed = action === "accept" && !proposalOf(tile);
      if (action === "clear") tile.decision = "";
      else if (!passed) tile.decision ||= "…"; // until the kernel says what it is
    }
    const rows = tiles.map(({ row }) => row);
    const own = selected.size === 0;
    model.send({ type: "act", action, rows, code });
    selected.clear();
    mark();
    if (action !== "clear" && (own || !page?.brushed)) moveOn(last);
  };
  const act = (/** @type {string} */ action) => {
    if (action === "undo" || action === "redo") model.send({ type: action });
    else if (action !== "relabel") decide(action);
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
    const { kind, sprite } = /** @type {Page} */ (page);
    const look = kind === "table" ? "hcat-tile hcat-row" : "hcat-tile";
    const option = make("div", look, "", { id: `${prefix}-${k}`, role: "option", tabindex: "-1" });
    const proposal = proposalOf(tile);
    if (kind === "image" && sprite) {
      const picture = make("div", "hcat-picture");
      picture.style.backgroundImage = `url(${address})`;
      picture.style.backgroundSize = `${sprite.columns * TILE_PIXELS}px auto`;
      const [x, y] = [k % sprite.columns, Math.floor(k / sprite.columns)];
      picture.style.backgroundPosition = `-${x * TILE_PIXELS}px -${y * TILE_PIXELS}px`;
      picture.classList.toggle("hcat-enlarged", TILE_PIXELS > sprite.pixels);
      option.append(picture);
    }
    if (kind === "table") option.append(make("span", "hcat-id", tile.id));
    const words = make("span", proposal ? "hcat-label hcat-doubted" : "hcat-label");
    if (proposal) words.append(make("s", "", tile.label || "none"), ` → ${proposal}`);
    else words.textContent = tile.label || "none";
    option.append(words);
    if (kind === "text") option.append(make("span", "hcat-text", tile.text));
    for (const cell of tile.cells ?? []) option.append(make("span", "hcat-cell", cell));
    if (kind === "table" && tile.score) option.append(make("span", "hcat-score", tile.score));
    option.append(make("span", "hcat-badge"));
    option.addEventListener("focus", () => {
      focus(k, false);
      tellFocus(tile);
    });
    option.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) toggle(k);
      focus(k);
    });
    badge(option, tile);
    return option;
  };
  const badge = (/** @type {HTMLElement} */ option, /** @type {Tile} */ tile) => {
    const words = tileWords(tile, /** @type {Page} */ (page).by, proposalOf(tile));
    option.dataset.decision = tile.decision.split(" ")[0];
    const proposal = proposalOf(tile);
    const [action] = tile.decision.split(" ");
    const accepted = proposal && tile.decision === `relabel → ${proposal}`;
    const made = accepted ? "accepted" : tile.decision;
    /** @type {HTMLElement} */ (option.querySelector(".hcat-badge")).textContent =
      BADGES[action] ?? made.replace("relabel ", "");
    option.title = words;
    option.setAttribute("aria-label", words);
  };

  const drawPage = (/** @type {Page} */ next, /** @type {DataView | undefined} */ sprite) => {
    const held = list.contains(document.activeElement);
    const before = page?.tiles[at]?.row;
    page = next;
    selected.clear();
    chooser.close();
    URL.revokeObjectURL(address);
    address = sprite
      ? URL.createObjectURL(new Blob([/** @type {any} */ (sprite)], { type: "image/png" }))
      : "";
    const { kind, tiles, first, total, by, brushed } = next;
    list.className = `hcat-tiles hcat-of-${kind}`;
    const score = tiles.some((tile) => tile.score) ? "9ch" : ""; // a queue has none
    const template = `9ch minmax(21ch, 2fr) ${COLUMN.repeat(next.columns.length)}${score} 14ch`;
    root.style.setProperty("--hcat-columns", template);
    root.style.setProperty("--hcat-score", score);
    const names = ["id", "label → proposed", ...next.columns, ...(score ? [by] : []), "decision"];
    const cells = next.columns.length + 2;
    const look = (/** @type {number} */ k) => (k > 1 && k < cells ? "hcat-cell" : "");
    heads.replaceChildren(...names.map((name, k) => make("span", look(k), name)));
    heads.hidden = kind !== "table" || tiles.length === 0;
    list.replaceChildren(...tiles.map(drawTile));
    const range = tiles.length ? `${first + 1}–${first + tiles.length} of ` : "";
    place.textContent = `${range}${total.toLocaleString("en")} samples`;
    list.setAttribute("aria-label", `${place.textContent}, hardest first by ${by}`);
    all.hidden = !brushed || total === 0;
    all.textContent = `Accept each one's proposal (${total.toLocaleString("en")})`;
    if (next.said || !next.stay) say(next.said);
    mark();
    const own = next.stay ? tiles.findIndex(({ row }) => row === before) : -1;
    const open = onward ? tiles.findIndex(({ decision }) => !decision) : -1;
    onward = false;
    focus(own >= 0 ? own : Math.max(open, next.focus), held);
    // The card shows where keys would act, once a brush that is dragged has come to rest.
    window.clearTimeout(settling);
    if (!held && tiles[at]) settling = window.setTimeout(() => tellFocus(tiles[at]), SETTLE_MS);
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
    } else if (content.type === "say") say(content.said, content.bad);
  };

  /** @type {Record<string, HTMLButtonElement>} */
  const buttons = {};
  for (const [action, key, words, look] of ACTIONS) {
    const press = (/** @type {MouseEvent} */ event) => {
      stays = event.detail === 0;
      act(action);
      stays = false;
    };
    buttons[action] = makeButton(words, press, key, look);
    buttons[action].title = HINTS[action] ?? "";
  }
  const all = makeButton("", () => model.send({ type: "accept_shown" }));
  const [place, turns] = [make("span", "hcat-place"), make("span", "hcat-turns")];
  const turn = (/** @type {string} */ to) => () => model.send({ type: "turn", to });
  const [back, forth] = [turn("previous"), turn("next")];
  turns.append(makeButton("‹", back, "PageUp", "hcat-turn hcat-quiet"), place);
  turns.append(makeButton("›", forth, "PageDown", "hcat-turn hcat-quiet"));
  list.addEventListener("keydown", keydown);
  bar.append(...Object.values(buttons), all, status);
  root.append(bar, chooser.box, heads, list, turns);
  el.append(root);
  window.addEventListener("keydown", guard, true);
  model.on("msg:custom", hear);
  model.send({ type: "ready" });

  return () => {
    closed = true;
    window.clearTimeout(settling);
    tellFocus.cancel();
    window.removeEventListener("keydown", guard, true);
    model.off("msg:custom", hear);
    URL.revokeObjectURL(address);
    root.remove();
  };
}

export default { render };
