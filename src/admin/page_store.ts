/**
 * Pages that cost something to make, shared by all that ask: a few in a row are fresh, and beyond
 * that the number made per second is limited, however many ask. No sockets here; time is an
 * argument.
 */

/** Fresh pages in a row after a rest, and per second under load; over all pages together. */
export const FRESH_PAGES = 4;
export const FRESH_PAGES_PER_SECOND = 4;
/** Different pages that are kept: their names come with requests. */
const MAX_KEPT = 16;

export interface Page<Content> {
  readonly content: Content;
  readonly madeMs: number;
}

export class PageStore<Content> {
  readonly #kept = new Map<string, Page<Content>>();
  readonly #making = new Map<string, Promise<Content>>();
  #tokens = FRESH_PAGES;
  #filledMs = 0;

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  /** The page `name`: fresh if the pace allows it, else the last one made. */
  async get(name: string, nowMs: number, make: () => Promise<Content>): Promise<Content> {
    const making = this.#making.get(name);
    if (making !== undefined) return making;
    const kept = this.#kept.get(name);
    if (kept !== undefined && !this.#mayMake(nowMs)) return kept.content;
    const made = make();
    this.#making.set(name, made);
    try {
      const content = await made;
      if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
      this.#kept.set(name, { content, madeMs: nowMs });
      return content;
    } finally {
      this.#making.delete(name);
    }
  }

  /** Forgets what is too old to be shown again: memory at rest. */
  forget(olderThanMs: number): void {
    for (const [name, { madeMs }] of this.#kept) {
      if (madeMs < olderThanMs) this.#kept.delete(name);
    }
  }

  #mayMake(nowMs: number): boolean {
    const earned = ((nowMs - this.#filledMs) * FRESH_PAGES_PER_SECOND) / 1_000;
    this.#tokens = Math.min(FRESH_PAGES, this.#tokens + earned);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
