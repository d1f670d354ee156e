/**
 * Watches on sockets whose target or source stands still: one poll per socket reports when it takes
 * data again, and when its peer has reset it. Each event is reported once (io_uring polls are edge
 * triggered while they stay armed): a poll for one event would end at once, again and again, at
 * every socket whose peer has sent FIN, because io_uring polls for POLLRDHUP unasked.
 *
 * Only POLLERR is a reset (tcp(7)). POLLHUP comes, too, when both sides have sent their FIN, and
 * what came before the peer's is still to be read then.
 */
import { POLLERR, POLLOUT, submitPollMany } from '../../kernel/submissions.js';
import { CQE_F_MORE } from '../../kernel/uring_abi.js';
import type { Holder } from './ending.js';
import type { Loop } from './loop.js';
import type { PairTable } from './pairs.js';
import { userData, WATCH } from './user_data.js';

export interface WatchOwner {
  /** Whether something waits for an event of `socket`'s watch. */
  waitsFor(socket: number): boolean;
  /** `socket` may take data again, or its end shows when it is written to. */
  writable(socket: number): void;
  /** The peer of `socket` has reset the connection. */
  gone(socket: number): void;
}

const OFF = 0;
const ARMED = 1;
/** Armed, and asked to end. */
const CANCELLING = 2;
/** As before, and wanted again. */
const AGAIN = 3;

export class Watches implements Holder {
  readonly #loop: Loop;
  readonly #pairs: PairTable;
  readonly #owner: WatchOwner;
  /** By socket. */
  readonly #state: Uint8Array;

  constructor(loop: Loop, pairs: PairTable, owner: WatchOwner) {
    this.#loop = loop;
    this.#pairs = pairs;
    this.#owner = owner;
    this.#state = new Uint8Array(2 * pairs.capacity);
    loop.on(
      WATCH,
      pairs.walled((socket, _, events, flags) => this.#told(socket, events, flags)),
      (socket, generation) =>
        pairs.generationOf(socket) === generation && (this.#state[socket] ?? OFF) >= CANCELLING,
    );
  }

  /** From now on, and until nothing waits any more, the owner gets its events. */
  begin(socket: number): void {
    const state = this.#state[socket];
    if (state === CANCELLING) this.#state[socket] = AGAIN;
    if (state !== OFF) return;
    const { ring } = this.#loop;
    this.#state[socket] = ARMED;
    this.#pairs.begin(socket);
    const fd = this.#pairs.fdOf(socket);
    submitPollMany(ring, fd, POLLOUT, userData(WATCH, socket), this.#pairs.generationOf(socket));
  }

  abandon(pair: number): void {
    for (const socket of [2 * pair, 2 * pair + 1]) {
      if (this.#state[socket] === AGAIN) this.#state[socket] = CANCELLING;
      this.#end(socket);
    }
  }

  #end(socket: number): void {
    if (this.#state[socket] !== ARMED) return;
    this.#state[socket] = CANCELLING;
    this.#loop.cancel(WATCH, socket, this.#pairs.generationOf(socket));
  }

  #told(socket: number, events: number, flags: number): void {
    const pairs = this.#pairs;
    const over = (flags & CQE_F_MORE) === 0;
    const again = this.#state[socket] === AGAIN;
    if (over) this.#state[socket] = OFF;
    if (pairs.relays(socket)) {
      if (events > 0) {
        this.#owner.writable(socket);
        if ((events & POLLERR) !== 0) this.#owner.gone(socket);
      }
      const wanted = pairs.relays(socket) && this.#owner.waitsFor(socket);
      if (wanted && (over || again)) this.begin(socket);
      else if (!wanted) this.#end(socket);
    }
  }
}
