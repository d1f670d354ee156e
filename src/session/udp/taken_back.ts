/**
 * What a listener has counted as handed on and what came back after that. A metric that falls is a
 * restart to Prometheus, so it goes from what is counted next.
 */
import type { HandedOn } from '../udp_port.js';

/** What is counted of datagrams, by the names of the engine's arrays and of the columns. */
export const HANDED_ON = ['bytesIn', 'bytesOut', 'datagramsIn', 'datagramsOut'] as const;

export type HandedOnCounts = Record<(typeof HANDED_ON)[number], number>;

export function noneHandedOn(): HandedOnCounts {
  return { bytesIn: 0, bytesOut: 0, datagramsIn: 0, datagramsOut: 0 };
}

export class TakenBack {
  readonly #owed = noneHandedOn();

  add(what: keyof HandedOnCounts, count: number): void {
    this.#owed[what] += count;
  }

  datagram({ way, bytes }: HandedOn): void {
    this.add(way === 'in' ? 'bytesIn' : 'bytesOut', bytes);
    this.add(way === 'in' ? 'datagramsIn' : 'datagramsOut', 1);
  }

  /** What of `count` is to be counted. */
  without(what: keyof HandedOnCounts, count: number): number {
    const owed = Math.min(count, this.#owed[what]);
    this.#owed[what] -= owed;
    return count - owed;
  }
}
