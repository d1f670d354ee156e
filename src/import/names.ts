/** Names of listeners and pools: what a foreign name is called here. */

const MAX_NAME_LENGTH = 64;

/** Gives each name once. */
export class Names {
  readonly #taken = new Set<string>();
  /** By the name that was wanted: the number that the next one may have. */
  readonly #numbers = new Map<string, number>();

  /** `wanted`, or what is nearest to it and free. */
  take(wanted: string): string {
    const base = usable(wanted);
    let name = base;
    let count = this.#numbers.get(base) ?? 2;
    while (this.#taken.has(name)) {
      const suffix = `-${count++}`;
      name = `${base.slice(0, MAX_NAME_LENGTH - suffix.length)}${suffix}`;
    }
    this.#numbers.set(base, count);
    this.#taken.add(name);
    return name;
  }
}

/** Letters, digits, `_`, `-` and `.`, a letter or digit first. */
function usable(wanted: string): string {
  const clean = wanted.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return clean.slice(0, MAX_NAME_LENGTH) || 'unnamed';
}

/**
 * Of a backend: up to 128 characters of ASCII without spaces, some left for a number; never `*`,
 * which means all of a pool in commands.
 */
export function backendLabel(wanted: string): string {
  const label = wanted.replace(/[^\x21-\x7e]+/g, '-').slice(0, 120);
  return label === '' || label === '*' ? 'unnamed' : label;
}
