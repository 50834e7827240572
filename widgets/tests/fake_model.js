/** The kernel's half of a widget, as far as a view sees it. */
export class FakeModel {
  /** @param {Record<string, any>} traits */
  constructor(traits = {}) {
    this.traits = traits;
    /** @type {Map<string, Set<Function>>} */
    this.handlers = new Map();
    /** @type {any[]} */
    this.sent = [];
  }

  get(/** @type {string} */ name) {
    return this.traits[name];
  }

  set(/** @type {string} */ name, /** @type {any} */ value) {
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }

  on(/** @type {string} */ event, /** @type {Function} */ handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event)?.add(handler);
  }

  off(/** @type {string} */ event, /** @type {Function} */ handler) {
    this.handlers.get(event)?.delete(handler);
  }

  send(/** @type {any} */ content) {
    this.sent.push(content);
  }

  emit(/** @type {string} */ event, /** @type {any[]} */ ...values) {
    for (const handler of this.handlers.get(event) ?? []) handler(...values);
  }

  /** How many handlers are still attached. */
  get listening() {
    return [...this.handlers.values()].reduce((sum, set) => sum + set.size, 0);
  }
}
