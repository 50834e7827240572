// The live data map.  Its Python half is hcat_nb/jupyter/live_map.py, which
// puts Vega in front of this module, as globalThis.hcatVegaEmbed.
//
// A view is embedded once.  States arrive as binary columns and replace the
// rows of named datasets; a changed page theme changes one signal.

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {"uint8" | "uint16" | "uint32" | "text"} dtype
 * @property {number} [scale] value of one step
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
 * @property {string} heading
 * @property {Dataset[]} datasets
 *
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, handler: (...args: any[]) => void) => void} on
 * @property {(event: string, handler: (...args: any[]) => void) => void} off
 *
 * @typedef {{frame: Frame, buffers: DataView[]}} Message
 */

const COALESCE_MS = 60; // frames that arrive together are drawn once
const INK = { light: "#333333", dark: "#d4d4d4" };
const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };

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
  const { levels, scale } = column;
  if (levels) return Array.from(values, (code) => levels[code]);
  return scale === undefined ? values : Float64Array.from(values, (step) => step * scale);
}

/**
 * Turn a frame into rows, by dataset.
 *
 * @param {Message} message
 * @returns {Map<string, object[]>}
 */
export function decodeFrame({ frame, buffers }) {
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
  el.append(box);

  /** @type {any} */
  let embedded = null;
  let embedding = false;
  let closed = false;
  let drawing = false;
  /** @type {Message | null} */
  let pending = null;
  let timer = 0;

  const fail = (/** @type {unknown} */ error) => {
    const words = document.createElement("div");
    words.className = "hcat-error";
    words.textContent = `The live map cannot be drawn: ${error}`;
    box.replaceChildren(words);
  };

  const paintInk = () => {
    embedded?.view.signal("ink", INK[pageTheme()]).runAsync();
  };

  const draw = async () => {
    timer = 0;
    if (!embedded || drawing || !pending) return;
    const message = pending;
    pending = null;
    drawing = true;
    const start = performance.now();
    try {
      const { view } = embedded;
      for (const [name, rows] of decodeFrame(message)) {
        view.data(name, rows); // one changeset that removes the old rows and inserts these
      }
      await view.signal("heading", message.frame.heading).runAsync();
      box.dataset.epoch = String(message.frame.epoch);
      model.send({ type: "ack", seq: message.frame.seq, draw_ms: performance.now() - start });
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

  const hear = (/** @type {Frame} */ content, /** @type {DataView[]} */ buffers) => {
    if (content.type !== "frame") return;
    pending = { frame: content, buffers };
    if (!drawing) schedule();
  };

  const embedOnce = async () => {
    const spec = model.get("spec");
    if (embedded || embedding || Object.keys(spec).length === 0) return;
    embedding = true;
    try {
      const result = await /** @type {any} */ (globalThis).hcatVegaEmbed(
        box,
        structuredClone(spec),
        {
          renderer: "canvas", // vega-embed's default, SVG, is ten times slower here
          actions: false,
        },
      );
      if (closed) {
        result.finalize();
        return;
      }
      embedded = result;
      paintInk();
      if (pending) schedule();
      else model.send({ type: "ready" });
    } catch (error) {
      fail(error);
    }
  };

  const observer = new MutationObserver(paintInk);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  model.on("msg:custom", hear);
  model.on("change:spec", embedOnce);
  embedOnce();

  return () => {
    closed = true;
    window.clearTimeout(timer);
    observer.disconnect();
    model.off("msg:custom", hear);
    model.off("change:spec", embedOnce);
    embedded?.finalize();
    box.remove();
  };
}

export default { render };
