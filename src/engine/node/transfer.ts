/** What a pair moves from one side to the other: handed on, held up, and counted. */
import type { PairId } from '../../core/brand.js';
import type { PairHost, Side } from './pair_state.js';
import type { Link } from './socket.js';

export class Transfer {
  readonly #host: PairHost;
  readonly #id: PairId;

  constructor(host: PairHost, id: PairId) {
    this.#host = host;
    this.#id = id;
  }

  /** Bytes that came from `side`. */
  count(side: Side, bytes: number): void {
    const counter = side === 'client' ? this.#host.bytesIn : this.#host.bytesOut;
    counter[this.#id] = (counter[this.#id] ?? 0) + bytes;
    this.stamp();
  }

  stamp(): void {
    this.#host.lastActivityMs[this.#id] = this.#host.clock.nowMs();
  }

  /** `chunk` has come from `side`, which is `from`. */
  move(side: Side, chunk: Buffer, from: Link, to: Link): void {
    this.count(side, chunk.length);
    // `write` says false for a large chunk even when the kernel has taken all of it.
    if (!to.socket.write(chunk) && to.socket.writableLength > 0) this.pause(from);
  }

  /** What a paused stream had read already. */
  handOnRest(side: Side, from: Link, to: Link): void {
    if (from.socket.readableLength === 0 || to.socket.writableEnded) return;
    const rest: unknown = from.socket.read();
    if (!(rest instanceof Uint8Array)) return;
    this.count(side, rest.length);
    to.socket.write(rest);
  }

  pause(from: Link): void {
    from.socket.pause();
    this.#host.standstill.begin(from);
  }

  resume(from: Link): void {
    this.#host.standstill.end(from);
    from.socket.resume();
  }
}
