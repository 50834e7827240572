// The live view of a run.  Its Python half is hcat_nb/jupyter/live_map.py,
// which sends Vega's text, as a trait: it puts itself on globalThis.hcatVegaEmbed.
// A specification is embedded once; one that follows takes over brush and zoom.
// States arrive as binary columns, and rows take their values in place: what did
// not change is not touched, and no mark is made anew.  A theme changes one signal.

/**
 * @typedef {{name: string, dtype: "uint8" | "uint16" | "uint32" | "float32" | "text",
 *   scale?: number, offset?: number, levels?: string[]}} Column value of one step and of
 *   step 0, and what codes mean
 * @typedef {{name: string, n: number, columns: Column[]}} Dataset
 * @typedef {Dataset & {buffers: DataView[]}} Table a dataset with its columns' bytes
 * @typedef {{type: "frame", seq: number, epoch: number, signals: Record<string, any>,
 *   datasets: Dataset[], parts?: number}} Frame after so many messages that brought its buffers
 * @typedef {{type: "part", seq: number, part: number, parts: number,
 *   pieces: [number, number, number][]}} Part buffer, its bytes, offset of each piece
 * @typedef {Frame | Part | {type: "unbrush"}} Message
 * @typedef {{seq: number, epoch: number, signals: Record<string, any>,
 *   tables: Map<string, Table>}} Pending what the next draw shows
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, handler: (...args: any[]) => void) => void} on
 * @property {(event: string, handler: (...args: any[]) => void) => void} off
 */

const COALESCE_MS = 60; // of the frames that arrive so soon after a draw, one is drawn
const QUIET_MS = 30; // a gesture is told when it pauses,
const LATEST_MS = 60; // or after this long
const CLICK_PIXELS = 4; // a click may move so far
// SVG is ten times slower here; of datasets that are empty before the first frame Vega would warn.
const EMBED = { renderer: "canvas", actions: false, logLevel: 1 };
const INK = { light: "#333333", dark: "#d4d4d4" };
const KIND = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };

/**
 * @param {Column} column
 * @param {DataView} buffer
 * @param {number} n
 * @returns {ArrayLike<any>} its values
 */
export function decodeColumn(column, buffer, n) {
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (column.dtype === "text") {
    return n === 0 ? [] : new TextDecoder().decode(bytes).split("\0");
  }
  // A copy is aligned whatever the buffer's offset in its message is.
  const values = new KIND[column.dtype](bytes.slice().buffer);
  const { levels, scale, offset = 0 } = column;
  if (levels) return Array.from(values, (code) => levels[code]);
  if (scale !== undefined) return Float64Array.from(values, (step) => offset + step * scale);
  if (column.dtype !== "float32") return values;
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}

/**
 * @param {Frame} frame
 * @param {DataView[]} buffers
 * @returns {Map<string, Table>} its datasets, each with its own buffers
 */
export function tablesOf({ datasets }, buffers) {
  const left = [...buffers];
  return new Map(
    datasets.map((one) => [one.name, { ...one, buffers: left.splice(0, one.columns.length) }]),
  );
}

/**
 * @param {Table} one
 * @param {Table | undefined} other
 * @returns {boolean} whether both hold the same rows
 */
export function sameTable(one, other) {
  if (JSON.stringify(one.columns) !== JSON.stringify(other?.columns)) return false;
  return one.buffers.every((buffer, k) => {
    const old = /** @type {Table} */ (other).buffers[k];
    let i = buffer.byteLength === old.byteLength ? 0 : -1;
    while (i >= 0 && i < buffer.byteLength && buffer.getUint8(i) === old.getUint8(i)) i++;
    return i === buffer.byteLength;
  });
}

/**
 * Let rows become those of a table, in place: new marks for thousands cost more than drawing.
 * @param {any} view
 * @param {Table} table
 * @param {Record<string, any>[]} [held] rows given before; `view.data` has what transforms left
 * @returns {Record<string, any>[]} the rows
 */
export function refill(view, { name, n, columns, buffers }, held) {
  const old = (held ?? []).slice(0, n);
  /** @type {Record<string, any>[]} */
  const added = Array.from({ length: n - old.length }, () => ({}));
  const rows = [...old, ...added];
  const changes = view.changeset().insert(added).reflow();
  changes.remove(held ? held.slice(n) : () => true);
  columns.forEach((column, k) => {
    const values = decodeColumn(column, buffers[k], n);
    for (let i = 0; i < n; i++) rows[i][column.name] = values[i];
    // Names the field, so that transforms that read it run again.
    if (old.length) changes.modify(old[0], column.name, values[0]);
  });
  view.change(name, changes);
  return rows;
}

/**
 * Collect the parts of a frame too large for one message.
 *
 * @returns {{take: (part: Part, buffers: DataView[]) => void,
 *   whole: (frame: Frame, buffers: DataView[]) => DataView[] | null}}
 *   `whole` is null if parts of the frame are missing
 */
export function assembler() {
  let seq = -1;
  let received = 0;
  /** @type {Uint8Array[]} */
  let arrays = [];
  return {
    take(part, buffers) {
      if (part.seq !== seq) [seq, received, arrays] = [part.seq, 0, []];
      received++;
      part.pieces.forEach(([index, length, offset], k) => {
        arrays[index] ??= new Uint8Array(length);
        const { buffer, byteOffset, byteLength } = buffers[k];
        arrays[index].set(new Uint8Array(buffer, byteOffset, byteLength), offset);
      });
    },
    whole(frame, buffers) {
      if (frame.parts === undefined) return buffers;
      if (frame.seq !== seq || frame.parts !== received) return null;
      const views = arrays.map((bytes) => new DataView(bytes.buffer));
      [seq, received, arrays] = [-1, 0, []];
      return views;
    },
  };
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

/**
 * @param {any} view
 * @param {MouseEvent} event
 * @returns {number | undefined} the topmost sample under the pointer, also under the brush
 */
function rowUnder(view, { clientX, clientY }) {
  const { left, top } = view.container().querySelector("canvas").getBoundingClientRect();
  const [[right, down], padding] = [view.origin(), view.padding()];
  const [x, y] = [clientX - left - padding.left - right, clientY - top - padding.top - down];
  let row;
  const look = (/** @type {any} */ mark, /** @type {number} */ x, /** @type {number} */ y) => {
    for (const item of mark.items) {
      if (item.items) for (const inner of item.items) look(inner, x - item.x, y - item.y);
      else if (item.datum?.row !== undefined && item.bounds.contains(x, y)) row = item.datum.row;
    }
  };
  look(view.scenegraph().root, x, y);
  return row;
}

/** @returns {"light" | "dark"} the theme of JupyterLab, Notebook or VS Code */
export function pageTheme() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  const dark = jpThemeLight === "false" || (vscodeThemeKind ?? "").includes("dark");
  return dark ? "dark" : "light";
}

/**
 * @param {{model: Model, el: HTMLElement}} context
 * @returns {() => void} takes off every listener
 */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "hcat-map";
  const status = document.createElement("div");
  status.className = "hcat-note";
  status.setAttribute("role", "status");
  el.append(box, status);

  /** @type {any} the embedded view and what it has */
  let embedded = null;
  let [embedding, drawing, closed] = [false, false, false];
  let stale = false; // a newer specification waits
  /** @type {Pending | null} */
  let pending = null;
  /** @type {Pending | null} all datasets as they were last, for a new specification */
  let shown = null;
  let timer = 0;
  let drawn = Number.NEGATIVE_INFINITY; // when
  const parts = assembler();

  const fail = (/** @type {unknown} */ error) => {
    const words = document.createElement("div");
    words.className = "hcat-error";
    words.textContent = `The live map cannot be drawn: ${error}`;
    box.replaceChildren(words);
  };

  const setSignal = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (embedded.signals.has(name)) embedded.view.signal(name, value);
  };

  const paintInk = () => {
    if (!embedded) return;
    setSignal("ink", INK[pageTheme()]);
    embedded.view.runAsync();
  };

  const merged = (/** @type {Pending | null} */ old, /** @type {Pending} */ now) => ({
    ...now,
    signals: { ...old?.signals, ...now.signals },
    tables: new Map([...(old?.tables ?? []), ...now.tables]),
  });

  const draw = async () => {
    timer = 0;
    if (!embedded || drawing || !pending) return;
    const state = pending;
    pending = null;
    shown = merged(shown, state);
    drawing = true;
    const start = performance.now();
    try {
      const { view, datasets, filled } = embedded;
      for (const [name, table] of state.tables) {
        const before = filled.get(name);
        if (!datasets.has(name) || sameTable(table, before?.table)) continue;
        filled.set(name, { table, rows: refill(view, table, before?.rows) });
      }
      for (const [name, value] of Object.entries(state.signals)) setSignal(name, value);
      await view.resize().runAsync(); // labels of other values need other room
      box.dataset.epoch = String(state.epoch);
      model.send({ type: "ack", seq: state.seq, draw_ms: performance.now() - start });
    } catch (error) {
      fail(error);
    } finally {
      drawing = false;
      drawn = performance.now();
      if (pending && !closed) schedule();
    }
  };

  const schedule = () => {
    const wait = Math.max(0, drawn + COALESCE_MS - performance.now());
    if (!timer) timer = window.setTimeout(draw, wait);
  };

  const hear = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) => {
    if (content.type === "part") {
      parts.take(content, buffers);
      status.textContent = `receiving part ${content.part} of ${content.parts}`;
      return;
    }
    if (content.type === "unbrush")
      box.querySelector("canvas")?.dispatchEvent(new MouseEvent("unbrush"));
    if (content.type !== "frame") return;
    const whole = parts.whole(content, buffers);
    if (whole === null) {
      status.textContent = "a part of the map did not arrive: the host refused a message";
      return;
    }
    status.textContent = "";
    const { seq, epoch, signals } = content;
    pending = merged(pending, { seq, epoch, signals, tables: tablesOf(content, whole) });
    if (!drawing) schedule();
  };

  /** Listen to what the user does on an embedded view. */
  const attend = (/** @type {any} */ { view, signals }) => {
    if (signals.has("brush")) {
      view.addSignalListener("brush", (/** @type {string} */ _, /** @type {any} */ value) =>
        tellBrush(value && "x" in value && "y" in value ? { x: value.x, y: value.y } : null),
      );
    }
    let pressed = { clientX: 0, clientY: 0 };
    view.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      pressed = event;
    });
    view.addEventListener("click", (/** @type {any} */ event, /** @type {any} */ item) => {
      const [x, y] = [event.clientX - pressed.clientX, event.clientY - pressed.clientY];
      if (Math.hypot(x, y) > CLICK_PIXELS) return; // the end of a drag, of the brush say
      const row = item?.datum?.row ?? rowUnder(view, event);
      if (row === undefined) return;
      tellBrush.cancel(); // what the press did to the brush; the sample is the selection now
      model.send({ type: "pick", row });
    });
  };
  const tellBrush = debounced((bounds) => model.send({ type: "brush", bounds }));

  const embed = async () => {
    const spec = model.get("spec");
    if (Object.keys(spec).length === 0) return;
    stale = embedding;
    if (embedding) return;
    embedding = true;
    const place = document.createElement("div");
    try {
      const page = /** @type {any} */ (globalThis);
      if (!page.hcatVegaEmbed) new Function(model.get("_vega"))(); // as Vega makes its expressions
      const result = await page.hcatVegaEmbed(place, structuredClone(spec), EMBED);
      if (closed) {
        result.finalize();
        return;
      }
      const names = (/** @type {string} */ kind) =>
        new Set((result.vgSpec[kind] ?? []).map((/** @type {any} */ one) => one.name));
      const before = embedded;
      embedded = {
        ...result,
        signals: names("signals"),
        datasets: names("data"),
        filled: new Map(), // tables and the rows that show them
      };
      if (before) {
        keepGestures(before, embedded);
        before.finalize();
        const newest = pending ?? shown; // none before the first frame
        if (newest) pending = merged(shown, newest);
      }
      box.replaceChildren(place);
      attend(embedded);
      paintInk();
      if (pending) schedule();
      else model.send({ type: "ready" });
    } catch (error) {
      fail(error);
    } finally {
      embedding = false;
    }
    if (stale && !closed) {
      stale = false;
      embed();
    }
  };

  const observer = new MutationObserver(paintInk);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  model.on("msg:custom", hear);
  model.on("change:spec", embed);
  embed();

  return () => {
    closed = true;
    window.clearTimeout(timer);
    tellBrush.cancel();
    observer.disconnect();
    model.off("msg:custom", hear);
    model.off("change:spec", embed);
    embedded?.finalize();
    box.remove();
    status.remove();
  };
}

/**
 * Give a new view brush and zoom of the one before; not where a drag began, or Vega goes on with it.
 *
 * @param {any} before
 * @param {any} after
 */
function keepGestures(before, after) {
  const gesture = (/** @type {string} */ n) => /^(brush|zoom)(_(?!.*(anchor|delta))|$)/.test(n);
  const state = before.view.getState({
    signals: (/** @type {string} */ name) => gesture(name) && after.signals.has(name),
    data: (/** @type {string} */ name) => gesture(name) && after.datasets.has(name),
    recurse: false, // below are legends, which the new view may not have
  });
  after.view.setState(state);
}

export default { render };
