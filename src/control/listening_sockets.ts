/**
 * The listening sockets of the daemon. Where foreign calls work, the main thread opens one a worker
 * (SO_REUSEPORT) and keeps it: a failure is known at once, a worker that dies leaves its backlog to
 * the next one, and pausing loses nothing. Elsewhere the workers bind by themselves.
 */
import type { WorkerId } from '../core/brand.js';
import { type Endpoint, formatAddress, overlap } from '../core/endpoint.js';
import type { SocketPlan } from '../core/plan.js';
import { err, ok, type Result } from '../core/result.js';
import type { ListenerSpec } from '../core/spec.js';
import type { Kernel } from '../kernel/foreign.js';
import { atSamePlace, isLost, type LostFiles, newest, notInVain } from './lost_sockets.js';
import {
  hasOwn,
  type MadeSocket,
  NO_MANAGER,
  openedOtherwise,
  SocketMaker,
  type SocketMeans,
} from './socket_maker.js';
import { type KeyedSocket, SocketTable } from './socket_table.js';
import { whoBound } from './unix_path.js';

export interface ListenFailure {
  readonly address: string;
  readonly sentence: string;
}

export class ListeningSockets {
  readonly #maker: SocketMaker;
  readonly #workers: number;
  readonly #byListener = new Map<string, KeyedSocket[]>();
  readonly #table: SocketTable;

  constructor(kernel: Kernel | null, workers: number, means: Partial<SocketMeans> = {}) {
    this.#maker = new SocketMaker(kernel, workers, { ...NO_MANAGER, ...means });
    this.#workers = workers;
    this.#table = new SocketTable(workers);
  }

  /**
   * `id` is the key of the listener in the inventory. Opens what `spec` binds and is not open yet.
   * All or nothing: on a failure what was opened by this call is closed again, and what was open
   * before stays. Old addresses stay until `retire`. What is open for another listener at the same
   * address, and will not be in its spec (`specOf`, null: the listener goes), is taken over:
   * clients that wait there, or come now, are never at a socket that closes. `lost`: whether one
   * whose file was removed is open.
   */
  async open(
    id: string,
    spec: ListenerSpec,
    specOf: (id: string) => ListenerSpec | null = () => spec,
    lost: LostFiles = 'leave',
  ): Promise<Result<null, ListenFailure>> {
    const sockets = this.#byListener.get(id) ?? [];
    const open = openByAddress(sockets, lost);
    const opened: KeyedSocket[] = [];
    let outcome: 'all' | 'none' = 'none';
    try {
      for (const wanted of spec.bind) {
        const there = open.get(formatAddress(wanted));
        const left = there ?? this.#leftBehind(id, wanted, spec, specOf);
        const known = left !== null && counts(left, lost) ? left : null;
        if (known !== null) {
          const fault = openedOtherwise(known.opened, spec);
          if (fault !== null) return err({ address: formatAddress(wanted), sentence: fault });
          if (known === there) continue;
          opened.push(this.#takenOver(id, known));
          continue;
        }
        const socket = await this.#openOne(id, wanted, spec);
        if (!socket.ok) return socket;
        opened.push(socket.value);
      }
      outcome = 'all';
    } finally {
      if (outcome === 'none') for (const done of opened) this.#close(done);
    }
    this.#byListener.set(id, [...sockets, ...opened]);
    return ok(null);
  }

  /** Those of all listeners, in the order in which they were opened. */
  all(): Iterable<KeyedSocket> {
    return this.#table.all();
  }

  /** Addresses that are listened on. */
  get count(): number {
    return this.#table.size;
  }

  /** Addresses that `open` would have to open. */
  missing(id: string, spec: ListenerSpec, lost: LostFiles): number {
    const open = openByAddress(this.#byListener.get(id) ?? [], lost);
    return spec.bind.filter((wanted) => !open.has(formatAddress(wanted))).length;
  }

  /**
   * TCP sockets that `specOf` (null: the listener goes) does not bind begin no handshake any more,
   * before the workers accept the clients that wait there and leave them.
   */
  takeNoNewClients(specOf: (id: string) => ListenerSpec | null): void {
    const users = new Map<MadeSocket, number>();
    for (const [id, sockets] of this.#byListener) {
      const spec = specOf(id);
      for (const { wanted, local, opened } of sockets) {
        if (opened.protocol !== 'tcp' || local.kind !== 'ip') continue;
        if (binds(spec, formatAddress(wanted))) continue;
        users.set(opened, (users.get(opened) ?? 0) + 1);
      }
    }
    for (const [opened, leaving] of users) {
      // Else another listener has taken it over.
      if (leaving < opened.users) continue;
      this.#maker.takeNoNewClients(opened);
    }
  }

  /**
   * Closes the sockets of `id` that `spec` no longer binds (null: all), and those at an address
   * that is `taken` by others, after the workers left them. The others get the backlog of `spec`.
   */
  retire(
    id: string,
    spec: ListenerSpec | null,
    taken: (local: Endpoint) => boolean = () => false,
  ): void {
    const sockets = this.#byListener.get(id) ?? [];
    const bound = new Set(spec?.bind.map(formatAddress) ?? []);
    const present = newest(sockets);
    const stays = (socket: KeyedSocket): boolean =>
      present.includes(socket) && bound.has(formatAddress(socket.wanted)) && !taken(socket.local);
    this.#keepOnly(id, sockets, sockets.filter(stays));
    if (spec !== null) {
      for (const { opened } of this.#byListener.get(id) ?? []) {
        this.#maker.follow(opened, spec.settings.backlog);
      }
    }
    if (spec === null) this.#byListener.delete(id);
  }

  /** What was opened in the place of a lost one, and no worker has: the change is refused. */
  takeBack(): void {
    for (const [id, sockets] of this.#byListener) this.#keepOnly(id, sockets, notInVain(sockets));
  }

  /**
   * Closes whatever `specOf` (null: the listener is gone) does not bind. `others` are the listeners
   * whose addresses no other may keep: the kernel would divide the clients between both.
   */
  retireAll(
    specOf: (id: string) => ListenerSpec | null,
    others: (id: string) => readonly string[] = () => [],
  ): void {
    for (const id of [...this.#byListener.keys()]) {
      const taken = others(id).flatMap((other) => this.locals(other));
      this.retire(id, specOf(id), (local) => taken.some((place) => overlap(place, local)));
    }
  }

  /** What `worker` shall listen on for a listener whose newest spec is `spec`. */
  planned(id: string, spec: ListenerSpec, worker: WorkerId): SocketPlan[] {
    const sockets = newest(this.#byListener.get(id) ?? []);
    const bound = new Set(spec.bind.map(formatAddress));
    return sockets
      .filter((socket) => bound.has(formatAddress(socket.wanted)))
      .filter(({ opened, wanted }) => hasOwn(opened, worker) || mayBind(opened, wanted, worker))
      .map((socket) => ({
        key: socket.firstKey + worker,
        source: this.#source(socket, worker),
        socket: socket.opened.number + worker,
      }));
  }

  /** The real addresses of a listener. */
  locals(id: string): Endpoint[] {
    return newest(this.#byListener.get(id) ?? []).map((socket) => socket.local);
  }

  /**
   * A worker listens; if it bound by itself, the kernel gave it this address. Answers whether it is
   * the first one there.
   */
  bound(key: number, local: Endpoint): 'first' | 'not the first' {
    const socket = this.#table.get(key);
    if (socket === undefined) return 'not the first';
    const { use } = socket;
    this.#table.move(socket, local);
    // Else it is known since it was bound, and the path may be another's by now.
    if (socket.opened.descriptors === null) socket.opened.owner = whoBound(local);
    socket.use = 'served';
    return use === 'fresh' ? 'first' : 'not the first';
  }

  ownerOf(key: number): string | undefined {
    return this.#table.get(key)?.listener;
  }

  addressOf(key: number): string | null {
    const socket = this.#table.get(key);
    return socket === undefined ? null : formatAddress(socket.local);
  }

  closeAll(): void {
    this.retireAll(() => null);
  }

  #source(socket: KeyedSocket, worker: WorkerId): SocketPlan['source'] {
    const fd = socket.opened.descriptors?.[worker];
    if (fd !== undefined) return { kind: 'descriptor', fd, local: socket.local };
    const reusePort = this.#workers > 1 ? 'shared' : 'exclusive';
    return { kind: 'bind', local: socket.local, reusePort };
  }

  /** What another listener has at `wanted`, and leaves. */
  #leftBehind(
    id: string,
    wanted: Endpoint,
    { protocol }: ListenerSpec,
    specOf: (id: string) => ListenerSpec | null,
  ): KeyedSocket | null {
    if (wanted.kind === 'ip' && wanted.port === 0) return null;
    const address = formatAddress(wanted);
    for (const [other, sockets] of this.#byListener) {
      if (other === id || binds(specOf(other), address)) continue;
      const found = sockets.find(({ wanted: place, opened }) => {
        if (opened.descriptors === null || opened.protocol !== protocol) return false;
        return formatAddress(place) === address;
      });
      if (found !== undefined) return found;
    }
    return null;
  }

  #takenOver(listener: string, { wanted, local, opened }: KeyedSocket): KeyedSocket {
    opened.users++;
    const firstKey = this.#table.takeKeys();
    return this.#table.add({ firstKey, listener, wanted, local, opened, use: 'fresh' });
  }

  async #openOne(
    listener: string,
    wanted: Endpoint,
    spec: ListenerSpec,
  ): Promise<Result<KeyedSocket, ListenFailure>> {
    const firstKey = this.#table.takeKeys();
    const isOurs = wanted.kind === 'ip' && this.#table.hasPort(wanted.port);
    const made = await this.#maker.open(firstKey, wanted, spec, isOurs ? 'ours' : 'unknown');
    if (!made.ok) return err({ address: formatAddress(wanted), sentence: made.error });
    const { local, opened } = made.value;
    return ok(this.#table.add({ firstKey, listener, wanted, local, opened, use: 'fresh' }));
  }

  #keepOnly(id: string, all: readonly KeyedSocket[], kept: KeyedSocket[]): void {
    this.#byListener.set(id, kept);
    for (const socket of all) if (!kept.includes(socket)) this.#close(socket);
  }

  #close(socket: KeyedSocket): void {
    this.#table.remove(socket);
    const { opened } = socket;
    opened.users--;
    if (opened.users > 0) return;
    this.#maker.close(opened, socket.local);
    const heir = atSamePlace(this.#byListener.get(socket.listener) ?? [], socket);
    if (heir !== null) this.#maker.keep(heir.opened, heir.local);
  }
}

function counts(socket: KeyedSocket, lost: LostFiles): boolean {
  return lost === 'leave' || !isLost(socket);
}

function openByAddress(sockets: readonly KeyedSocket[], lost: LostFiles): Map<string, KeyedSocket> {
  return new Map(
    sockets
      .filter((socket) => counts(socket, lost))
      .map((socket) => [formatAddress(socket.wanted), socket]),
  );
}

function binds(spec: ListenerSpec | null, address: string): boolean {
  return spec?.bind.some((wanted) => formatAddress(wanted) === address) ?? false;
}

/** Without foreign calls a UNIX path can be bound by one worker only. */
function mayBind({ descriptors }: MadeSocket, wanted: Endpoint, worker: WorkerId): boolean {
  return descriptors === null && (wanted.kind === 'ip' || worker === 0);
}
