/** The sockets that clients send to, by the keys of their listeners. */
import { present } from '../../core/assert.js';
import type { IpEndpoint } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import type { Framing } from '../../session/udp_port.js';
import { OwnListeners } from '../own_listeners.js';
import type { UdpReceiver } from './udp_receiver.js';

/** libuv reads up to 32 datagrams of a socket in each; the first may be the rest of this one. */
const LAST_TURNS = 4;

export class UdpReceivers {
  readonly #byKey = new Map<ListenerKey, UdpReceiver>();
  readonly #own = new OwnListeners();

  /** `from`: whose socket `receiver` takes over; null: it opens one. */
  open(
    key: ListenerKey,
    receiver: UdpReceiver,
    source: ListenSource,
    from: ListenerKey | null,
  ): ListenOutcome {
    const before = from === null ? null : (this.#byKey.get(from) ?? null);
    const outcome = receiver.open(source, before);
    if (outcome.ok) {
      this.#byKey.set(key, receiver);
      if (outcome.local.kind === 'ip') this.#own.opened(key, outcome.local);
    }
    return outcome;
  }

  setFraming(key: ListenerKey, framing: Framing): void {
    const receiver = present(this.#byKey.get(key), 'a listener is open when it is framed');
    receiver.framing = framing;
  }

  /** What the kernel has is read first, as far as some turns of the event loop read. */
  async leave(key: ListenerKey): Promise<void> {
    const receiver = present(this.#byKey.get(key), 'a listener is open when it is left');
    receiver.beginLeave();
    for (let turn = 0; turn < LAST_TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    receiver.leave();
  }

  close(key: ListenerKey): void {
    this.#byKey.get(key)?.close();
    this.#byKey.delete(key);
    this.#own.closed(key);
  }

  closeAll(): void {
    for (const key of [...this.#byKey.keys()]) this.close(key);
  }

  /** True when `client` is one of these sockets: what it sends would go round for ever. */
  isOwn(client: IpEndpoint, nowMs: () => number): boolean {
    return this.#own.havePort(client.port) && this.#own.have(client, nowMs());
  }
}
