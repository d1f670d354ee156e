/**
 * Copies of datagrams that opened a flow, until there is a reply, another datagram, or an ICMP
 * error: then the datagram can be sent again, to another backend. Bounded over all flows of a
 * worker; beyond, the oldest ones go, since an ICMP error comes at once or not at all.
 */

export const FIRST_DATAGRAM_BYTES = 1_048_576;

export class FirstDatagrams {
  /** By flow: 1: there is a copy. Looked at for each datagram, so not in the map. */
  readonly #kept: Uint8Array;
  /** In the order in which they came. */
  readonly #copies = new Map<number, Uint8Array>();
  #bytes = 0;

  constructor(capacity: number) {
    this.#kept = new Uint8Array(capacity);
  }

  /** `payload` is the keeper's from now on; `flow` has none. */
  keep(flow: number, payload: Uint8Array): void {
    if (payload.length > FIRST_DATAGRAM_BYTES) return;
    this.#copies.set(flow, payload);
    this.#kept[flow] = 1;
    this.#bytes += payload.length;
    while (this.#bytes > FIRST_DATAGRAM_BYTES) {
      const [oldest] = this.#copies.keys();
      if (oldest === undefined) return;
      this.take(oldest);
    }
  }

  has(flow: number): boolean {
    return this.#kept[flow] === 1;
  }

  /** The copy, if there still is one; it is the caller's. */
  take(flow: number): Uint8Array | null {
    const copy = this.#copies.get(flow);
    if (copy === undefined) return null;
    this.#copies.delete(flow);
    this.#kept[flow] = 0;
    this.#bytes -= copy.length;
    return copy;
  }

  /** The flow has had a reply from its backend, has sent more, or is over. */
  forget(flow: number): void {
    if (this.#kept[flow] === 1) this.take(flow);
  }
}
