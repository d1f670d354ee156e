/** One UDP flow as the node engine holds it: where the client is, and its socket upstream. */
import type { RemoteInfo, Socket } from 'node:dgram';
import { present } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import { type PeerEndpoint, systemPeer } from '../../core/endpoint.js';
import type { Downstream } from './udp_downstream.js';

/**
 * What node:dgram reports of a send: `bytes` is the length of the whole message, and missing where
 * the kernel refused it at once. It is reported before any other event of a socket.
 */
export type Sent = (error: Error | null, bytes?: number) => void;

/** The socket to the backend, and what its sends report to: one function for all of them. */
export interface Upstream {
  readonly socket: Socket;
  readonly sent: Sent;
  /** The payload that was sent last. */
  lastBytes: number;
}

/** Bytes that wait in Node.js for room in a socket's buffer; beyond, datagrams are dropped. */
export const MAX_QUEUED_BYTES = 1_048_576;

export class NodeFlow {
  readonly id: FlowId;
  /** The socket that the client sends to, and that replies leave from. */
  readonly down: Downstream;
  readonly client: PeerEndpoint;
  /** As node:dgram has it, with a zone where there is one. */
  readonly host: string;
  /** What distinguishes clients behind one proxy; '' elsewhere. */
  readonly tag: string;
  /** Connected; null: none yet, or the last attempt failed. */
  up: Upstream | null = null;
  /** Goes in front of every datagram towards the backend. */
  prelude: Uint8Array | null = null;
  /** What the sends of replies report to, and the length of the last one. */
  replied: Sent = () => {};
  lastReplyBytes = 0;

  constructor(id: FlowId, down: Downstream, client: PeerEndpoint, host: string, tag: string) {
    this.id = id;
    this.down = down;
    this.client = client;
    this.host = host;
    this.tag = tag;
  }
}

/** node:dgram gives addresses only. */
export function senderOf({ address, port }: RemoteInfo): PeerEndpoint {
  return present(systemPeer(address, port), 'a datagram comes from an IP address');
}

/** The payload's part of a message of `bytes`. */
export function payloadOf({ prelude }: NodeFlow, bytes: number | undefined): number | null {
  return bytes === undefined ? null : bytes - (prelude?.length ?? 0);
}
