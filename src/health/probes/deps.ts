/** What probes take from outside: only src/system reads a clock or entropy. */
import type { Clock, Timers } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import type { WireDial } from '../../core/wire.js';

export interface ProbeDeps {
  /** Wall time, against which certificates are held. */
  readonly clock: Clock;
  /** For pauses between attempts to connect. */
  readonly timers: Timers;
  /** What plain connections are made by; null: sockets of Node.js. */
  readonly dial?: WireDial | null;
  /** For identifiers that need no secrecy. */
  readonly random: Random;
  /**
   * A fresh unguessable text of printable ASCII without commas, at least 18 random bytes in base64:
   * a guessed one would let a false server replay a SCRAM exchange (RFC 5802, section 9).
   */
  readonly nonce: () => string;
}
