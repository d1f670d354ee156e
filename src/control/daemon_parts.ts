/** The larger parts of the daemon, each with what it must know of the others. */
import type { AccessLevel, PoolSpec } from '../core/spec.js';
import { OwnAddresses } from '../engine/own_addresses.js';
import { Resolver } from '../names/resolver.js';
import { permanenceOf } from '../session/due.js';
import { Adoption, type AdoptionDeps } from './adoption.js';
import type { Attendance } from './attendance.js';
import type { BackendBoard } from './backend_board.js';
import { boardWith } from './board_parts.js';
import { Cancels } from './cancels.js';
import type { Daemon } from './daemon.js';
import type { DaemonDeps } from './daemon_deps.js';
import { Defects } from './defects.js';
import type { Deputies } from './deputies.js';
import { DescriptorShares } from './descriptor_shares.js';
import { Discoveries } from './discoveries.js';
import type { BackendEntry } from './inventory.js';
import { LookPace } from './look_pace.js';
import { Looks, type LooksDeps } from './looks.js';
import { downNames, proofOfMember } from './member_entries.js';
import { PlanPublisher } from './plan_publisher.js';
import { PoolWatch } from './pool_watch.js';
import { engineCapacity } from './sizing.js';
import { KnownBackends } from './upgrade/known_backends.js';
import type { Fleet } from './worker_fleet.js';
import { WorkerNews } from './worker_news.js';

/** Defects of the main thread, counted and logged. */
export function defectsOf({ counters, log }: DaemonDeps): Defects {
  return new Defects(({ count, listener, detail }) => {
    counters.internalErrors(count);
    log.event('internal-error', { worker: null, listener, detail });
  });
}

/** `drained`: a backend that left has no session any more. */
export function boardOf(
  daemon: Daemon,
  deps: DaemonDeps,
  drained: (entry: BackendEntry) => void,
): BackendBoard {
  return boardWith({
    ...deps,
    inventory: daemon.inventory,
    move: (worker, ending) => daemon.fleet.send(worker, { kind: 'end-sessions', ...ending }),
    ring: () => daemon.fleet.ringAll(),
    endSessions: ({ id: backend, spec, pool }, cause, spanMs) => {
      const order = permanenceOf(cause);
      daemon.fleet.broadcast({ kind: 'end-sessions', backend, cause, spanMs, limit: null, order });
      deps.orderBefore({ kind: 'end', pool: pool.key, backend: spec.name, cause, spanMs });
    },
    spareSessions: (entries) =>
      daemon.fleet.broadcast({ kind: 'spare-sessions', backends: entries.map(({ id }) => id) }),
    spareBefore: ({ spec, pool }) =>
      deps.orderBefore({ kind: 'spare', pool: pool.key, backend: spec.name }),
    drained,
    changed: (entry) => daemon.watch.changed(entry),
    found: ({ pool, key: backend }, state) =>
      deps.orderBefore({ kind: 'verdict', pool: pool.key, backend, state }),
    before: new KnownBackends(deps.handed, deps.clock),
    wasBefore: (entry, state, since) => daemon.watch.wasBefore(entry, state, since),
    defect: (error) => daemon.defect(error),
    together: (change) => daemon.watch.together(change),
  });
}

/** `access`: whose lines workers send. */
export function publisherOf(
  daemon: Daemon,
  deps: DaemonDeps,
  deputies: Deputies,
  access: () => AccessLevel,
): PlanPublisher {
  const { inventory, sockets, lists } = daemon;
  return new PlanPublisher({
    ...deps,
    deputies,
    sessionBudget: deps.budget.sessions,
    inventory,
    sockets,
    access,
    lists,
    send: (worker, messages) => daemon.fleet.send(worker, ...messages),
  });
}

export function fleetOf(
  daemon: Daemon,
  deps: DaemonDeps,
  attendance: Attendance,
  publisher: PlanPublisher,
): Fleet {
  const { shared, budget, workers, engine } = deps;
  return deps.createFleet({
    ...deps,
    start: (worker) => ({
      worker,
      workers,
      engine,
      capacity: engineCapacity(budget.sessions),
      pipes: budget.pipesAWorker,
      memory: shared.memory,
    }),
    doorbell: shared.doorbell,
    vitals: shared.vitals,
    events: newsOf(daemon, deps, attendance, publisher),
  });
}

export function watchOf(daemon: Daemon, deps: DaemonDeps): PoolWatch {
  return new PoolWatch({
    ...deps,
    ...deps.shared,
    sessionBudget: deps.budget.sessions,
    inventory: daemon.inventory,
    shareOf: (entry) => daemon.board.shareOf(entry),
    isStopping: () => daemon.phase === 'stopping',
  });
}

export function looksOf(
  daemon: Daemon,
  deps: DaemonDeps,
  adoption: Adoption,
  look: LooksDeps['look'],
): Looks {
  const isByItself = ({ discovery, health }: PoolSpec): boolean =>
    discovery.length > 0 || health.probe.kind !== 'none';
  const isStill = (): boolean => {
    const { board, desires, handover, spec } = daemon;
    if (daemon.phase !== 'serving' || handover.isDone || desires.overrides.length > 0) return false;
    return board.isStill && !adoption.listenersLeave && !spec.pools.some(isByItself);
  };
  const { inventory, board } = daemon;
  const pace = { ...deps.shared, inventory, workers: deps.workers, isStill };
  return new Looks({
    ...deps,
    look,
    pace: new LookPace({ ...pace, isCalm: () => board.isCalm }),
    isOver: () => daemon.phase === 'stopping' && daemon.fleet.size === 0,
  });
}

/** What becomes of what workers report. */
function newsOf(
  daemon: Daemon,
  deps: DaemonDeps,
  attendance: Attendance,
  publisher: PlanPublisher,
): WorkerNews {
  const { inventory, sockets, inquiries } = daemon;
  return new WorkerNews({
    ...deps,
    inventory,
    sockets,
    attendance,
    inquiries,
    cancels: new Cancels({
      ...deps,
      ...deps.shared,
      inventory,
      sourceFor: (pool, endpoint) => daemon.board.sources.sourceFor(pool, endpoint),
      send: (worker, message) => daemon.fleet.send(worker, message),
    }),
    opened: (listener, socket, problem) => {
      daemon.watch.opened(listener, socket, problem);
      if (problem !== null) publisher.failed(listener.id);
    },
    stirs: () => daemon.looks.soon(),
    ejected: () => daemon.board.look(deps.clock.nowMs()),
    ringAll: () => daemon.fleet.ringAll(),
  });
}

/** `follow`: an answer of a source counts. */
export function discoveriesOf(
  daemon: Daemon,
  deps: DaemonDeps,
  follow: () => Promise<'followed' | 'refused'>,
): Discoveries {
  const own = new OwnAddresses();
  return new Discoveries({
    ...deps,
    isOwn: (address) => own.has(address, deps.clock.nowMs()),
    proofOf: (pool, member) => proofOfMember(daemon.inventory, deps.shared.ledger, pool, member),
    follow,
    defect: (error) => daemon.defect(error),
  });
}

export function adoptionOf(
  daemon: Daemon,
  deps: DaemonDeps,
  own: Pick<AdoptionDeps, 'changes' | 'publisher' | 'inUse'>,
): Adoption {
  const { shared, log } = deps;
  const { lists, sockets, inventory, board, watch } = daemon;
  return new Adoption({
    ...shared,
    ...own,
    takesOver: deps.takesOver,
    log,
    lists,
    resolver: new Resolver({
      timers: deps.timers,
      lookup: deps.lookup,
      changed: (name, before, address) => log.event('address-changed', { name, before, address }),
      downNames: () => downNames(inventory, shared.ledger),
    }),
    sockets,
    shares: new DescriptorShares({ ...deps, descriptors: shared.ledger.descriptors, sockets }),
    inventory,
    board,
    watch,
    changed: () => daemon.handover.elsewhere.settle(),
  });
}
