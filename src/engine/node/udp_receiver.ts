/**
 * The sockets of one bound address: one where the address is specific. On a wildcard one for each
 * address of this machine, because a reply leaves from the address that its socket is bound to, and
 * node:dgram cannot choose another; see docs/adr/0002-udp-replies.md.
 */
import type { RemoteInfo } from 'node:dgram';
import type { Timer, Timers } from '../../core/clock.js';
import {
  type Endpoint,
  formatAddress,
  type IpEndpoint,
  ipEndpoint,
  isWildcard,
} from '../../core/endpoint.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { ListenSource } from '../../core/plan.js';
import { err, ok, type Result } from '../../core/result.js';
import type { AddressedDatagram } from '../../kernel/addressed_datagrams.js';
import { RECEIVE_BUFFER_BYTES } from '../../kernel/datagram_sockets.js';
import type { Kernel } from '../../kernel/foreign.js';
import { ReplySocket, receiveNoMore } from '../../kernel/reply_socket.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import type { Framing } from '../../session/udp_port.js';
import { asked } from './failure.js';
import { type LocalAddress, zoned } from './local_addresses.js';
import type { Polled } from './polled.js';
import { CatchAll, type CatchAllMeans } from './udp_catch_all.js';
import { Downstream } from './udp_downstream.js';
import { type BoundSocket, openBeside, openMain, ownDescriptor } from './udp_opening.js';
import { discard } from './udp_socket.js';

/** What a receiver reports to the engine. */
export interface ReceiverReports {
  received(down: Downstream, datagram: Buffer, from: RemoteInfo): void;
  /** A datagram was lost before it reached a flow. */
  dropped(reason: DatagramDrop): void;
  /** An invariant broke while one datagram was dealt with. */
  broken(error: unknown): void;
}

export interface UdpReceiverDeps {
  readonly timers: Timers;
  readonly kernel: Kernel | null;
  /** The addresses of this machine that can be listed, or why they cannot be at the moment. */
  readonly addresses: (family: 4 | 6) => Result<readonly LocalAddress[], string>;
  readonly polled: Polled;
  /** Made with the first wildcard: memory that is mapped once is not given back before the end. */
  readonly reader: CatchAllMeans['reader'];
}

/** How often the addresses of this machine are looked at while a wildcard is bound. */
const FOLLOW_MS = 2_000;
/** Addresses of one wildcard that have a socket; more than that only come from a scan. */
const MAX_ADDRESSES = 1_024;

export class UdpReceiver {
  framing: Framing;
  readonly #key: ListenerKey;
  readonly #deps: UdpReceiverDeps;
  readonly #reports: ReceiverReports;
  /** By local address with its zone; on a wildcard without foreign calls that itself, too. */
  readonly #downs = new Map<string, Downstream>();
  #catchAll: CatchAll | null = null;
  #follow: Timer | null = null;

  constructor(key: ListenerKey, framing: Framing, deps: UdpReceiverDeps, reports: ReceiverReports) {
    this.#key = key;
    this.framing = framing;
    this.#deps = deps;
    this.#reports = reports;
  }

  /** `before` has the same socket, and those beside it: they are this one's from now on. */
  open(source: ListenSource, before: UdpReceiver | null): ListenOutcome {
    const { local } = source;
    if (local.kind === 'unix') return failed('ENOTSUP', local);
    const wildcard = isWildcard(local);
    if (before !== null) this.#takeOver(before);
    const [known] = this.#downs.values();
    let outcome: ListenOutcome;
    if (wildcard && source.kind === 'descriptor') outcome = this.#openCatchAll(source, local);
    else if (known !== undefined) outcome = { ok: true, local: known.local };
    else outcome = this.#openMain(source, local);
    if (wildcard && outcome.ok && outcome.local.kind === 'ip') {
      this.#followAddresses(source, outcome.local);
    }
    return outcome;
  }

  /**
   * Before `leave`: what comes to a wildcard from now on is for the holder of that. Sockets beside
   * it have no other holder, and what had come to them is still read.
   */
  beginLeave(): void {
    const { kernel } = this.#deps;
    if (kernel === null || this.#catchAll === null) return;
    this.#follow?.cancel();
    this.#catchAll.close();
    this.#catchAll = null;
    for (const { fd, local, replies } of this.#downs.values()) {
      if (fd !== null && replies === null) receiveNoMore(kernel, fd, local);
    }
  }

  /**
   * Receives no more; flows reply as before. Where Node.js has opened a socket by itself it has no
   * other holder, and it is read until it is closed.
   */
  leave(): void {
    this.#follow?.cancel();
    this.#catchAll?.close();
    this.#catchAll = null;
    for (const down of this.#downs.values()) this.#stopReading(down);
  }

  /** Its flows are closed. */
  close(): void {
    this.#follow?.cancel();
    this.#catchAll?.close();
    for (const [host, down] of this.#downs) this.#drop(host, down);
  }

  /** Flows of `before` reply as they do after it was left. */
  #takeOver(before: UdpReceiver): void {
    for (const [zonedHost, down] of before.#downs) {
      if (down.replies !== null || !this.#replyBeside(down)) continue;
      const { local, socket, fd } = down;
      socket.removeAllListeners('message');
      this.#hear(zonedHost, new Downstream(this.#key, local, { socket, fd }));
    }
    before.leave();
  }

  #openMain(source: ListenSource, local: IpEndpoint): ListenOutcome {
    const opened = openMain(this.#deps.kernel, source, local);
    if (!opened.ok) return failed(opened.error, local);
    const added = this.#add(opened.value, local, local.host);
    return added.ok ? { ok: true, local: added.value.local } : failed(added.error, local);
  }

  #openCatchAll(source: ListenSource & { kind: 'descriptor' }, local: IpEndpoint): ListenOutcome {
    const { kernel } = this.#deps;
    const copy = ownDescriptor(kernel, source.fd);
    if (!copy.ok || kernel === null) return failed(copy.ok ? 'ENOSYS' : copy.error, local);
    // The look is not a callback of one flow: a defect in dealing with one datagram costs that
    // datagram.
    const received = (datagram: AddressedDatagram): void => {
      try {
        this.#learn(source, local, datagram);
      } catch (error) {
        this.#reports.broken(error);
      }
    };
    const opened = CatchAll.open({ ...this.#deps, kernel }, copy.value, local.family, received);
    if (!opened.ok) return failed(opened.error, local);
    this.#catchAll = opened.value;
    return { ok: true, local };
  }

  /**
   * Sockets open for addresses that came, and close for those that went and have no flow. While the
   * addresses are unknown, all stays as it is.
   */
  #followAddresses(source: ListenSource, wildcard: IpEndpoint): void {
    const listed = this.#deps.addresses(wildcard.family);
    if (listed.ok) this.#settle(source, wildcard, listed.value);
    this.#follow = this.#deps.timers.after(FOLLOW_MS, () =>
      this.#followAddresses(source, wildcard),
    );
  }

  #settle(source: ListenSource, wildcard: IpEndpoint, addresses: readonly LocalAddress[]): void {
    for (const address of addresses) this.#beside(source, wildcard, address);
    const keep = new Set([wildcard.host, ...addresses.map(({ zonedHost }) => zonedHost)]);
    for (const [host, down] of this.#downs) {
      if (keep.has(host) || down.size > 0) continue;
      this.#drop(host, down);
    }
  }

  /** A datagram to an address that has no socket yet: from now on it has one. */
  #learn(source: ListenSource, wildcard: IpEndpoint, datagram: AddressedDatagram): void {
    const { from, to, scopeId, payload } = datagram;
    const zonedHost = zoned(to, scopeId);
    const address = zoned(from.host, scopeId);
    if (!zonedHost.ok || !address.ok) return this.#reports.dropped('resource-limit');
    const known = { host: to, zonedHost: zonedHost.value, scopeId };
    const down = this.#beside(source, wildcard, known);
    if (down === null) return this.#reports.dropped('resource-limit');
    this.#reports.received(down, Buffer.from(payload.buffer), {
      address: address.value,
      family: from.family === 4 ? 'IPv4' : 'IPv6',
      port: from.port,
      size: payload.length,
    });
  }

  /** Null: it cannot be bound (it has just gone, or is not ready yet): left to the wildcard. */
  #beside(source: ListenSource, wildcard: IpEndpoint, address: LocalAddress): Downstream | null {
    const known = this.#downs.get(address.zonedHost);
    if (known !== undefined) return known;
    if (this.#downs.size >= MAX_ADDRESSES) return null;
    const local = ipEndpoint(wildcard.family, address.host, wildcard.port);
    const opened = openBeside(this.#deps.kernel, source, local, address);
    if (!opened.ok) return null;
    const added = this.#add(opened.value, local, address.zonedHost);
    return added.ok ? added.value : null;
  }

  #stopReading(down: Downstream): void {
    if (down.replies === null && this.#replyBeside(down)) this.#discard(down);
  }

  /** Replies need its socket no more; false: there is no descriptor for that. */
  #replyBeside(down: Downstream): boolean {
    const { kernel } = this.#deps;
    if (kernel === null || down.fd === null) return false;
    const replies = ReplySocket.beside(kernel, down.fd);
    if (replies.ok) down.replies = replies.value;
    return replies.ok;
  }

  #drop(zonedHost: string, down: Downstream): void {
    if (down.replies !== null) down.replies.close();
    else this.#discard(down);
    this.#downs.delete(zonedHost);
  }

  #discard({ socket, fd }: Downstream): void {
    if (fd !== null) this.#deps.polled.remove(fd);
    discard(socket);
  }

  /** The socket receives from now on; an errno's name: the kernel did not give its port. */
  #add(bound: BoundSocket, local: IpEndpoint, zonedHost: string): Result<Downstream, string> {
    const { socket, fd } = bound;
    const name = asked(() => socket.address());
    if (!name.ok) {
      discard(socket);
      return err(name.error);
    }
    if (fd !== null) this.#deps.polled.add(fd);
    const real = ipEndpoint(local.family, local.host, name.value.port);
    const down = new Downstream(this.#key, real, bound);
    this.#hear(zonedHost, down);
    // An error of a socket that is not connected concerns one datagram of some client, and is over.
    socket.on('error', () => {});
    // Less room than wanted is no reason not to receive.
    asked(() => socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES));
    return ok(down);
  }

  #hear(zonedHost: string, down: Downstream): void {
    const { received } = this.#reports;
    down.socket.on('message', (payload, from) => received(down, payload, from));
    this.#downs.set(zonedHost, down);
  }
}

function failed(errno: string, local: Endpoint): ListenOutcome {
  const sentence = `cannot receive datagrams on ${formatAddress(local)}: ${errno}`;
  return { ok: false, errno, sentence };
}
