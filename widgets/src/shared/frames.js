// States of a live view as they arrive: binary columns, that rows take their values from.
// hcat_nb/jupyter/frames.py writes them.

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
 */

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
