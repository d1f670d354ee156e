/**
 * A connection to a server, as its client sees it: only `changed` is called back, everything else
 * is polled. There are two kinds: sockets of Node.js, which work everywhere, and descriptors by
 * foreign calls, which cost a third.
 */
import type { Endpoint, IpEndpoint } from './endpoint.js';

export interface Wire {
  /**
   * What broke it; its `code` is the errno's name, or it is an InvariantError: a defect of ours.
   * null: nothing so far. To be looked at after each call: one that breaks it calls nothing back.
   */
  readonly error: Error | null;
  /** The connection stands, or stood. */
  readonly connected: boolean;
  /** Everything that was written is with the kernel, also an end. */
  readonly sent: boolean;
  /** The other side has sent all that it will send. */
  readonly ended: boolean;
  /** The descriptor is free. */
  readonly closed: boolean;
  /**
   * What has come, to be used or copied before the next call; null: nothing yet, or no more. After
   * null `changed` is called when something has come.
   */
  read(): Uint8Array | null;
  write(bytes: Uint8Array | string): void;
  /** Writes `goodbye`, then FIN. Nothing is read any more. */
  end(goodbye: Uint8Array | string): void;
  /** True for a connection that has met itself (engine/self_dials.ts has the whole story). */
  isToItself(): boolean;
  /** Closes, by a reset. */
  reset(): void;
  /** Closes at once; `closed` follows. */
  destroy(): void;
}

/** What will be said over a wire. `nothing`: it is closed as soon as it stands. */
export type Talk = 'nothing' | 'something';

/**
 * Begins to connect. `changed` is called, never from inside, when something of the wire may have
 * become another. `source`: the address of this machine to dial from; else the kernel chooses.
 */
export type WireDial = (
  endpoint: Endpoint,
  talk: Talk,
  changed: () => void,
  source?: IpEndpoint | null,
) => Wire;
