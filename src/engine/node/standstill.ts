/**
 * Sockets that are not read because their bytes have nowhere to go. libuv does not watch them
 * meanwhile, so that a peer which resets would be noticed only when its bytes move again; each of
 * them is asked now and then instead, a few at a time.
 */
import type { Timer, Timers } from '../../core/clock.js';
import type { Kernel } from '../../kernel/foreign.js';
import { Collection } from './collection.js';
import { askForReset } from './hidden_reset.js';
import type { Link } from './socket.js';

/** How often some are asked, and how many: a thousandth of a processor for each hundred. */
const LOOK_MS = 50;
const ASKED_AT_ONCE = 100;
/** A client that leaves is rarely alone: behind a reset all are asked once, a few at a time. */
const HURRY_MS = 5;

export class Standstill {
  readonly #timers: Timers;
  /** In the order in which they are asked. */
  readonly #links = new Set<Link>();
  readonly #collection: Collection;
  readonly #kernel: Kernel | null;
  #timer: Timer | null = null;
  /** How many are to be asked soon. */
  #hurried = 0;

  constructor(timers: Timers, kernel: Kernel | null) {
    this.#timers = timers;
    this.#kernel = kernel;
    this.#collection = new Collection(timers, kernel);
  }

  /** `link` is not read from now on. */
  begin(link: Link): void {
    this.#links.add(link);
    this.#collection.standing(this.#links.size);
    this.#timer ??= this.#timers.after(LOOK_MS, () => this.#look());
  }

  /** `link` is read again, or closed. */
  end(link: Link): void {
    if (this.#links.delete(link)) this.#collection.standing(this.#links.size);
  }

  /** The pair of `link` was reset: so may be others that stand still. */
  broke(link: Link): void {
    if (!this.#links.has(link) || this.#hurried > 0) return;
    this.#hurried = this.#links.size;
    this.#timer?.cancel();
    this.#timer = this.#timers.after(HURRY_MS, () => this.#look());
  }

  stop(): void {
    this.#links.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    this.#timer = null;
    let left = Math.min(this.#links.size, ASKED_AT_ONCE);
    this.#hurried = Math.max(0, this.#hurried - left);
    for (const link of this.#links) {
      if (left-- === 0) break;
      this.#links.delete(link);
      if (link.socket.destroyed) continue;
      this.#links.add(link);
      askForReset(link, this.#kernel);
    }
    if (this.#links.size === 0) this.#hurried = 0;
    else {
      const pauseMs = this.#hurried > 0 ? HURRY_MS : LOOK_MS;
      this.#timer = this.#timers.after(pauseMs, () => this.#look());
    }
  }
}
