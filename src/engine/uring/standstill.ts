/**
 * Directions whose target takes nothing. Nothing is read for them meanwhile, so somebody has to
 * look whether the target takes data again, and whether the source has gone: what it left is not
 * kept for a peer that may stand still for hours.
 */
import { LINGER_MS, type PairEnd, STANDSTILL_MS } from '../../session/tcp_port.js';
import type { Ending, Holder } from './ending.js';
import type { Loop } from './loop.js';
import { BROKEN, FLUSH, type PairTable } from './pairs.js';
import type { Reads } from './reads.js';
import type { Sends } from './sends.js';
import type { Splices } from './splices.js';
import { Watches, type WatchOwner } from './watches.js';

/** How a pair ends whose data finds no place any more. */
const NO_ROOM: PairEnd = {
  kind: 'limit',
  sentence: 'too much data waits for peers that do not take it',
};

export interface StandstillParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly reads: Reads;
  readonly ending: Ending;
}

export class Standstill implements WatchOwner, Holder {
  readonly #parts: StandstillParts;
  readonly #sends: Sends;
  readonly #splices: Splices;
  readonly #watches: Watches;
  /** By direction: 1: its source is gone, and what it left has a limited time. */
  readonly #expiring: Uint8Array;

  constructor(parts: StandstillParts, sends: Sends, splices: Splices) {
    this.#parts = parts;
    this.#sends = sends;
    this.#splices = splices;
    this.#watches = new Watches(parts.loop, parts.pairs, this);
    this.#expiring = new Uint8Array(2 * parts.pairs.capacity);
    parts.ending.add(this.#watches);
    parts.ending.add(this);
  }

  holds(direction: number): boolean {
    return this.#sends.stalled(direction) || this.#splices.stalled(direction);
  }

  /** The target of `direction` takes nothing for now. */
  begin(direction: number): void {
    this.#parts.reads.cancel(direction);
    this.#watches.begin(direction ^ 1);
    this.#watches.begin(direction);
    this.sourceBroke(direction);
  }

  /** To be called when the source of `direction` has turned out to be broken. */
  sourceBroke(direction: number): void {
    const { loop, pairs } = this.#parts;
    const broken = pairs.source[direction] === BROKEN && this.holds(direction);
    if (broken) this.#expire(direction, loop.nowMs + LINGER_MS);
  }

  /** What `direction` holds finds no place any more. */
  noRoom(direction: number): void {
    const { pairs, ending } = this.#parts;
    const pair = direction >> 1;
    ending.reset(pair, pairs.phase[pair] === FLUSH ? { kind: 'closed' } : NO_ROOM);
  }

  waitsFor(socket: number): boolean {
    return this.#needsWatches(socket ^ 1) || this.#needsWatches(socket);
  }

  writable(socket: number): void {
    this.#sends.goOn(socket ^ 1);
    this.#splices.goOn(socket ^ 1);
  }

  gone(socket: number): void {
    const { loop, pairs } = this.#parts;
    const held = pairs.relays(socket) && this.holds(socket);
    if (held) this.#expire(socket, loop.nowMs + LINGER_MS);
  }

  /** Bulk stands still again and again: its watches stay. */
  #needsWatches(direction: number): boolean {
    return this.#sends.stalled(direction) || this.#splices.active(direction);
  }

  abandon(): void {}

  clear(pair: number): void {
    this.#expiring[2 * pair] = 0;
    this.#expiring[2 * pair + 1] = 0;
  }

  #expire(direction: number, untilMs: number): void {
    if (this.#expiring[direction] === 1) return;
    this.#expiring[direction] = 1;
    this.#lookLater(direction, untilMs);
  }

  /** What was read is delivered if the target moves again: until then, and without a standstill. */
  #lookLater(direction: number, untilMs: number): void {
    const { loop, pairs, ending } = this.#parts;
    const pair = direction >> 1;
    const counter = (direction & 1) === 0 ? pairs.bytesIn : pairs.bytesOut;
    const before = counter[pair];
    ending.later(pair, STANDSTILL_MS, () => {
      if (!pairs.relays(direction)) return;
      if (counter[pair] !== before && loop.nowMs < untilMs) {
        this.#lookLater(direction, untilMs);
        return;
      }
      const by = (direction & 1) === 0 ? 'client' : 'backend';
      const told = pairs.phase[pair] === FLUSH;
      ending.reset(pair, told ? { kind: 'closed' } : { kind: 'reset', by });
    });
  }
}
