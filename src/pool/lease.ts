/** A reservation at a backend: what a session holds from its choice until it is over. */
import { assertShared } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PlannedBackend } from './planned_backend.js';
import type { Lease, Settlement } from './selection.js';

/** The pool's side of a lease. */
export interface LeaseBook {
  connected(lease: BackendLease, connectMs: number): void;
  answered(lease: BackendLease, firstByteMs: number): void;
  settled(lease: BackendLease, settlement: Settlement): void;
}

/** The answer of a choice as well: so a choice makes one object, the one that a session keeps. */
export class BackendLease implements Lease {
  readonly kind = 'chosen';
  readonly backend: PlannedBackend;
  readonly id: BackendId;
  readonly endpoint: Endpoint;
  /** The backend's index in the pool when it was chosen; an update may have moved it since. */
  readonly member: number;
  /** The backend's term when it was chosen: evidence of a former one does not count. */
  readonly term: number;
  readonly #book: LeaseBook;
  #state: 'open' | 'settled' = 'open';

  /** Its arguments are not one object, which would be made anew for each session. */
  constructor(
    book: LeaseBook,
    backend: PlannedBackend,
    id: BackendId,
    endpoint: Endpoint,
    member: number,
    term: number,
  ) {
    this.#book = book;
    this.backend = backend;
    this.id = id;
    this.endpoint = endpoint;
    this.member = member;
    this.term = term;
  }

  get lease(): Lease {
    return this;
  }

  connected(connectMs: number): void {
    this.#book.connected(this, connectMs);
  }

  answered(firstByteMs: number): void {
    this.#book.answered(this, firstByteMs);
  }

  settle(settlement: Settlement): void {
    assertShared(this.#state === 'open', 'a lease is settled twice');
    this.#state = 'settled';
    this.#book.settled(this, settlement);
  }
}
