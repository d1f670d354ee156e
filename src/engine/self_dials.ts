/**
 * A connection to itself. Where nothing listens at a port of this machine that is also one of those
 * that connect(2) takes source ports from, it may take that very port. The connection then finds
 * itself (simultaneous open, RFC 9293, 3.5) and succeeds: once in 14,116 dials with Linux's usual
 * range. A client would get its own bytes back, and the port would be taken when the backend
 * returns. A datagram socket does the same. Nothing listens there, so it is a refused dial.
 *
 * Only the names of the connection show it, and reading them is a system call. So they are read
 * only where that can happen: the port is in the range, and the backend is on this machine. An
 * earlier connection has shown whether it is: its own host is the backend's. No list of addresses
 * knows as much (routes of type local, wildcards, a source address), and it is checked again now
 * and then, because addresses move.
 */
import type { Endpoint } from '../core/endpoint.js';
import type { PortRange } from '../core/port_range.js';

/** A backend that was on another machine is known to be on this one after at most this long. */
const ASK_MS = 2_000;
/** The range is read again, because operators widen it. */
const RANGE_MS = 10_000;

/** A backend whose port is a source port; one for each endpoint, kept by identity. */
export interface Suspect {
  readonly port: number;
  /** `here`: a connection to it has had the backend's host as its own. */
  place: 'here' | 'elsewhere';
  /** When one that is elsewhere is to be asked about again, on the engine's clock. */
  dueMs: number;
}

export class SelfDials {
  readonly #readRange: () => PortRange | null;
  /** null: unknown, so it may be any port. */
  #range: PortRange | null = null;
  #rangeDueMs = Number.NEGATIVE_INFINITY;
  readonly #suspects = new WeakMap<Endpoint, Suspect>();

  constructor(readRange: () => PortRange | null) {
    this.#readRange = readRange;
  }

  /** What to ask `isOne` about when a connection to `target` is made; null: nothing. */
  suspect(target: Endpoint, nowMs: number): Suspect | null {
    if (target.kind === 'unix' || !this.#isSourcePort(target.port, nowMs)) return null;
    let suspect = this.#suspects.get(target);
    if (suspect === undefined) {
      suspect = { port: target.port, place: 'elsewhere', dueMs: Number.NEGATIVE_INFINITY };
      this.#suspects.set(target, suspect);
    }
    return suspect.place === 'here' || nowMs >= suspect.dueMs ? suspect : null;
  }

  /**
   * True: the connection is to itself, and is to be ended without a trace (a reset, so that its
   * port is free at once). `localPort` is its own port, `sameHost` says whether its own host and
   * its peer's are the same; both as the kernel names them.
   */
  isOne(suspect: Suspect, localPort: number, sameHost: () => boolean, nowMs: number): boolean {
    const samePort = localPort === suspect.port;
    if (suspect.place === 'here' && !samePort) return false;
    const same = sameHost();
    if (same) suspect.place = 'here';
    suspect.dueMs = nowMs + ASK_MS;
    return same && samePort;
  }

  #isSourcePort(port: number, nowMs: number): boolean {
    if (nowMs >= this.#rangeDueMs) {
      this.#rangeDueMs = nowMs + RANGE_MS;
      // It cannot be read for want of descriptors, say: what was known is the best guess.
      this.#range = this.#readRange() ?? this.#range;
    }
    const range = this.#range;
    return range === null || (port >= range.first && port <= range.last);
  }
}
