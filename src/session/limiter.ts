/** The limits of a listener for each of its clients, as one worker applies them. */
import { inBlocks } from '../core/address_block.js';
import { KeyRoom } from '../core/address_key.js';
import type { ListenerId, WorkerId } from '../core/brand.js';
import type { Peer } from '../core/endpoint.js';
import type { ListenerPlan } from '../core/plan.js';
import type { LimitsSpec } from '../core/spec.js';
import { rateOf } from '../pool/cell_rate.js';
import type { ClientRule, ClientTable } from '../pool/client_table.js';

/** An answer beside those of the table: a UNIX peer has no address. */
export const NO_ADDRESS = -5;

export class Limiter {
  readonly spec: LimitsSpec;
  readonly #listener: ListenerId;
  readonly #table: ClientTable;
  readonly #rule: ClientRule;
  /** Of those that are exempt: they count, and may have what they like. */
  readonly #free: ClientRule;
  readonly #isExempt: (client: Peer) => boolean;
  readonly #room = new KeyRoom();

  constructor(listener: ListenerId, spec: LimitsSpec, table: ClientTable) {
    const { sessionsPerClient, newPerClient, ipv6PrefixBits, exempt } = spec;
    this.spec = spec;
    this.#listener = listener;
    this.#table = table;
    this.#rule = {
      sessions: sessionsPerClient,
      rate:
        newPerClient === null
          ? null
          : rateOf(newPerClient.count, newPerClient.perMs, newPerClient.burst),
      ipv6PrefixBits,
    };
    this.#free = { ...this.#rule, sessions: 0, rate: null };
    this.#isExempt = exempt.length === 0 ? () => false : inBlocks(exempt);
  }

  /** null: a client may have what it likes, and there is nothing to check. */
  static of(
    { id, settings: { limits } }: Pick<ListenerPlan, 'id' | 'settings'>,
    table: ClientTable,
  ): Limiter | null {
    if (limits === null) return null;
    const isForClients = limits.sessionsPerClient > 0 || limits.newPerClient !== null;
    return isForClients ? new Limiter(id, limits, table) : null;
  }

  /** A session of `client` begins: the row that counts it, or why there is none. */
  enter(client: Peer, nowMs: number, worker: WorkerId): number {
    if (client.kind === 'unix') return NO_ADDRESS;
    const rule = this.#isExempt(client) ? this.#free : this.#rule;
    return this.#table.enter(this.#listener, this.#room.keyOf(client), rule, nowMs, worker);
  }

  /** Before its `leave`: what `row` counts for `client` since `cameMs` is no session. */
  giveTurnBack(row: number, client: Peer, cameMs: number, nowMs: number): void {
    const { rate } = this.#rule;
    if (rate === null || client.kind === 'unix' || this.#isExempt(client)) return;
    this.#table.giveTurnBack(row, rate, cameMs, nowMs);
  }

  /** What `enter` would answer, with 0 for any row; nothing is counted. */
  look(client: Peer, nowMs: number): number {
    if (this.#isExempt(client)) return 0;
    return this.#table.look(this.#listener, this.#room.keyOf(client), this.#rule, nowMs);
  }
}
