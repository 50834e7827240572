// A concatenated chart in parts, each a view of its own: the page lays them out, and a part that
// is folded away costs nothing.

/**
 * @typedef {{role: "map" | "side" | "more", spec: any}} Part
 */

const SIDE = ["live_accuracy", "live_auroc"]; // names of charts that stand beside the map
const SIDE_HEIGHT = 128;
const HEIGHTS = [240, 380]; // of a map, in pixels of its plot
const TALL = 0.75; // of its width
const PRESENTED = 0.42; // of the window's height, before a class
const ENLARGED = 1.5; // its type, then
const TYPE = Object.fromEntries(
  Object.entries({ labelFontSize: 11, titleFontSize: 12 }).map(([name, size]) => [
    name,
    { expr: `${size} * enlarged` },
  ]),
);
const CELLS = 128; // a side of the density grid: whole pixels a cell leave no gaps
const COLUMN = 150; // of small charts side by side

/** @param {any} spec @returns {any[]} its charts, rows of them taken apart */
function leaves(spec) {
  return (spec.concat ?? spec.vconcat).flatMap((/** @type {any} */ one) => one.hconcat ?? [one]);
}

/** @param {any} spec @param {(name: string) => boolean} is @returns {boolean} whether a view is */
function holds(spec, is) {
  if (spec.name && is(spec.name)) return true;
  const inner = [spec.layer, spec.concat, spec.hconcat, spec.vconcat];
  return inner.some((list) => list?.some((/** @type {any} */ one) => holds(one, is)));
}
// Altair numbers the name of a view that stands among others.
const isMap = (/** @type {string} */ name) => /^map(_\d+)?$/.test(name);

/**
 * @param {any} spec
 * @returns {Part[]} one where it is no concatenation with a map in it
 */
export function partsOf(spec) {
  const whole = spec.concat ?? spec.vconcat;
  if (!whole || !holds(spec, isMap)) return [{ role: "map", spec }];
  const { concat, vconcat, columns, spacing, description, resolve, params = [], ...shared } = spec;
  return leaves(spec).map((one) => {
    const role = holds(one, isMap) ? "map" : SIDE.includes(one.name) ? "side" : "more";
    const own = params.filter(
      (/** @type {any} */ param) =>
        !param.views || holds(one, (name) => param.views.includes(name)),
    );
    return { role, spec: { ...shared, ...one, params: [...own, ...(one.params ?? [])] } };
  });
}

/**
 * Prepare a part for the room that it has.
 *
 * @param {Part} part
 * @param {number} room pixels across
 */
export function fitted({ role, spec }, room) {
  const made = structuredClone(spec);
  if (made.concat) {
    made.columns = Math.max(1, Math.floor(room / COLUMN));
    return made;
  }
  const most = role === "side" ? 2 : 4; // as many as fit the narrowest place
  const columns = Math.min(most, Math.max(2, Math.floor((room || most * COLUMN) / COLUMN)));
  const legend = { ...made.config?.legend, orient: "bottom", titleOrient: "left", columns };
  made.config = { ...made.config, legend }; // whose layout would not follow a larger type
  made.config.axis = { ...made.config.axis, ...TYPE };
  made.params = [...(made.params ?? []), { name: "enlarged", value: 1 }];
  if (role !== "map") made.height = SIDE_HEIGHT;
  return made;
}

/**
 * Give a view the width of its place; its margins are what its labels take.
 *
 * @param {any} view
 * @param {HTMLElement} place
 * @param {"map" | "side" | "more"} role
 * @param {boolean} dense whether a density is drawn
 */
export async function fillRoom(view, place, role, dense) {
  const canvas = place.querySelector("canvas");
  const whole = place.parentElement?.clientWidth;
  if (!canvas || !whole) return; // not on the page yet
  const shown = place.closest(".hcat-presented");
  const enlarged = shown ? ENLARGED : 1;
  if (view.signal("enlarged") !== enlarged) {
    await view.signal("enlarged", enlarged).runAsync();
  }
  const room = whole - (canvas.clientWidth - view.width());
  const step = dense && role === "map" ? CELLS : 1;
  const width = Math.max(step, 96, Math.floor(room / step) * step);
  const [least, most] = HEIGHTS;
  const presented = shown ? Math.round(PRESENTED * window.innerHeight) : 0;
  const height = Math.min(Math.max(Math.round(width * TALL), least), Math.max(most, presented));
  const tall = step > 1 ? Math.max(step, Math.round(height / step) * step) : height;
  if (width === view.width() && (role !== "map" || tall === view.height())) return;
  view.width(width);
  if (role === "map") view.height(tall);
  await view.resize().runAsync();
}
