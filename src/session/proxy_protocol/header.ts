/** What a PROXY protocol header says, whichever version wrote it (HAProxy's proxy-protocol.txt). */
import { type Endpoint, type Peer, plainEndpoint } from '../../core/endpoint.js';

/** Section 2.2: `0D 0A 0D 0A 00 0D 0A "QUIT" 0A`. */
export const SIGNATURE_V2 = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);
/** Signature, version and command, family and transport, length. */
export const FIXED_BYTES_V2 = 16;
/** Section 2.1: the longest line of version 1, CR and LF included. */
export const MAX_LINE_BYTES_V1 = 107;
/** Room for one path of AF_UNIX: sun_path of unix(7). */
export const UNIX_PATH_BYTES = 108;

/** Types of TLV that this codec looks into (section 2.2, PP2_TYPE_…); others pass through. */
export const TLV = { authority: 0x02, crc32c: 0x03, noop: 0x04, uniqueId: 0x05 } as const;

export interface Tlv {
  /** 0 to 255 */
  readonly type: number;
  readonly value: Uint8Array;
}

export type Transport = 'stream' | 'dgram';

/** The addresses that a connection is made for; null where they are unknown. */
export interface ProxyHeader {
  readonly transport: Transport;
  readonly source: Endpoint | null;
  readonly destination: Endpoint | null;
  readonly tlvs: readonly Tlv[];
}

/** What the header of a trusted proxy has said of its client. */
export interface ProxiedClient extends ProxyHeader {
  readonly source: Peer | null;
}

/** As a message to another thread can carry it. */
export function plainHeader(header: ProxyHeader): ProxyHeader {
  const { source, destination } = header;
  return {
    ...header,
    source: source === null ? null : plainEndpoint(source),
    destination: destination === null ? null : plainEndpoint(destination),
  };
}

export type ParsedHeader =
  /** What came so far is the beginning of a header. In a datagram it is as bad as `bad`. */
  | { readonly kind: 'need-more' }
  | {
      readonly kind: 'header';
      readonly version: 1 | 2;
      /** `local`: the proxy speaks for itself; the real addresses of the connection count. */
      readonly command: 'proxy' | 'local';
      /** null for `local`, and for a family or transport that is not specified. */
      readonly transport: Transport | null;
      /** null: not given; the real address counts. An unnamed UNIX peer has an empty path. */
      readonly source: Peer | null;
      readonly destination: Peer | null;
      /** In the order of the header; the values are copies. */
      readonly tlvs: readonly Tlv[];
      /** Bytes of the whole header: the payload begins here. */
      readonly length: number;
    }
  /** No header, and no further byte can make it one. `reason` is a short sentence for a log. */
  | { readonly kind: 'bad'; readonly reason: string };

export const NEED_MORE_OF_HEADER: ParsedHeader = { kind: 'need-more' };
export const bad = (reason: string): ParsedHeader => ({ kind: 'bad', reason });
