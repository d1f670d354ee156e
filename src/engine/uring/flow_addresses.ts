/**
 * Where each flow's client is and which local address it used, as the words that the kernel wrote
 * and wants back. They become endpoints on demand.
 */
import { type IpEndpoint, ipEndpoint, type PeerEndpoint } from '../../core/endpoint.js';
import { ipText } from '../../core/ip_bytes.js';
import { PKTINFO_WORDS, pktinfoAddressAt, writePktinfo } from '../../kernel/messages.js';
import { decodePeer, SOCKADDR_IN_BYTES, SOCKADDR_IN6_BYTES } from '../../kernel/sockaddr.js';

/** sockaddr_in6 is 7 words. */
export const NAME_WORDS = 8;
const ROW_WORDS = NAME_WORDS + PKTINFO_WORDS;

export class FlowAddresses {
  /** By flow: a name and a control message. */
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  /** By flow: the lengths of both; 0: no control message. */
  readonly nameBytes: Uint8Array;
  readonly controlBytes: Uint8Array;
  readonly #clients: (PeerEndpoint | undefined)[] = [];
  readonly #locals: (IpEndpoint | undefined)[] = [];

  constructor(capacity: number) {
    this.words = new Int32Array(capacity * ROW_WORDS);
    this.#bytes = new Uint8Array(this.words.buffer);
    this.nameBytes = new Uint8Array(capacity);
    this.controlBytes = new Uint8Array(capacity);
  }

  /** The word at which `flow`'s name begins. */
  nameAt(flow: number): number {
    return flow * ROW_WORDS;
  }

  /** The word at which `flow`'s control message begins. */
  controlAt(flow: number): number {
    return flow * ROW_WORDS + NAME_WORDS;
  }

  /** Takes down the client, whose sockaddr of `family` stands in `source` at word `at`. */
  record(flow: number, family: 4 | 6, source: Int32Array, at: number): void {
    const bytes = family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
    const row = this.nameAt(flow);
    for (let word = 0; word < bytes / 4; word++) this.words[row + word] = source[at + word] ?? 0;
    this.nameBytes[flow] = bytes;
    this.controlBytes[flow] = 0;
    this.#clients[flow] = undefined;
    this.#locals[flow] = undefined;
  }

  /** Replies of `flow` leave from `address`, its words; `scope`: its interface, or 0. */
  replyFrom(flow: number, family: 4 | 6, address: Int32Array, scope: number): void {
    const at = this.controlAt(flow);
    this.controlBytes[flow] = writePktinfo(this.words, at, family, address, scope);
  }

  client(flow: number): PeerEndpoint {
    let client = this.#clients[flow];
    if (client === undefined) {
      client = decodePeer(this.words, this.nameAt(flow));
      this.#clients[flow] = client;
    }
    return client;
  }

  /** The address that the client used, at a listener that is bound to `bound`. */
  local(flow: number, bound: IpEndpoint): IpEndpoint {
    if (this.controlBytes[flow] === 0) return bound;
    let local = this.#locals[flow];
    if (local === undefined) {
      const { family, port } = bound;
      const at = 4 * pktinfoAddressAt(family, this.controlAt(flow));
      local = ipEndpoint(family, ipText(family, this.#bytes, at), port);
      this.#locals[flow] = local;
    }
    return local;
  }
}
