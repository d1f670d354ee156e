/** What must hold after each step, judged by what engines really do, not from what ledgers say. */
import type { BackendEntry, Inventory } from '../../src/control/inventory.js';
import type { SharedState } from '../../src/control/shared_state.js';
import { formatAddress } from '../../src/core/endpoint.js';
import { PLAIN_COLUMN } from '../../src/core/series_layout.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import { DESCRIPTORS_PER_FLOW, DESCRIPTORS_PER_SESSION } from '../../src/pool/descriptor_ledger.js';
import { ineligible } from '../../src/pool/eligibility.js';
import { LINGER_MS } from '../../src/session/tcp_port.js';
import type { FakePair } from '../support/fake_tcp_engine.js';
import { holds } from './failure.js';
import { isFound } from './sim_sources.js';
import type { SimWorker } from './sim_worker.js';

/** What a look at drains, a worker's turn and its wheel may add to a time, in steps of 2 s each. */
const SLACK_MS = 5_000;
/** Drains wait a second at rest before a row is given away. */
const SETTLE_MS = 1_000;

const GONE = CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired;

export interface Scene {
  readonly nowMs: number;
  readonly inventory: Inventory;
  readonly shared: SharedState;
  readonly workers: readonly SimWorker[];
  /** A change is under way: workers perhaps do not know yet what is there instead of what left. */
  readonly changing: boolean;
  /** By backend that left the file: when its time and the span after it are over. */
  readonly dueMs: ReadonlyMap<BackendEntry, number>;
  /** By the same: when it left. */
  readonly leftMs: ReadonlyMap<BackendEntry, number>;
  readonly tried: (pair: FakePair) => readonly string[];
}

export function checkStep(scene: Scene): void {
  for (const worker of scene.workers) {
    const open = worker.tcp.pairs.size;
    const away = [...worker.tcp.pairs.values()].filter(mayBeAway).length;
    const { count } = worker.plane.tcp;
    holds(
      count <= open && count >= open - away,
      () => `${count} sessions, ${open} pairs, ${away} perhaps turned away`,
    );
    const flows = worker.udp.open;
    holds(worker.plane.udp.count === flows, () => `${worker.plane.udp.count} of ${flows} flows`);
  }
  checkLeases(scene);
  checkListeners(scene);
  checkDrains(scene);
  checkTenure(scene);
  checkQueues(scene);
}

/** Every reservation in the ledger is held by a session or flow that uses that backend. */
function checkLeases({ workers, inventory, shared }: Scene): void {
  const used = new Map<string, number>();
  const use = (target: string): void => void used.set(target, (used.get(target) ?? 0) + 1);
  for (const { tcp, udp } of workers) {
    for (const pair of tcp.pairs.values()) if (pair.target !== null) use(pair.target);
    for (const target of udp.served.values()) use(target);
  }
  for (const entry of inventory.backends()) {
    const address = formatAddress(entry.endpoint);
    const counted = shared.ledger.active(entry.id);
    const held = used.get(address) ?? 0;
    holds(counted === held, () => `${address}: ${counted} in the ledger, ${held} in use`);
    used.delete(address);
  }
  holds(used.size === 0, () => `backends in use that are not known: ${[...used.keys()]}`);
}

/** A listener's count is that of its sessions, and its series say the same. */
function checkListeners({ inventory, shared, workers }: Scene): void {
  const active = new Map<string, number>();
  for (const { id, listenerKey, name } of inventory.tallies.all()) {
    const here = shared.series.value(id, PLAIN_COLUMN.active);
    holds(here >= 0, () => `${name} has ${here} sessions`);
    active.set(listenerKey, (active.get(listenerKey) ?? 0) + here);
  }
  let all = 0;
  for (const entry of inventory.listeners.values()) {
    const counted = shared.ledger.listenerActive(entry.id);
    const here = active.get(entry.key) ?? 0;
    holds(counted === here, () => `${entry.key}: ${counted} in the ledger, ${here} in the series`);
    all += counted;
  }
  let open = 0;
  let unasked = 0;
  for (const { tcp, udp } of workers) {
    open += tcp.pairs.size + udp.open;
    for (const { state, target } of tcp.pairs.values()) {
      if (state === 'idle' || (state === 'closing' && target === null)) unasked++;
    }
  }
  // A client that is held at a listener's cap is open, but not counted.
  const told = (): string => `${all} counted, ${open} open, ${unasked} perhaps held`;
  holds(all <= open && all >= open - unasked, told);
  checkDescriptors({ inventory, shared });
}

/** What sessions and flows have together is what their listeners count. */
function checkDescriptors({ inventory, shared }: Pick<Scene, 'inventory' | 'shared'>): void {
  let needed = 0;
  for (const { id, spec } of inventory.listeners.values()) {
    const each = spec.protocol === 'tcp' ? DESCRIPTORS_PER_SESSION : DESCRIPTORS_PER_FLOW;
    needed += each * shared.ledger.listenerActive(id);
  }
  const { used } = shared.ledger.descriptors;
  holds(used === needed, () => `${used} descriptors are counted, ${needed} are in use`);
}

/** After its time and the span, a backend that left has no session; then it is forgotten. */
function checkDrains({ nowMs, dueMs, workers, inventory }: Scene): void {
  for (const [entry, due] of dueMs) {
    const lateMs = nowMs - due - SLACK_MS;
    if (lateMs < 0) continue;
    const address = formatAddress(entry.endpoint);
    for (const { tcp, udp } of workers) {
      const on = [...tcp.pairs.values()].find(
        ({ target, state }) => target === address && state !== 'closing',
      );
      holds(on === undefined, () => `a session is ${on?.state} at ${address}, ${lateMs} ms late`);
      holds(![...udp.served.values()].includes(address), () => `a flow is at ${address}, late`);
    }
    const known = [...inventory.backends()].includes(entry);
    const overdue = lateMs > LINGER_MS + SETTLE_MS;
    holds(!(known && overdue), () => `${entry.key} was drained and is not forgotten`);
  }
}

/** What left gets no sessions, what is in the file (again) is not kept from them by a drain. */
function checkTenure({ nowMs, inventory, shared, changing, leftMs }: Scene): void {
  for (const entry of inventory.backends()) {
    const gone = (shared.ledger.closed(entry.id) & GONE) !== 0;
    const left = entry.tenure === 'leaving';
    // A change of what sources have found is under way for a moment, and nothing says until when.
    const isFresh =
      isFound(formatAddress(entry.endpoint)) && nowMs - (leftMs.get(entry) ?? nowMs) < SLACK_MS;
    if (left && (changing || isFresh)) continue;
    holds(gone === left, () => `${entry.key} is ${entry.tenure}, but ${gone ? 'closed' : 'open'}`);
  }
}

/** Only what is there counts for a client. Walks through the whole table: not for every step. */
export function checkClients({ nowMs, shared, workers }: Scene): void {
  const counted = sessionsOfClients(shared, nowMs);
  const open = workers.reduce((sum, { tcp, udp }) => sum + tcp.pairs.size + udp.open, 0);
  holds(counted <= open, () => `${counted} sessions count for their clients, ${open} are open`);
}

function sessionsOfClients({ clients }: SharedState, nowMs: number): number {
  return [...clients.clients(nowMs)].reduce((sum, { sessions }) => sum + sessions, 0);
}

/** A queue has as many tickets as waiters, never negative. */
function checkQueues({ inventory, shared, workers }: Scene): void {
  for (const pool of inventory.pools.values()) {
    const queued = shared.ledger.queued(pool.id);
    const waiting = workers.flatMap(({ tcp }) => [...tcp.pairs.values()]).filter(isIdle).length;
    holds(queued >= 0 && queued <= waiting, () => `${queued} queued, ${waiting} are waiting`);
  }
}

/**
 * When nothing is under way any more, no session waits in a queue while a backend that it has not
 * tried has a free place, whichever others wait and whatever those have tried.
 */
export function checkRest({ inventory, shared, workers, tried }: Scene): void {
  const waiting = workers.flatMap(({ tcp }) => [...tcp.pairs.values()]).filter(isIdle);
  for (const pool of inventory.pools.values()) {
    const queued = shared.ledger.queued(pool.id);
    for (const entry of queued === 0 ? [] : pool.backends.values()) {
      if (ineligible(shared.ledger, entry.id, null, 'health') !== null) continue;
      const address = formatAddress(entry.endpoint);
      const inVain = waiting.filter((pair) => tried(pair).includes(address)).length;
      holds(
        queued <= inVain,
        () => `${queued} wait, ${inVain} tried ${address}, which has a place`,
      );
    }
  }
}

/** Long after the last trouble, every backend serves in full, and none is left that left. */
export function checkWell({ inventory, shared: { ledger } }: Scene): void {
  for (const { key, id, tenure, spec } of inventory.backends()) {
    holds(tenure === 'kept', () => `the drain of ${key} does not end`);
    holds(ledger.health(id) === 'up', () => `${key} is ${ledger.health(id)} for ever`);
    holds(ledger.closed(id) === 0, () => `${key} is closed for ever: ${ledger.closed(id)}`);
    const [weight, cap] = [ledger.weight(id), ledger.cap(id)];
    const whole = weight === spec.weight && cap === spec.maxConnections;
    holds(whole, () => `${key} has weight ${weight} and cap ${cap} for ever`);
  }
}

/** At the very end nothing is left of anything. */
export function checkEmpty({ nowMs, shared, workers }: Scene, rows: number): void {
  const counted = sessionsOfClients(shared, nowMs);
  holds(counted === 0, () => `${counted} sessions still count for their clients`);
  const { ledger } = shared;
  for (let row = 0; row < rows; row++) {
    const left = [
      ledger.active(row as never),
      ledger.listenerActive(row as never),
      ledger.queued(row as never),
    ];
    holds(
      left.every((count) => count === 0),
      () => `row ${row} still counts ${left}`,
    );
  }
  const { used } = ledger.descriptors;
  holds(used === 0, () => `${used} descriptors are still counted`);
  for (const { tcp, udp, id } of workers) {
    holds(tcp.pairs.size === 0, () => `worker ${id} has ${tcp.pairs.size} pairs`);
    holds(udp.open === 0, () => `worker ${id} has ${udp.open} flows`);
  }
}

/** It has no session where it was refused as it came: it is about to close, or is kept waiting. */
function mayBeAway({ state, target }: FakePair): boolean {
  return target === null && (state === 'idle' || state === 'closing');
}

function isIdle(pair: FakePair): boolean {
  return pair.state === 'idle';
}
