/**
 * The last part of a pair's life: nothing is relayed any more, and only `closed` will be reported.
 */
import type { Timer, Timers } from '../../core/clock.js';
import { FAREWELL_MS, LINGER_MS, type PairEnd } from '../../session/tcp_port.js';
import type { SendQueues } from './send_queue.js';
import { finish, type Link, reset, whenFlushed } from './socket.js';

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
    let unfinished = this.#links.length;
    const finished = (): void => {
      unfinished--;
      if (unfinished === 0) this.#farewell();
    };
    this.#lingerAtMost();
    for (const { socket } of this.#links) {
      if (socket.connecting) {
        socket.destroy();
        finished();
        continue;
      }
      if (socket.writableFinished) finished();
      else socket.once('finish', finished);
      finish(socket);
      socket.resume();
    }
  }

  /** The other side was reset: so will be `link`, when its peer has received what was written. */
  passReset(link: Link): void {
    this.#lingerAtMost();
    whenFlushed(link.socket, () => {
      if (link.kind === 'unix') reset(link);
      else this.#deps.sendQueues.whenDelivered(link.socket, () => reset(link));
    });
  }

  /** Resets whatever is still open. */
  cut(): void {
    for (const link of this.#links) reset(link);
  }

  /** Every socket is closed. */
  over(): void {
    this.#linger?.cancel();
  }

  /** Everything is sent: peers that do not finish soon are not waited for. */
  #farewell(): void {
    this.#linger?.cancel();
    this.#linger = this.#deps.timers.after(FAREWELL_MS, () => {
      for (const { socket } of this.#links) socket.destroy();
    });
  }

  #lingerAtMost(): void {
    this.#linger = this.#deps.timers.after(LINGER_MS, () => this.cut());
  }
}
