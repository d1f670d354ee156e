/** A reservation at a backend: what a session holds from its choice until it is over. */
import { assertShared } from '../core/assert.js';
import type { PlannedBackend } from './planned_backend.js';
import type { Lease, Settlement } from './selection.js';

/** The pool's side of a lease. */
export interface LeaseBook {
  connected(backend: PlannedBackend, member: number, connectMs: number): void;
  answered(backend: PlannedBackend, member: number, firstByteMs: number, term: number): void;
  settled(backend: PlannedBackend, member: number, settlement: Settlement, term: number): void;
}

/** The answer of a choice as well: so a choice makes one object, the one that a session keeps. */
export class BackendLease implements Lease {
  readonly kind = 'chosen';
  readonly backend: PlannedBackend;
  readonly #book: LeaseBook;
  /** The backend's index in the pool when it was chosen; an update may have moved it since. */
  readonly #member: number;
  /** The backend's term when it was chosen: evidence of a former one does not count. */
  readonly #term: number;
  #state: 'open' | 'settled' = 'open';

  constructor(book: LeaseBook, backend: PlannedBackend, member: number, term: number) {
    this.#book = book;
    this.backend = backend;
    this.#member = member;
    this.#term = term;
  }

  get lease(): Lease {
    return this;
  }

  connected(connectMs: number): void {
    this.#book.connected(this.backend, this.#member, connectMs);
  }

  answered(firstByteMs: number): void {
    this.#book.answered(this.backend, this.#member, firstByteMs, this.#term);
  }

  settle(settlement: Settlement): void {
    assertShared(this.#state === 'open', 'a lease is settled twice');
    this.#state = 'settled';
    this.#book.settled(this.backend, this.#member, settlement, this.#term);
  }
}
