// The live view of a run.  Its Python half is hcat_nb/jupyter/live_map.py,
// which puts Vega in front of this module, as globalThis.hcatVegaEmbed.
//
// A specification is embedded once.  States arrive as binary columns and
// replace the rows of named datasets; a changed page theme changes one signal.
// A new specification takes over the brush and the zoom of the one before.

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {"uint8" | "uint16" | "uint32" | "float32" | "text"} dtype
 * @property {number} [scale] value of one step
 * @property {number} [offset] value of step 0
 * @property {string[]} [levels] what the codes mean
 *
 * @typedef {object} Dataset
 * @property {string} name
 * @property {number} n
 * @property {Column[]} columns
 *
 * @typedef {object} Frame
 * @property {"frame"} type
 * @property {number} seq
 * @property {number} epoch
 * @property {Record<string, any>} signals
 * @property {Dataset[]} datasets
 * @property {number} [parts] messages that brought the buffers before this one
 *
 * @typedef {object} Part
 * @property {"part"} type
 * @property {number} seq
 * @property {number} part
 * @property {number} parts
 * @property {[number, number, number][]} pieces buffer, its bytes, offset
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, handler: (...args: any[]) => void) => void} on
 * @property {(event: string, handler: (...args: any[]) => void) => void} off
 *
 * @typedef {object} Pending what the next draw shows
 * @property {number} seq
 * @property {number} epoch
 * @property {Record<string, any>} signals
 * @property {Map<string, object[]>} tables
 */

const COALESCE_MS = 60; // frames that arrive together are drawn once
const QUIET_MS = 30; // a gesture is told when it pauses,
const LATEST_MS = 60; // or after this long
const INK = { light: "#333333", dark: "#d4d4d4" };
const ARRAYS = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float32: Float32Array,
};

/**
 * Read one column.
 *
 * @param {Column} column
 * @param {DataView} buffer
 * @param {number} n
 * @returns {ArrayLike<any>}
 */
export function decodeColumn(column, buffer, n) {
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (column.dtype === "text") {
    return n === 0 ? [] : new TextDecoder().decode(bytes).split("\0");
  }
  // A copy is aligned whatever the buffer's offset in its message is.
  const values = new ARRAYS[column.dtype](bytes.slice().buffer);
  const { levels, scale, offset = 0 } = column;
  if (levels) return Array.from(values, (code) => levels[code]);
  if (scale !== undefined) return Float64Array.from(values, (step) => offset + step * scale);
  if (column.dtype !== "float32") return values;
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}

/**
 * Turn a frame into rows, by dataset.
 *
 * @param {Frame} frame
 * @param {DataView[]} buffers
 * @returns {Map<string, object[]>}
 */
export function decodeFrame(frame, buffers) {
  const tables = new Map();
  let next = 0;
  for (const { name, n, columns } of frame.datasets) {
    const decoded = columns.map((column) => decodeColumn(column, buffers[next++], n));
    /** @type {Record<string, any>[]} */
    const rows = Array.from({ length: n }, () => ({}));
    columns.forEach((column, k) => {
      for (let i = 0; i < n; i++) rows[i][column.name] = decoded[k][i];
    });
    tables.set(name, rows);
  }
  return tables;
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
  later.cancel = () => window.clearTimeout(timer);
  return later;
}

/** @returns {"light" | "dark"} the theme of JupyterLab, Notebook or VS Code */
export function pageTheme() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  const dark = jpThemeLight === "false" || (vscodeThemeKind ?? "").includes("dark");
  return dark ? "dark" : "light";
}

/**
 * Draw a map and keep it up to date.
 *
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
  let embedding = false;
  let stale = false; // a newer specification waits
  let closed = false;
  let drawing = false;
  /** @type {Pending | null} */
  let pending = null;
  /** @type {Pending | null} all datasets as they were last, for a new specification */
  let shown = null;
  let timer = 0;
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
      for (const [name, rows] of state.tables) {
        // One changeset that removes the old rows and inserts these.
        if (embedded.datasets.has(name)) embedded.view.data(name, rows);
      }
      for (const [name, value] of Object.entries(state.signals)) setSignal(name, value);
      // Labels of other values need other room.
      await embedded.view.resize().runAsync();
      box.dataset.epoch = String(state.epoch);
      model.send({ type: "ack", seq: state.seq, draw_ms: performance.now() - start });
    } catch (error) {
      fail(error);
    } finally {
      drawing = false;
      if (pending && !closed) schedule();
    }
  };

  const schedule = () => {
    if (!timer) timer = window.setTimeout(draw, COALESCE_MS);
  };

  const hear = (/** @type {Frame | Part} */ content, /** @type {DataView[]} */ buffers) => {
    if (content.type === "part") {
      parts.take(content, buffers);
      status.textContent = `receiving part ${content.part} of ${content.parts}`;
      return;
    }
    if (content.type !== "frame") return;
    const whole = parts.whole(content, buffers);
    if (whole === null) {
      status.textContent = "a part of the map did not arrive: the host refused a message";
      return;
    }
    status.textContent = "";
    const { seq, epoch, signals } = content;
    pending = merged(pending, { seq, epoch, signals, tables: decodeFrame(content, whole) });
    if (!drawing) schedule();
  };

  /** Listen to what the user does on an embedded view. */
  const attend = (/** @type {any} */ { view, signals }) => {
    if (signals.has("brush")) {
      view.addSignalListener("brush", (/** @type {string} */ _, /** @type {any} */ value) =>
        tellBrush(value && "x" in value && "y" in value ? { x: value.x, y: value.y } : null),
      );
    }
    view.addEventListener("click", (/** @type {any} */ _, /** @type {any} */ item) => {
      const row = item?.datum?.row;
      if (row !== undefined) model.send({ type: "pick", row });
    });
  };
  const tellBrush = debounced((bounds) => model.send({ type: "brush", bounds }));

  const embed = async () => {
    const spec = model.get("spec");
    if (Object.keys(spec).length === 0) return;
    if (embedding) {
      stale = true;
      return;
    }
    embedding = true;
    const place = document.createElement("div");
    try {
      const result = await /** @type {any} */ (globalThis).hcatVegaEmbed(
        place,
        structuredClone(spec),
        {
          renderer: "canvas", // vega-embed's default, SVG, is ten times slower here
          actions: false,
          logLevel: 1, // errors: before the first frame every dataset is empty, and Vega warns
        },
      );
      if (closed) {
        result.finalize();
        return;
      }
      const names = (/** @type {string} */ kind) =>
        new Set((result.vgSpec[kind] ?? []).map((/** @type {any} */ one) => one.name));
      const before = embedded;
      embedded = { ...result, signals: names("signals"), datasets: names("data") };
      if (before) {
        keepGestures(before, embedded);
        before.finalize();
        pending = merged(shown, pending ?? /** @type {Pending} */ (shown));
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
  /** @type {[string, (...args: any[]) => void][]} */
  const heard = [
    ["msg:custom", hear],
    ["change:spec", embed],
  ];
  for (const [event, handler] of heard) model.on(event, handler);
  embed();

  return () => {
    closed = true;
    window.clearTimeout(timer);
    tellBrush.cancel();
    observer.disconnect();
    for (const [event, handler] of heard) model.off(event, handler);
    embedded?.finalize();
    box.remove();
    status.remove();
  };
}

/**
 * Give a new view the brush and the zoom of the one before.
 *
 * @param {any} before
 * @param {any} after
 */
function keepGestures(before, after) {
  const gesture = (/** @type {string} */ name) => /^(brush|zoom)(_|$)/.test(name);
  const state = before.view.getState({
    signals: (/** @type {string} */ name) => gesture(name) && after.signals.has(name),
    data: (/** @type {string} */ name) => gesture(name) && after.datasets.has(name),
    recurse: true,
  });
  after.view.setState(state);
}

export default { render };
