/**
 * The sockets of one bound address: one where the address is specific. On a wildcard a socket for
 * each address of this machine besides, because a reply leaves from the address that its socket is
 * bound to, and node:dgram cannot choose another; see docs/adr/0002-udp-replies.md.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { present } from '../../core/assert.js';
import type { Timer, Timers } from '../../core/clock.js';
import { type Endpoint, formatAddress, type IpEndpoint, ipEndpoint } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import { err, type Result } from '../../core/result.js';
import {
  adoptDescriptor,
  closeDescriptor,
  type Descriptor,
  duplicate,
} from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import { openListeningSocket } from '../../kernel/sockets.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import type { Framing } from '../../session/udp_port.js';
import { errorCode } from './failure.js';
import { type LocalAddress, localAddresses } from './local_addresses.js';
import { Downstream } from './udp_downstream.js';
import { discard, openBound } from './udp_socket.js';

/** What a receiver tells the engine. */
export interface ReceiverReports {
  received(down: Downstream, datagram: Buffer, from: RemoteInfo): void;
  /** A reply was not sent. */
  replyFailed(error: Error): void;
}

export interface UdpReceiverDeps {
  readonly timers: Timers;
  readonly kernel: Kernel | null;
}

/** How often the addresses of this machine are looked at while a wildcard is bound. */
const FOLLOW_MS = 2_000;
/** A burst of clients waits here for its turn; the kernel caps it at net.core.rmem_max. */
const RECEIVE_BUFFER_BYTES = 4 * 1_048_576;

export class UdpReceiver {
  framing: Framing;
  readonly #key: ListenerKey;
  readonly #deps: UdpReceiverDeps;
  readonly #reports: ReceiverReports;
  readonly #sent: (error: Error | null) => void;
  /** By local address; the bound address itself is among them. */
  readonly #downs = new Map<string, Downstream>();
  #follow: Timer | null = null;

  constructor(key: ListenerKey, framing: Framing, deps: UdpReceiverDeps, reports: ReceiverReports) {
    this.#key = key;
    this.framing = framing;
    this.#deps = deps;
    this.#reports = reports;
    this.#sent = (error) => {
      if (error !== null) reports.replyFailed(error);
    };
  }

  open(source: ListenSource): ListenOutcome {
    const { local } = source;
    if (local.kind === 'unix') return failed('ENOTSUP', local);
    const opened =
      source.kind === 'descriptor'
        ? this.#openDescriptor(source.fd, local.family)
        : bound(local, local.host, isWildcard(local) ? 'shared' : source.reusePort);
    if (!opened.ok) return failed(opened.error, local);
    const main = this.#add(opened.value, local, local.host);
    if (isWildcard(local)) this.#followAddresses(source, main.local);
    return { ok: true, local: main.local };
  }

  /** Its flows are closed. */
  close(): void {
    this.#follow?.cancel();
    for (const down of this.#downs.values()) discard(down.socket);
    this.#downs.clear();
  }

  /**
   * Opens sockets for addresses that came; closes those of addresses that went and have no flow.
   */
  #followAddresses(source: ListenSource, wildcard: IpEndpoint): void {
    const addresses = localAddresses(wildcard.family);
    for (const address of addresses) this.#openBeside(source, wildcard, address);
    const hosts = new Set([wildcard.host, ...addresses.map(({ bindHost }) => bindHost)]);
    for (const [host, down] of this.#downs) {
      if (hosts.has(host) || down.size > 0) continue;
      discard(down.socket);
      this.#downs.delete(host);
    }
    this.#follow = this.#deps.timers.after(FOLLOW_MS, () =>
      this.#followAddresses(source, wildcard),
    );
  }

  /**
   * What cannot be bound (the address has just gone, or is not ready yet) is left to the wildcard.
   */
  #openBeside(source: ListenSource, wildcard: IpEndpoint, address: LocalAddress): void {
    const { host, bindHost } = address;
    if (this.#downs.has(bindHost)) return;
    const local = ipEndpoint(wildcard.family, host, wildcard.port);
    const opened =
      source.kind === 'descriptor' ? this.#openByKernel(local) : bound(local, bindHost, 'shared');
    if (opened.ok) this.#add(opened.value, local, bindHost);
  }

  /** The descriptor stays control's own. */
  #openDescriptor(fd: number, family: 4 | 6): Result<Socket, string> {
    const kernel = present(this.#deps.kernel, 'a descriptor was made by foreign calls');
    const copy = duplicate(kernel, adoptDescriptor(fd));
    if (!copy.ok) return err(copy.error.errno);
    return adopted(kernel, family, copy.value);
  }

  /** SO_REUSEPORT, as the wildcard's descriptor has it: node:dgram knows it from 22.12 on only. */
  #openByKernel(local: IpEndpoint): Result<Socket, string> {
    const kernel = present(this.#deps.kernel, 'a descriptor was made by foreign calls');
    const options = { local, protocol: 'udp', reusePort: 'shared', backlog: 0 } as const;
    const opened = openListeningSocket(kernel, options);
    if (!opened.ok) return err(opened.error.errno);
    return adopted(kernel, local.family, opened.value.fd);
  }

  #add(socket: Socket, local: IpEndpoint, bindHost: string): Downstream {
    const { port } = socket.address();
    const real = ipEndpoint(local.family, local.host, port);
    const down = new Downstream(this.#key, real, socket, this.#sent);
    const { received } = this.#reports;
    socket.on('message', (payload, from) => received(down, payload, from));
    // An error of a socket that is not connected concerns one datagram of some client, and is over.
    socket.on('error', () => {});
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    this.#downs.set(bindHost, down);
    return down;
  }
}

/** A socket of node:dgram over `fd`, which it owns from then on, or the errno's name. */
function adopted(kernel: Kernel, family: 4 | 6, fd: Descriptor): Result<Socket, string> {
  const opened = openBound(family, { fd });
  if (opened.ok) return opened;
  closeDescriptor(kernel, fd);
  return err(errorCode(opened.error));
}

function bound(
  local: IpEndpoint,
  host: string,
  sharing: 'shared' | 'exclusive',
): Result<Socket, string> {
  const opened = openBound(local.family, { host, port: local.port, sharing });
  return opened.ok ? opened : err(errorCode(opened.error));
}

function isWildcard(local: IpEndpoint): boolean {
  return local.host === '0.0.0.0' || local.host === '::';
}

function failed(errno: string, local: Endpoint): ListenOutcome {
  const sentence = `cannot receive datagrams on ${formatAddress(local)}: ${errno}`;
  return { ok: false, errno, sentence };
}
