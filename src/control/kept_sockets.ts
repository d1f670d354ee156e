/**
 * Listening sockets that outlive the process: systemd keeps them in its descriptor store over a
 * restart and a crash, with the clients that wait there, and passes them to the next process, which
 * takes back those at addresses that its file binds. At an upgrade one process hands them to the
 * next.
 */
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import type { ListenerSpec } from '../core/spec.js';
import { adoptDescriptor, closeDescriptor, type Descriptor } from '../kernel/descriptor.js';
import type { Kernel } from '../kernel/foreign.js';
import { inheritedSocket } from '../kernel/inherited_socket.js';
import { MAX_RIGHTS } from '../kernel/messages.js';
import type { Notifier } from '../system/notify.js';

type Protocol = ListenerSpec['protocol'];

export interface SocketKeeper {
  /** Sockets at `wanted` that were kept, for the caller to close. */
  take(protocol: Protocol, wanted: Endpoint): readonly Descriptor[];
  /** From now on they outlive the process. */
  keep(protocol: Protocol, local: Endpoint, descriptors: readonly Descriptor[]): void;
  /** The caller closes what it has at `local`; says whether it outlives that. */
  forget(protocol: Protocol, local: Endpoint): 'forgotten' | 'kept';
}

export const KEEPS_NOTHING: SocketKeeper = {
  take: () => [],
  keep: () => {},
  forget: () => 'forgotten',
};

/** An inherited descriptor; `name`: what the process before has it for, where that is known. */
export interface HandedSocket {
  readonly fd: number;
  readonly name: string | null;
}

export class KeptSockets implements SocketKeeper {
  readonly #kernel: Kernel;
  readonly #notifier: Pick<Notifier, 'keep' | 'forget'>;
  /** Not asked for yet, by name. */
  readonly #waiting = new Map<string, Descriptor[]>();
  /**
   * Before the first plan, and from the stop on, what closes is kept for the next process; once
   * that one has them, nothing of them is ours any more.
   */
  #phase: 'starting' | 'serving' | 'leaving' | 'handed over' = 'starting';
  /** By name: what the next process serves no more, whose paths end with this one. */
  #endHere: ReadonlySet<string> = new Set();
  /** What the process before has handed over and was not asked for. */
  readonly unasked: string[] = [];
  readonly #comeFrom: 'a process' | 'elsewhere';
  #taken = 0;
  /** How many were handed out, by name. */
  readonly #handed = new Map<string, number>();
  readonly #store: 'kept' | 'not kept';

  /**
   * `inherited`: what the service manager has kept, or the process before this one has handed over;
   * `store`: whether the service manager keeps any from now on.
   */
  constructor(
    kernel: Kernel,
    notifier: Pick<Notifier, 'keep' | 'forget'>,
    inherited: readonly HandedSocket[],
    store: 'kept' | 'not kept' = 'kept',
  ) {
    this.#store = store;
    this.#kernel = kernel;
    this.#notifier = notifier;
    this.#comeFrom = inherited.some(({ name }) => name !== null) ? 'a process' : 'elsewhere';
    for (const { fd: number, name: known } of inherited) {
      const fd = adoptDescriptor(number);
      const socket = inheritedSocket(kernel, fd);
      const name = socket === null ? '' : (known ?? socketName(socket.protocol, socket.local));
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), fd]);
    }
  }

  take(protocol: Protocol, wanted: Endpoint): readonly Descriptor[] {
    const name = socketName(protocol, wanted);
    const found = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    this.#taken += found.length;
    this.#handed.set(name, found.length);
    return found;
  }

  keep(protocol: Protocol, local: Endpoint, descriptors: readonly Descriptor[]): void {
    const name = socketName(protocol, local);
    // Handed sockets that are not used go: at the next process clients would wait there in vain.
    const handed = this.#handed.get(name) ?? 0;
    this.#handed.delete(name);
    if (this.#store === 'not kept') {
      if (handed > 0) this.#notifier.forget(name);
      return;
    }
    if (handed > descriptors.length) this.#notifier.forget(name);
    for (let from = 0; from < descriptors.length; from += MAX_RIGHTS) {
      this.#notifier.keep(name, descriptors.slice(from, from + MAX_RIGHTS));
    }
  }

  forget(protocol: Protocol, local: Endpoint): 'forgotten' | 'kept' {
    if (this.#phase === 'handed over') {
      return this.#endHere.has(socketName(protocol, local)) ? 'forgotten' : 'kept';
    }
    // It serves on if this one cannot.
    if (this.#phase === 'starting' && this.#comeFrom === 'a process') return 'kept';
    if (this.#store === 'not kept') return 'forgotten';
    if (this.#phase !== 'serving') return 'kept';
    this.#notifier.forget(socketName(protocol, local));
    return 'forgotten';
  }

  /** The first plan is in force: what was not asked for is closed. Answers how many were taken. */
  settle(): number {
    for (const [name, descriptors] of this.#waiting) {
      for (const fd of descriptors) closeDescriptor(this.#kernel, fd);
      if (name === '') continue;
      this.#notifier.forget(name);
      this.unasked.push(name);
    }
    this.#waiting.clear();
    if (this.#phase === 'starting') this.#phase = 'serving';
    return this.#taken;
  }

  /** A stop begins: the next process may want what closes from here on. */
  leave(): void {
    if (this.#phase !== 'handed over') this.#phase = 'leaving';
  }

  /** Another process serves with them, but for `unasked`: whatever closes here, they stay. */
  handOver(unasked: readonly string[]): void {
    this.#phase = 'handed over';
    this.#endHere = new Set(unasked);
  }
}

/** How a socket is called in the store, and between two processes. */
export function socketName(protocol: Protocol, local: Endpoint): string {
  return `${protocol}/${formatAddress(local)}`;
}
