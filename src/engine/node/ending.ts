/**
 * The last part of a pair's life: nothing is relayed any more, and only `closed` will be reported.
 */
import type { Timer, Timers } from '../../core/clock.js';
import { FAREWELL_MS, LINGER_MS, type PairEnd } from '../../session/tcp_port.js';
import type { SendQueues } from './send_queue.js';
import { finish, type Link, resetLink } from './socket.js';

export interface EndingDeps {
  readonly timers: Timers;
  readonly sendQueues: SendQueues;
}

export class Ending {
  readonly end: PairEnd;
  readonly #deps: EndingDeps;
  readonly #links: readonly Link[];
  #linger: Timer | null = null;

  constructor(deps: EndingDeps, end: PairEnd, links: readonly Link[]) {
    this.#deps = deps;
    this.end = end;
    this.#links = links;
  }

  /** FIN both ways behind what was written; what still comes is read and dropped until FIN. */
  flush(): void {
    this.#lingerAtMost();
    const undelivered = new Set(this.#links);
    const delivered = (link: Link): void => {
      if (undelivered.delete(link) && undelivered.size === 0) this.#farewell();
    };
    for (const link of this.#links) {
      const { socket } = link;
      if (socket.connecting) socket.destroy();
      else {
        finish(socket);
        socket.resume();
      }
      if (socket.closed) delivered(link);
      else socket.once('close', () => delivered(link));
      if (socket.writableFinished) this.#whenDelivered(link, () => delivered(link));
      else socket.once('finish', () => this.#whenDelivered(link, () => delivered(link)));
    }
  }

  /** The other side was reset: so will be `link`, when its peer has received what was written. */
  passReset(link: Link): void {
    this.#lingerAtMost();
    this.#deps.sendQueues.whenDeliveredOrHopeless(link.socket, () => resetLink(link));
  }

  /** Resets whatever is still open. */
  cut(): void {
    for (const link of this.#links) resetLink(link);
  }

  /** Every socket is closed. */
  over(): void {
    this.#linger?.cancel();
  }

  /** Everything is delivered: peers that do not finish soon are not waited for. */
  #farewell(): void {
    if (this.#links.every(({ socket }) => socket.destroyed)) return;
    this.#linger?.cancel();
    this.#linger = this.#deps.timers.after(FAREWELL_MS, () => {
      for (const { socket } of this.#links) socket.destroy();
    });
  }

  #whenDelivered({ socket, kind }: Link, then: () => void): void {
    // What is written to a unix socket is in its peer's queue.
    if (kind === 'unix') then();
    else this.#deps.sendQueues.whenDelivered(socket, then);
  }

  #lingerAtMost(): void {
    this.#linger = this.#deps.timers.after(LINGER_MS, () => this.cut());
  }
}
