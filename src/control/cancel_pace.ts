/** How fast a client may cancel: a number per second at each listener, and as many at once. */
import { networkText } from '../core/address_text.js';
import type { ListenerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';

const A_SECOND = 20;
/** Clients that are remembered; what is more may cancel, too. */
const MAX_CLIENTS = 10_000;
/**
 * A client with one address of IPv6 has a whole network of them, here as wherever clients are
 * counted.
 */
const IPV6_PREFIX_BITS = 64;

export class CancelPace {
  readonly #clock: Clock;
  /** By listener and client: when the last of its cancels would have come at its full rate. */
  readonly #dueMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `client`: its key (core/address_key.ts). Not too fast: it counts. */
  isTooFast(listener: ListenerId, client: Uint8Array): boolean {
    const whose = `${listener} ${networkText(client, IPV6_PREFIX_BITS)}`;
    // GCRA: a cancel is on time when the ones before it leave it a place within the second.
    const now = this.#clock.nowMs();
    const due = Math.max(now, this.#dueMs.get(whose) ?? 0) + 1_000 / A_SECOND;
    if (due > now + 1_000) return true;
    if (this.#dueMs.size >= MAX_CLIENTS) this.#forgetPast(now);
    if (this.#dueMs.size < MAX_CLIENTS || this.#dueMs.has(whose)) this.#dueMs.set(whose, due);
    return false;
  }

  #forgetPast(now: number): void {
    for (const [whose, due] of this.#dueMs) if (due <= now) this.#dueMs.delete(whose);
  }
}
