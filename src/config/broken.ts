/** The places of a file whose values are broken, and so count as absent. */
import { type Path, pathKey } from './path.js';

export class BrokenPlaces {
  readonly #keys: ReadonlySet<string>;
  readonly #deepest: number;

  constructor(paths: readonly Path[]) {
    this.#keys = new Set(paths.map(pathKey));
    this.#deepest = paths.reduce((depth, { length }) => Math.max(depth, length), 0);
  }

  /** True when the value at `path`, or a table around it, is broken. */
  holds(path: Path): boolean {
    if (this.#keys.size === 0) return false;
    for (let length = Math.min(path.length, this.#deepest); length >= 0; length--) {
      if (this.#keys.has(pathKey(path.slice(0, length)))) return true;
    }
    return false;
  }
}
