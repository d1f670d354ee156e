/** What workers report, and what follows from it: for the log, the pages, and the other workers. */
import type { SeriesId, WorkerId } from '../core/brand.js';
import type { EngineName } from '../core/spec.js';
import type { Kernel } from '../kernel/foreign.js';
import { muteDatagrams } from '../kernel/mute.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import type { Attendance } from './attendance.js';
import type { Cancels } from './cancels.js';
import type { Inquiries } from './inquiries.js';
import type { Inventory, ListenerEntry } from './inventory.js';
import type { ListeningSockets } from './listening_sockets.js';
import type { SharedState } from './shared_state.js';
import { withRemedy } from './start_remedy.js';
import { ENDING_MS, type FleetEvents, SILENCE_MS } from './worker_fleet.js';
import type { FromWorker } from './worker_protocol.js';

/** Pairs of listener and backend with a line of their own; metrics count them all. */
const MAX_LOST_TOLD = 100;

export interface WorkerNewsDeps {
  readonly log: Log;
  readonly counters: ControlCounters;
  readonly kernel: Kernel | null;
  readonly shared: SharedState;
  readonly engine: EngineName;
  /** What the engine does without, as far as reported. */
  readonly withouts: readonly string[];
  readonly inventory: Inventory;
  readonly sockets: ListeningSockets;
  readonly attendance: Attendance;
  readonly inquiries: Inquiries;
  readonly cancels: Cancels;
  /** A worker has opened the socket of a listener, or could not: `problem`. */
  readonly opened: (listener: ListenerEntry, socket: number, problem: string | null) => void;
  /** A worker rests no more: what it does is to be looked at. */
  readonly stirs: () => void;
  /** A worker has ejected a backend. */
  readonly ejected: () => void;
  /** Places and turns may be free that others wait for. */
  readonly ringAll: () => void;
}

export class WorkerNews implements FleetEvents {
  readonly #deps: WorkerNewsDeps;
  /** What the engine does without, as far as reported. */
  readonly #withouts: Set<string>;

  constructor(deps: WorkerNewsDeps) {
    this.#deps = deps;
    this.#withouts = new Set(deps.withouts);
  }

  message(worker: WorkerId, message: FromWorker): void {
    const { log, shared } = this.#deps;
    switch (message.kind) {
      case 'access':
        for (const record of message.records) log.access(record);
        return shared.vitals.written(worker, message.records.length);
      case 'access-lost':
        return log.event('access-lost', { count: message.count });
      case 'applied':
        return this.#deps.attendance.applied(worker, message.version);
      case 'cancel':
        return this.#deps.cancels.take(worker, message.order);
      case 'stirs':
        return this.#deps.stirs();
      case 'ejected':
        return this.#deps.ejected();
      case 'degraded':
        return this.#degraded(message.detail);
      case 'accept-failed': {
        const listener = this.#listenerOf(message.socket)?.spec.name ?? null;
        return log.event('accept-failed', { listener, errno: message.errno });
      }
      case 'internal-error': {
        const { count, listener, detail } = message;
        this.#deps.counters.internalErrors(count);
        return log.event('internal-error', { worker, listener, detail });
      }
      case 'opened':
        return this.#opened(message.socket, message.outcome);
      case 'answer':
      case 'answered':
        return this.#deps.inquiries.heard(message);
      case 'started':
      case 'failed':
        return;
    }
  }

  /** What it had counted is given back, and workers that wait for it are rung. */
  lost(worker: WorkerId, detail: string): void {
    const { shared, kernel, log } = this.#deps;
    const sessions = shared.ledger.sessionsOf(worker);
    if (kernel !== null) shared.holdings.giveBack(kernel, worker);
    shared.ledger.forgetWorker(worker);
    shared.clients.forgetWorker(worker);
    shared.keys.forgetWorker(worker);
    log.event('worker-lost', { worker, sessions, detail });
    this.#tellLost(shared.series.loseActive(worker));
    this.#deps.attendance.lost(worker);
    this.#deps.inquiries.lost(worker);
    this.#deps.ringAll();
  }

  /** Access lines would have their clients; those were known to the worker alone. */
  #tellLost(lost: ReadonlyMap<SeriesId, number>): void {
    const { inventory, log } = this.#deps;
    let left = MAX_LOST_TOLD;
    for (const { id, labels } of inventory.tallies.all()) {
      const sessions = lost.get(id) ?? 0;
      if (sessions === 0) continue;
      if (left-- === 0) return;
      log.event('sessions-lost', { ...labels, sessions });
    }
  }

  replaced(worker: WorkerId): void {
    this.#deps.counters.workerRestart(worker);
    this.#deps.log.event('worker-started', { worker, engine: this.#deps.engine });
    this.#deps.attendance.replaced(worker);
    this.#deps.inquiries.replaced(worker);
  }

  notReplaced(worker: WorkerId, failures: number, detail: string): void {
    this.#deps.log.event('worker-start-failed', {
      worker,
      failures,
      detail: withRemedy(detail),
    });
    this.#deps.attendance.notReplaced(worker);
  }

  silent(worker: WorkerId, silentMs: number): void {
    const { kernel, shared, log } = this.#deps;
    log.event('worker-silent', { worker, duration_ms: silentMs });
    // Without foreign calls the process may end with the thread, and is started again: a thread
    // that was left behind would keep its ports, and the clients that come to them, for ever.
    const polled = shared.vitals.polledBy(worker);
    if (kernel !== null && polled !== null) muteDatagrams(kernel, polled);
  }

  /** Its share of the clients goes to its deputy meanwhile, as for every worker that is quiet. */
  stuck(worker: WorkerId): void {
    this.#deps.log.event('worker-stuck', { worker, duration_ms: SILENCE_MS + ENDING_MS });
    this.#deps.attendance.stuck(worker);
  }

  /** What one worker does without, all of them do: it is reported once. */
  #degraded(detail: string): void {
    if (this.#withouts.has(detail)) return;
    this.#withouts.add(detail);
    this.#deps.log.event('engine-degraded', { engine: this.#deps.engine, detail });
  }

  #opened(socket: number, outcome: Extract<FromWorker, { kind: 'opened' }>['outcome']): void {
    const { log, sockets } = this.#deps;
    const entry = this.#listenerOf(socket);
    if (entry === undefined) return;
    const { name: listener, protocol, pool } = entry.spec;
    this.#deps.opened(entry, socket, outcome.ok ? null : outcome.sentence);
    if (!outcome.ok) {
      const { errno, sentence: detail } = outcome;
      const address = sockets.addressOf(socket);
      return log.event('listen-failed', { listener, protocol, address, errno, detail });
    }
    if (sockets.bound(socket, outcome.local) === 'not the first') return;
    log.event('listening', { listener, protocol, address: sockets.addressOf(socket), pool });
  }

  #listenerOf(socket: number): ListenerEntry | undefined {
    const { sockets, inventory } = this.#deps;
    const key = sockets.ownerOf(socket);
    return key === undefined ? undefined : inventory.listeners.get(key);
  }
}
