/** Datagrams of flows that have no backend yet: copied, and bounded per flow and in all. */
import { HELD_DATAGRAM_BYTES, HELD_DATAGRAMS } from '../session/udp_port.js';

export class HeldDatagrams {
  /** By flow; undefined: the flow is not held. */
  readonly #held: (Uint8Array[] | undefined)[] = [];
  #bytes = 0;

  holds(flow: number): boolean {
    return this.#held[flow] !== undefined;
  }

  /** From now on the flow's datagrams are held. */
  begin(flow: number): void {
    this.#held[flow] ??= [];
  }

  /** Keeps a copy of `payload`, or says that there is no room. */
  add(flow: number, payload: Uint8Array): 'held' | 'full' {
    const held = this.#held[flow] ?? [];
    const bytes = this.#bytes + payload.length;
    if (held.length >= HELD_DATAGRAMS || bytes > HELD_DATAGRAM_BYTES) return 'full';
    held.push(payload.slice());
    this.#held[flow] = held;
    this.#bytes = bytes;
    return 'held';
  }

  /** `payload` is held again, whatever the limit: it was within another one until now. */
  addFirst(flow: number, payload: Uint8Array): void {
    this.#held[flow] = [payload];
    this.#bytes += payload.length;
  }

  /** Hands out what is held, in order; the flow is not held any more. */
  take(flow: number): readonly Uint8Array[] {
    const held = this.#held[flow] ?? [];
    this.#held[flow] = undefined;
    for (const payload of held) this.#bytes -= payload.length;
    return held;
  }
}
