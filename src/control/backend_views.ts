/** Backends as people see them: state, reason, since when, and the last probe. */
import type { BackendState, BackendView, ProbeView } from '../admin/views.js';
import { unreachable } from '../core/assert.js';
import type { Clock } from '../core/clock.js';
import { formatAddress } from '../core/endpoint.js';
import type { Ineligible } from '../core/outcome.js';
import type { BackendSpec } from '../core/spec.js';
import type { TargetHealth } from '../health/target.js';
import { ineligible } from '../pool/eligibility.js';
import { CLOSED_BECAUSE, type Ledger } from '../pool/ledger.js';
import { type BackendBoard, targetKey } from './backend_board.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

export class BackendDescriber {
  readonly #board: BackendBoard;
  readonly #ledger: Ledger;
  readonly #clock: Clock;

  constructor(board: BackendBoard, ledger: Ledger, clock: Clock) {
    this.#board = board;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** Every backend of `pool`, those that leave and those without an address included. */
  backends(pool: PoolEntry): BackendView[] {
    const health = this.#board.healthByKey();
    const entries = [...pool.backends.values()];
    const hasFirstTier = entries.some(
      (entry) => !entry.spec.backup && ineligible(this.#ledger, entry.id, null, 'health') === null,
    );
    const backups = hasFirstTier ? 'standby' : null;
    return [
      ...entries.map((entry) => this.#backend(entry, health.get(targetKey(entry)), backups)),
      ...pool.unresolved.map((spec) => this.#unresolved(spec)),
    ];
  }

  /** `backups`: why a backup gets no sessions now, if it gets none. */
  #backend(
    entry: BackendEntry,
    health: TargetHealth | undefined,
    backups: Ineligible | null,
  ): BackendView {
    const ledger = this.#ledger;
    const why =
      ineligible(ledger, entry.id, null, 'health') ?? (entry.spec.backup ? backups : null);
    const state = stateOf(entry, ledger);
    return {
      name: entry.spec.name,
      address: formatAddress(entry.endpoint),
      state,
      eligible: why === null,
      reason: reasonOf(why, health),
      sinceWallMs: health?.sinceMs ?? this.#clock.wallMs(),
      active: ledger.active(entry.id),
      maxConnections: ledger.cap(entry.id),
      weight: entry.spec.weight,
      weightEffective: ledger.weight(entry.id),
      backup: entry.spec.backup,
      lastProbe: probeOf(health),
    };
  }

  #unresolved(spec: BackendSpec): BackendView {
    return {
      name: spec.name,
      address: formatAddress(spec.address),
      state: 'unresolved',
      eligible: false,
      reason: 'its name has no address',
      sinceWallMs: this.#clock.wallMs(),
      active: 0,
      maxConnections: spec.maxConnections,
      weight: spec.weight,
      weightEffective: 0,
      backup: spec.backup,
      lastProbe: null,
    };
  }
}

function stateOf(entry: BackendEntry, ledger: Ledger): BackendState {
  if (entry.tenure === 'leaving') return 'leaving';
  const health = ledger.health(entry.id);
  if (health === 'down') return 'down';
  if ((ledger.closed(entry.id) & CLOSED_BECAUSE.ejected) !== 0) return 'ejected';
  return health;
}

function reasonOf(why: Ineligible | null, health: TargetHealth | undefined): string {
  switch (why) {
    case null:
    case 'tried':
      return '';
    case 'down':
      return health?.detail ?? 'its probes fail';
    case 'drained':
      return 'no longer in the file; its sessions may finish';
    case 'weight-0':
      return 'its weight is 0';
    case 'unproven':
      return 'no probe has succeeded yet';
    case 'ejected':
      return 'it failed in real traffic';
    case 'full':
      return 'as many sessions as it may have';
    case 'standby':
      return 'a backup: used when no other is eligible';
    default:
      return unreachable(why);
  }
}

function probeOf(health: TargetHealth | undefined): ProbeView | null {
  const last = health?.last ?? null;
  if (last === null) return null;
  return {
    result: last.result.ok ? 'passed' : 'failed',
    atWallMs: last.atMs,
    latencyMs: last.durationMs,
    detail: last.result.ok ? last.result.note : last.result.detail,
  };
}
