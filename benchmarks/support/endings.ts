/** What must be ended again, in reverse order: processes, folders. */
import type { Scope } from '../../test/support/places.js';

export class Endings implements Scope {
  readonly #ends: (() => unknown)[] = [];

  teardown(end: () => unknown): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

/** Runs `work` with something that ends all that it starts, whatever comes. */
export async function withEndings<T>(work: (scope: Endings) => Promise<T>): Promise<T> {
  const endings = new Endings();
  try {
    return await work(endings);
  } finally {
    await endings.end();
  }
}
