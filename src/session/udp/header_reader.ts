/**
 * The PROXY header at the beginning of each datagram (proxy-protocol.txt, section 2, as of
 * 2026-04-27: header and payload in one datagram, and each datagram parsed by itself).
 */
import { inBlocks } from '../../core/address_block.js';
import type { Peer, PeerEndpoint } from '../../core/endpoint.js';
import type { AddressBlock } from '../../core/spec.js';
import { FIXED_BYTES_V2, type ProxiedClient, UNIX_PATH_BYTES } from '../proxy_protocol/header.js';
import { parse } from '../proxy_protocol/parse.js';
import type { Unwrapped } from '../udp_port.js';

const BAD: Unwrapped = { kind: 'drop', reason: 'bad-proxy-header' };
const UNTRUSTED: Unwrapped = { kind: 'drop', reason: 'untrusted-proxy' };

export class HeaderReader {
  readonly #trusts: (peer: Peer) => boolean;
  #last: ProxiedClient | null = null;

  constructor(trustedProxies: readonly AddressBlock[]) {
    this.#trusts = inBlocks(trustedProxies);
  }

  /** What the header of the last datagram named; null: the socket's own addresses count. */
  get last(): ProxiedClient | null {
    return this.#last;
  }

  /** Version 2 only: the line of version 1 is for TCP only. */
  read(peer: PeerEndpoint, datagram: Uint8Array): Unwrapped {
    this.#last = null;
    if (!this.#trusts(peer)) return UNTRUSTED;
    const parsed = parse(datagram);
    if (parsed.kind !== 'header' || parsed.version !== 2 || parsed.transport === 'stream') {
      return BAD;
    }
    const { source, destination, tlvs, length } = parsed;
    if (source === null || destination === null) {
      return { kind: 'payload', offset: length, tag: '' };
    }
    this.#last = { transport: 'dgram', source, destination, tlvs };
    return { kind: 'payload', offset: length, tag: tagOf(datagram, source) };
  }
}

/** Both addresses and ports as the header has them: they are compared and never read. */
function tagOf({ buffer, byteOffset }: Uint8Array, source: Peer): string {
  const bytes = source.kind === 'unix' ? 2 * UNIX_PATH_BYTES : source.family === 4 ? 12 : 36;
  return Buffer.from(buffer, byteOffset + FIXED_BYTES_V2, bytes).toString('latin1');
}
