/**
 * Questions about the sessions or flows of a worker: which ones are there, and which shall end.
 * Answered in stretches, so a session may begin or end meanwhile; one that ended is left out.
 */
import { inBlocks } from '../core/address_block.js';
import { formatAddress, type Peer } from '../core/endpoint.js';
import type { FirstFew } from '../core/first_few.js';
import type { Pace } from '../core/pace.js';
import {
  comesBefore,
  type SessionFilter,
  type SessionPlace,
  type SessionRow,
  type SessionSort,
  type SessionState,
} from '../core/questions.js';
import type { Stretches } from '../core/stretches.js';

/** Sessions or flows, by the numbers that their engine gives them. */
export interface SessionSource<S> {
  /** Above every number in use. */
  readonly length: number;
  /** null: there is none that has begun. */
  at(number: number): S | null;
  id(one: S): string;
  listener(one: S): string;
  pool(one: S): string;
  backend(one: S): string | null;
  client(one: S): Peer;
  state(one: S): SessionState;
  sinceMs(one: S): number;
  activeMs(one: S): number;
  bytesIn(one: S): number;
  bytesOut(one: S): number;
}

/** A session that was found, with what sorting needs. */
export interface FoundSession extends SessionPlace {
  /** null: it has ended since. */
  row(): SessionRow | null;
}

export interface Search {
  readonly filter: SessionFilter;
  readonly nowMs: number;
  readonly pace: Pace;
}

/** Calls `found` for each session that the filter means. */
export function* each<S>(
  source: SessionSource<S>,
  { filter, nowMs, pace }: Search,
  found: (one: S, number: number) => void,
): Stretches {
  const isClient = filter.client === null ? null : inBlocks([filter.client]);
  for (let number = 0; number < source.length; number++) {
    if (pace.isOver()) {
      yield;
      pace.begin();
    }
    const one = source.at(number);
    if (one !== null && isMeant(source, one, filter, nowMs, isClient)) found(one, number);
  }
}

/** Adds to `first` each session that is meant and comes behind `after`. */
export function collect<S>(
  source: SessionSource<S>,
  search: Search,
  order: { readonly sort: SessionSort; readonly after: SessionPlace | null },
  first: FirstFew<FoundSession>,
): Stretches {
  return each(source, search, (one, number) => {
    const place = new Place(source, one, number, keyOf(source, one, order.sort));
    if (order.after === null || comesBefore(order.after, place)) first.add(place);
  });
}

/**
 * The text of its id is made on demand, once: among different keys it is not needed, and among
 * equal ones each is compared a dozen times.
 */
class Place<S> implements FoundSession {
  readonly key: number;
  readonly #source: SessionSource<S>;
  readonly #one: S;
  readonly #number: number;
  #id: string | null = null;

  constructor(source: SessionSource<S>, one: S, number: number, key: number) {
    this.#source = source;
    this.#one = one;
    this.#number = number;
    this.key = key;
  }

  get id(): string {
    this.#id ??= this.#source.id(this.#one);
    return this.#id;
  }

  row(): SessionRow | null {
    const [source, one] = [this.#source, this.#one];
    if (source.at(this.#number) !== one) return null;
    return {
      key: this.key,
      id: this.id,
      listener: source.listener(one),
      pool: source.pool(one),
      backend: source.backend(one),
      client: formatAddress(source.client(one)),
      state: source.state(one),
      sinceMs: source.sinceMs(one),
      activeMs: source.activeMs(one),
      bytesIn: source.bytesIn(one),
      bytesOut: source.bytesOut(one),
    };
  }
}

/** The cheapest questions first. */
function isMeant<S>(
  source: SessionSource<S>,
  one: S,
  filter: SessionFilter,
  nowMs: number,
  isClient: ((client: Peer) => boolean) | null,
): boolean {
  const { listener, pool, backend, id, olderMs, idleMs } = filter;
  if (olderMs > 0 && nowMs - source.sinceMs(one) < olderMs) return false;
  if (idleMs > 0 && nowMs - source.activeMs(one) < idleMs) return false;
  if (listener !== null && source.listener(one) !== listener) return false;
  if (pool !== null && source.pool(one) !== pool) return false;
  if (backend !== null && source.backend(one) !== backend) return false;
  if (id !== null && source.id(one) !== id) return false;
  return isClient === null || isClient(source.client(one));
}

/** What comes first has the least. */
function keyOf<S>(source: SessionSource<S>, one: S, sort: SessionSort): number {
  if (sort === 'age') return source.sinceMs(one);
  if (sort === 'idle') return source.activeMs(one);
  return -(source.bytesIn(one) + source.bytesOut(one));
}
