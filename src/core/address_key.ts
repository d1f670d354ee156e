/**
 * An address as the bytes that source-hash hashes, and by which blocks, access lists and limits
 * know a client: 4 or 16 in network order. An IPv6 address that stands for an IPv4 one gives its 4
 * (RFC 4291, 2.5.5.2); a UNIX peer gives none.
 */
import type { Peer } from './endpoint.js';
import { isMapped, unmapped } from './ip_bytes.js';

/** Of a peer without an address. */
export const NO_KEY = new Uint8Array(0);

/** Bytes that are the caller's own. */
export function addressKey(peer: Peer): Uint8Array {
  return peer.kind === 'unix' ? NO_KEY : unmapped(peer.hostBytes());
}

/**
 * Room for one key at a time: the next one is written over it. So a key costs no array, however
 * many clients come.
 */
export class KeyRoom {
  readonly #words = new Int32Array(4);
  readonly #wide = new Uint8Array(this.#words.buffer);
  readonly #narrow = this.#wide.subarray(0, 4);
  readonly #inner = this.#wide.subarray(12);

  /** `addressKey` of `peer`, valid until the next call. */
  keyOf(peer: Peer): Uint8Array {
    if (peer.kind === 'unix') return NO_KEY;
    peer.putHost(this.#words, 0);
    if (peer.family === 4) return this.#narrow;
    return isMapped(this.#wide) ? this.#inner : this.#wide;
  }
}
