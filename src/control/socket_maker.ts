/** Opens and closes listening sockets: for one address one per worker, all of them or none. */
import { present } from '../core/assert.js';
import type { WorkerId } from '../core/brand.js';
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import type { EngineName, ListenerSpec } from '../core/spec.js';
import { closeDescriptor, type Descriptor, duplicate } from '../kernel/descriptor.js';
import type { Kernel } from '../kernel/foreign.js';
import { openListeningSocket } from '../kernel/sockets.js';
import { SynFilter } from '../kernel/syn_filter.js';
import { KEEPS_NOTHING, type SocketKeeper } from './kept_sockets.js';
import { NOTHING_PASSED, type PassedSockets } from './passed_sockets.js';
import { clearPath, type PathOwner, removePath, whoBound } from './unix_path.js';

/** What the kernel has; more than one user while one listener takes it over from another. */
export interface MadeSocket {
  /** Of the first worker's; the others' follow it. Never used again. */
  readonly number: number;
  /** By worker; null where workers bind by themselves. */
  readonly descriptors: readonly Descriptor[] | null;
  readonly protocol: ListenerSpec['protocol'];
  /** As it was last given to the kernel. */
  backlog: number;
  /** The name of systemd's socket that it is; null: it was opened here. */
  readonly activation: string | null;
  /** The socket file that this daemon made; null: none, or not known. */
  owner: PathOwner | null;
  users: number;
}

interface Made {
  /** As it really is. */
  readonly local: Endpoint;
  readonly opened: MadeSocket;
}

interface Descriptors {
  readonly local: Endpoint;
  readonly descriptors: readonly Descriptor[];
}

export interface SocketMeans {
  readonly keeper: SocketKeeper;
  readonly passed: PassedSockets;
  readonly engine: EngineName;
}

/** Where no service manager is. */
export const NO_MANAGER: SocketMeans = {
  keeper: KEEPS_NOTHING,
  passed: NOTHING_PASSED,
  engine: 'node',
};

export class SocketMaker {
  readonly #kernel: Kernel | null;
  readonly #workers: number;
  readonly #means: SocketMeans;
  #filter: SynFilter | null = null;

  /** Without foreign calls (`kernel` null) nothing is opened here: workers bind by themselves. */
  constructor(kernel: Kernel | null, workers: number, means: SocketMeans) {
    this.#kernel = kernel;
    this.#workers = workers;
    this.#means = means;
  }

  /** `number`: of the first worker's socket. `port`: whether it is known to be this daemon's. */
  async open(
    number: number,
    wanted: Endpoint,
    spec: ListenerSpec,
    port: 'ours' | 'unknown',
  ): Promise<Result<Made, string>> {
    const { protocol, settings, activation } = spec;
    const { keeper, passed } = this.#means;
    if (activation !== null) return this.#takePassed(number, wanted, spec, activation);
    const owner = passed.nameAt(protocol, wanted);
    if (owner !== null) return err(`systemd listens there: activation = "${owner}" takes it`);
    const before = keeper.take(protocol, wanted);
    const free = before.length > 0 ? ok(null) : await clearPath(wanted);
    if (!free.ok) return free;
    const kept = { number, protocol, backlog: settings.backlog, activation, users: 1 };
    const kernel = this.#kernel;
    if (kernel === null) {
      return ok({ local: wanted, opened: { ...kept, descriptors: null, owner: null } });
    }
    const mayBeOthers = port === 'unknown' && before.length === 0;
    if (mayBeOthers && wanted.kind === 'ip' && wanted.port !== 0) {
      const claimed = claim(kernel, wanted, spec);
      if (!claimed.ok) return claimed;
    }
    const all = this.#openAll(kernel, wanted, spec, before);
    if (!all.ok) return all;
    const { local, descriptors } = all.value;
    const opened = { ...kept, descriptors, owner: whoBound(wanted) };
    this.keep(opened, local);
    return ok({ local, opened });
  }

  /** It outlives the process, as far as the service manager does that. */
  keep({ protocol, descriptors }: MadeSocket, local: Endpoint): void {
    if (descriptors !== null) this.#means.keeper.keep(protocol, local, descriptors);
  }

  /**
   * listen(2) on a socket that listens changes its backlog, and no client that waits there is lost.
   */
  follow(opened: MadeSocket, backlog: number): void {
    const kernel = this.#kernel;
    if (kernel === null || opened.protocol !== 'tcp' || opened.backlog === backlog) return;
    opened.backlog = backlog;
    for (const fd of opened.descriptors ?? []) kernel.libc.listen(fd, backlog);
  }

  /** No handshake begins there any more. */
  takeNoNewClients(opened: MadeSocket): void {
    const kernel = this.#kernel;
    // systemd's own stays, for the process that takes it next.
    if (kernel === null || opened.activation !== null) return;
    this.#filter ??= new SynFilter(kernel);
    for (const fd of opened.descriptors ?? []) this.#filter.attach(fd);
  }

  close({ descriptors, owner, protocol, activation }: MadeSocket, local: Endpoint): void {
    const kernel = this.#kernel;
    if (kernel === null || descriptors === null) {
      if (owner !== null) removePath(owner);
      return;
    }
    for (const fd of descriptors) closeDescriptor(kernel, fd);
    if (activation !== null) return;
    const fate = this.#means.keeper.forget(protocol, local);
    if (fate === 'forgotten' && owner !== null) removePath(owner);
  }

  /** systemd's own: streams for all workers, datagrams for as many as there are sockets. */
  #takePassed(
    number: number,
    wanted: Endpoint,
    { protocol, settings: { backlog } }: ListenerSpec,
    activation: string,
  ): Result<Made, string> {
    const { passed, engine } = this.#means;
    const taken = passed.take(activation, protocol, wanted, engine);
    if (!taken.ok || this.#kernel === null) return taken.ok ? err(activation) : taken;
    const kernel = this.#kernel;
    const descriptors = [...taken.value.slice(0, this.#workers)];
    for (const fd of taken.value.slice(this.#workers)) closeDescriptor(kernel, fd);
    while (protocol === 'tcp' && descriptors.length < this.#workers) {
      const copy = duplicate(kernel, present(descriptors[0], 'one at least is passed'));
      if (!copy.ok) {
        for (const fd of descriptors) closeDescriptor(kernel, fd);
        return err(copy.error.sentence);
      }
      descriptors.push(copy.value);
    }
    if (protocol === 'tcp') for (const fd of descriptors) kernel.libc.listen(fd, backlog);
    const opened = { number, protocol, backlog, activation, users: 1, descriptors, owner: null };
    return ok({ local: wanted, opened });
  }

  /** One descriptor per worker, beginning with those `before`; all or none, whatever fails. */
  #openAll(
    kernel: Kernel,
    wanted: Endpoint,
    spec: ListenerSpec,
    before: readonly Descriptor[],
  ): Result<Descriptors, string> {
    const descriptors = this.#takeOver(kernel, before, spec);
    let local = wanted;
    let outcome: 'all' | 'none' = 'none';
    try {
      while (descriptors.length < this.#workers) {
        const socket = descriptorFor(kernel, local, spec, descriptors[0]);
        if (!socket.ok) return socket;
        descriptors.push(socket.value.fd);
        local = socket.value.local;
      }
      outcome = 'all';
      return ok({ local, descriptors });
    } finally {
      if (outcome === 'none') {
        const owner = descriptors.length > 0 ? whoBound(wanted) : null;
        for (const fd of descriptors) closeDescriptor(kernel, fd);
        if (owner !== null) removePath(owner);
      }
    }
  }

  /**
   * Sockets that were kept, as many as there are workers: clients of the others would not be
   * accepted.
   */
  #takeOver(kernel: Kernel, before: readonly Descriptor[], spec: ListenerSpec): Descriptor[] {
    for (const fd of before.slice(this.#workers)) closeDescriptor(kernel, fd);
    const taken = before.slice(0, this.#workers);
    if (spec.protocol === 'tcp') {
      for (const fd of taken) kernel.libc.listen(fd, spec.settings.backlog);
    }
    return taken;
  }
}

/**
 * With SO_REUSEPORT a second daemon of the same user could bind the same address and would get a
 * part of the clients. So an address that is not ours must be free for an exclusive bind first.
 */
function claim(kernel: Kernel, wanted: IpEndpoint, spec: ListenerSpec): Result<null, string> {
  const { protocol, missingAddress } = spec;
  const options = { local: wanted, protocol, missingAddress, backlog: 1 } as const;
  const claimed = openListeningSocket(kernel, { ...options, reusePort: 'exclusive' });
  if (!claimed.ok) return err(claimed.error.sentence);
  closeDescriptor(kernel, claimed.value.fd);
  return ok(null);
}

/** UNIX sockets have no SO_REUSEPORT: the workers share one queue by duplicates. */
function descriptorFor(
  kernel: Kernel,
  local: Endpoint,
  spec: ListenerSpec,
  first: Descriptor | undefined,
): Result<{ readonly fd: Descriptor; readonly local: Endpoint }, string> {
  if (local.kind === 'unix' && first !== undefined) {
    const copy = duplicate(kernel, first);
    return copy.ok ? ok({ fd: copy.value, local }) : err(copy.error.sentence);
  }
  const opened = openListeningSocket(kernel, {
    local,
    protocol: spec.protocol,
    missingAddress: spec.missingAddress,
    reusePort: 'shared',
    backlog: spec.settings.backlog,
  });
  return opened.ok ? opened : err(opened.error.sentence);
}

/** One socket for datagrams that systemd has opened is for one worker. */
export function hasOwn({ descriptors }: MadeSocket, worker: WorkerId): boolean {
  return descriptors?.[worker] !== undefined;
}

/** What is open stays as it was opened; systemd passes sockets at a start, and at no other time. */
export function openedOtherwise({ activation }: MadeSocket, spec: ListenerSpec): string | null {
  if (activation === spec.activation) return null;
  const now = activation === null ? 'sluice has opened it' : `systemd has it, as "${activation}"`;
  return `${now}: activation changes with a restart only`;
}
