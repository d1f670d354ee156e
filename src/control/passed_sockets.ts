/**
 * Listening sockets that systemd has opened and passes at the start (systemd.socket(5)): a listener
 * asks for those of one name by `activation`. They stay systemd's own; what is handed out are
 * duplicates, so that a listener may come back.
 */
import { type Endpoint, formatAddress, isWildcard } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import type { EngineName, ListenerSpec } from '../core/spec.js';
import {
  adoptDescriptor,
  closeDescriptor,
  type Descriptor,
  duplicate,
} from '../kernel/descriptor.js';
import type { Kernel } from '../kernel/foreign.js';
import { type InheritedSocket, inheritedSocket } from '../kernel/inherited_socket.js';
import type { InheritedDescriptor } from '../system/inherited.js';
import type { HandedSocket } from './kept_sockets.js';

type Protocol = ListenerSpec['protocol'];

/** Between two processes: in front of the name that systemd has given. */
const PREFIX = 'activation/';

interface PassedSocket extends InheritedSocket {
  readonly name: string;
  readonly fd: Descriptor;
  use: 'none' | 'a listener';
}

export class PassedSockets {
  readonly #kernel: Kernel | null;
  readonly #sockets: PassedSocket[];
  /** Why there is no kernel. */
  readonly #lack: string;

  constructor(kernel: Result<Kernel, string>, inherited: readonly InheritedDescriptor[]) {
    this.#kernel = kernel.ok ? kernel.value : null;
    this.#lack = kernel.ok ? '' : kernel.error;
    this.#sockets = kernel.ok ? adopted(kernel.value, inherited) : [];
  }

  /** Duplicates of the sockets called `name` at `wanted`, for the caller to close; one or more. */
  take(
    name: string,
    protocol: Protocol,
    wanted: Endpoint,
    engine: EngineName,
  ): Result<readonly Descriptor[], string> {
    const kernel = this.#kernel;
    if (kernel === null) return err(`activation needs foreign calls: ${this.#lack}`);
    const named = this.#sockets.filter((socket) => socket.name === name);
    if (named.length === 0) return err(this.#unknown(name));
    const found = named.filter((socket) => isAt(socket, protocol, wanted));
    const [first] = found;
    if (first === undefined) {
      const places = named.map(placeText).join(', ');
      return err(
        `systemd's socket "${name}" is ${places}: make bind, protocol and the socket unit agree`,
      );
    }
    if (first.families === 'both') {
      return err(
        `systemd's socket "${name}" takes IPv4 too: set BindIPv6Only=ipv6-only in its unit, and ` +
          'give it a ListenStream= for IPv4',
      );
    }
    if (protocol === 'udp' && engine === 'node' && wanted.kind === 'ip' && isWildcard(wanted)) {
      return err('the node engine takes no wildcard for datagrams: name the address in the unit');
    }
    for (const socket of found) socket.use = 'a listener';
    return copies(kernel, found);
  }

  /** All of them, for a process that takes the place of this one. */
  get handed(): readonly HandedSocket[] {
    return this.#sockets.map(({ fd, name }) => ({ fd, name: `${PREFIX}${name}` }));
  }

  /** Another process has them now; duplicates that were handed out are their users' to close. */
  handOver(): void {
    if (this.#kernel === null) return;
    for (const { fd } of this.#sockets.splice(0)) closeDescriptor(this.#kernel, fd);
  }

  /** The name of systemd's socket at `wanted`; null: there is none. */
  nameAt(protocol: Protocol, wanted: Endpoint): string | null {
    return this.#sockets.find((socket) => isAt(socket, protocol, wanted))?.name ?? null;
  }

  /** Sockets that no listener has asked for, for a log. */
  unused(): readonly string[] {
    return this.#sockets
      .filter(({ use }) => use === 'none')
      .map((socket) => `"${socket.name}" ${placeText(socket)}`);
  }

  #unknown(name: string): string {
    const names = [...new Set(this.#sockets.map((socket) => JSON.stringify(socket.name)))];
    const known = names.length === 0 ? 'none at all' : names.join(', ');
    return (
      `systemd passes no socket named "${name}" (it passes ${known}): the socket unit needs ` +
      `FileDescriptorName=${name}, and to be started before the service`
    );
  }
}

/** What another process has handed over by `handed`; null: the socket is something else. */
export function passedBefore({ fd, name }: HandedSocket): InheritedDescriptor | null {
  return name?.startsWith(PREFIX) ? { fd, name: name.slice(PREFIX.length) } : null;
}

export const NOTHING_PASSED = new PassedSockets(err('nothing is passed'), []);

function adopted(kernel: Kernel, inherited: readonly InheritedDescriptor[]): PassedSocket[] {
  return inherited.flatMap(({ fd: number, name }): PassedSocket[] => {
    const fd = adoptDescriptor(number);
    const socket = inheritedSocket(kernel, fd);
    if (socket !== null) return [{ ...socket, name, fd, use: 'none' }];
    closeDescriptor(kernel, fd);
    return [];
  });
}

function copies(
  kernel: Kernel,
  sockets: readonly PassedSocket[],
): Result<readonly Descriptor[], string> {
  const made: Descriptor[] = [];
  for (const { fd } of sockets) {
    const copy = duplicate(kernel, fd);
    if (copy.ok) made.push(copy.value);
    else {
      for (const done of made) closeDescriptor(kernel, done);
      return err(copy.error.sentence);
    }
  }
  return ok(made);
}

function isAt(socket: PassedSocket, protocol: Protocol, wanted: Endpoint): boolean {
  return socket.protocol === protocol && formatAddress(socket.local) === formatAddress(wanted);
}

function placeText({ protocol, local }: PassedSocket): string {
  return `${protocol} at ${formatAddress(local)}`;
}
