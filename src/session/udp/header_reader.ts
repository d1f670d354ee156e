/**
 * The PROXY header at the beginning of each datagram (proxy-protocol.txt, section 2, as of
 * 2026-04-27: header and payload in one datagram, and each datagram parsed by itself).
 */
import { inBlocks } from '../../core/address_block.js';
import { formatAddress, type Peer, type PeerEndpoint } from '../../core/endpoint.js';
import type { AddressBlock } from '../../core/spec.js';
import type { ProxiedClient } from '../proxy_protocol/header.js';
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
    const tag = `${formatAddress(source)} ${formatAddress(destination)}`;
    return { kind: 'payload', offset: length, tag };
  }
}
