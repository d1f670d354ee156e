/**
 * Directions whose target takes nothing. Nothing is read for them meanwhile, so it has to be
 * checked whether the target takes data again, and whether the source has gone: what it left is not
 * kept for a peer that may stand still for hours.
 */
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { PairEnd } from '../../session/tcp_port.js';
import type { Ending, Holder } from './ending.js';
import type { Loop } from './loop.js';
import { FLUSH, NONE, type PairTable } from './pairs.js';
import type { Reads } from './reads.js';
import type { Sends } from './sends.js';
import type { Splices } from './splices.js';
import { Watches, type WatchOwner } from './watches.js';

/** How a pair ends whose data finds no place any more. */
const NO_ROOM: PairEnd = {
  kind: 'limit',
  sentence: 'too much data waits for peers that do not take it',
};

/** How often a target is looked at whose source is gone. */
const LOOK_MS = 100;

export interface StandstillParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly reads: Reads;
  readonly ending: Ending;
  readonly calls: SocketCalls;
}

export class Standstill implements WatchOwner, Holder {
  readonly #parts: StandstillParts;
  readonly #sends: Sends;
  readonly #splices: Splices;
  readonly #watches: Watches;
  /**
   * By direction: 1: its source is gone. A reset is reported once, to the operation that asks first
   * (a receive, a send, a splice, a poll), and must be known when the target stands still later.
   */
  readonly #gone: Uint8Array;
  /** By direction: 1: what its source left has a limited time. */
  readonly #expiring: Uint8Array;

  constructor(parts: StandstillParts, sends: Sends, splices: Splices) {
    this.#parts = parts;
    this.#sends = sends;
    this.#splices = splices;
    this.#watches = new Watches(parts.loop, parts.pairs, this);
    this.#gone = new Uint8Array(2 * parts.pairs.capacity);
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
    if (this.isGone(direction)) this.#expire(direction);
  }

  /** To be called by the code that learns that the source of `direction` was reset, at any time. */
  sourceGone(direction: number): void {
    this.#gone[direction] = 1;
    if (this.holds(direction)) this.#expire(direction);
  }

  isGone(direction: number): boolean {
    return this.#gone[direction] === 1;
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
    if (this.#parts.pairs.relays(socket)) this.sourceGone(socket);
  }

  /** Bulk stands still again and again: its watches stay. */
  #needsWatches(direction: number): boolean {
    return this.#sends.stalled(direction) || this.#splices.active(direction);
  }

  abandon(): void {}

  clear(pair: number): void {
    for (const direction of [2 * pair, 2 * pair + 1]) {
      this.#gone[direction] = 0;
      this.#expiring[direction] = 0;
    }
  }

  #expire(direction: number): void {
    if (this.#expiring[direction] === 1) return;
    this.#expiring[direction] = 1;
    // The code that reports the end is still busy with the pair, which the first look may end.
    this.#parts.ending.later(direction >> 1, 0, () => this.#look(direction));
  }

  /** What the source left is delivered if the target takes it fast enough. */
  #look(direction: number): void {
    const { pairs, ending } = this.#parts;
    const pair = direction >> 1;
    if (!pairs.relays(direction)) return;
    if (!ending.isHopeless(direction, this.#leftBytes(direction))) {
      ending.later(pair, LOOK_MS, () => this.#look(direction));
      return;
    }
    const by = (direction & 1) === 0 ? 'client' : 'backend';
    const told = pairs.phase[pair] === FLUSH;
    ending.reset(pair, told ? { kind: 'closed' } : { kind: 'reset', by });
  }

  /** What the target of `direction` has not got yet of all that came from its source. */
  #leftBytes(direction: number): number {
    const { pairs, calls } = this.#parts;
    const [source, target] = [pairs.fdOf(direction), pairs.fdOf(direction ^ 1)];
    const held = this.#sends.bytes(direction) + this.#splices.bytes(direction);
    const unread = source === NONE ? 0 : calls.unread(source);
    return held + unread + (target === NONE ? 0 : calls.unacknowledged(target));
  }
}
