/** Backends as people see them: state, reason, since when, and the last probe. */
import type { BackendGlance, BackendView, ProbeView } from '../admin/views.js';
import type { BackendState } from '../core/backend_states.js';
import { accountOf } from '../core/deviation.js';
import { formatAddress } from '../core/endpoint.js';
import type { Ineligible } from '../core/outcome.js';
import type { ProbeResult } from '../health/probe.js';
import type { TargetHealth } from '../health/target.js';
import type { Ledger } from '../pool/ledger.js';
import { countOfBackend } from '../pool/other_processes.js';
import type { BackendBoard } from './backend_board.js';
import { type BackendEvidence, type BackendSituation, reasonOf } from './backend_state.js';
import type { Daemon } from './daemon.js';
import type { Desires } from './desired/desires.js';
import { deviationsIn } from './desired/override.js';
import type { BackendEntry } from './inventory.js';
import { inItsPlace, whyItStays } from './name_report.js';
import type { PoolNow } from './pool_now.js';
import type { PoolWatch } from './pool_watch.js';
import { isRemarkable, remark } from './remarks.js';
import { isDescribed, type Unresolved } from './stand_ins.js';

/** How it is, is looked at when that is asked for. */
export interface NamedBackend {
  readonly name: string;
  readonly view: () => BackendView;
}

export class BackendDescriber {
  readonly #board: BackendBoard;
  readonly #watch: PoolWatch;
  readonly #ledger: Ledger;
  readonly #desires: Pick<Desires, 'overridesOf'>;

  constructor({ board, watch, desires }: Daemon, ledger: Ledger) {
    this.#board = board;
    this.#watch = watch;
    this.#ledger = ledger;
    this.#desires = desires;
  }

  /** Every backend of a pool, those that leave and those without an address included. */
  backends(now: PoolNow): BackendView[] {
    return this.each(now).map(({ view }) => view());
  }

  /** The same, and none of them is looked at before its view is asked for. */
  each(now: PoolNow): NamedBackend[] {
    return [
      ...now.members.map((entry, index) => ({
        name: entry.spec.name,
        view: () => this.#backend(entry, now, now.standing.reasons[index] ?? null),
      })),
      ...now.pool.unresolved.filter(isDescribed).map((one) => ({
        name: one.spec.name,
        view: () => this.#unresolved(now, one),
      })),
    ];
  }

  /** The same at a glance: ten thousand take some milliseconds. */
  glances(now: PoolNow): BackendGlance[] {
    const parts = {
      stateOf: (entry: BackendEntry) => this.#watch.stateOf(entry),
      reasonOf: (entry: BackendEntry, how: Situated) => this.#reason(entry, now, how),
      viewOf: (entry: BackendEntry, cause: Ineligible | null) => this.#backend(entry, now, cause),
      ledger: this.#ledger,
    };
    const members = now.members.map((entry, index) => {
      return new MemberGlance(entry, now.standing.reasons[index] ?? null, parts);
    });
    const others = now.pool.unresolved.filter(isDescribed).map((one): BackendGlance => {
      const view = this.#unresolved(now, one);
      return { view: () => view, ...view };
    });
    return [...members, ...others];
  }

  /** As many as `backends` describes. */
  count({ members, pool }: PoolNow): number {
    return members.length + pool.unresolved.filter(isDescribed).length;
  }

  /** The sentences on those that do not serve as usual; only `most` are described in full. */
  remarks(
    now: PoolNow,
    most: number,
  ): { readonly told: readonly string[]; readonly count: number } {
    const { key } = now.pool;
    const told: string[] = [];
    let count = 0;
    const add = (describe: () => BackendView): void => {
      if (count++ < most) told.push(remark(key, describe()));
    };
    for (const [index, entry] of now.members.entries()) {
      if (!isRemarkable(this.#watch.stateOf(entry))) continue;
      add(() => this.#backend(entry, now, now.standing.reasons[index] ?? null));
    }
    for (const one of now.pool.unresolved.filter(isDescribed))
      add(() => this.#unresolved(now, one));
    return { told, count };
  }

  #backend(entry: BackendEntry, now: PoolNow, cause: Ineligible | null): BackendView {
    const ledger = this.#ledger;
    const { backup, weight, name } = entry.spec;
    const { state, sinceWallMs } = this.#watch.backend(entry);
    return {
      name,
      address: formatAddress(entry.endpoint),
      state,
      eligible: cause === null,
      cause,
      reason: this.#reason(entry, now, { state, cause }),
      sinceWallMs,
      active: ledger.active(entry.id),
      maxConnections: ledger.cap(entry.id),
      weight,
      weightEffective: ledger.weight(entry.id),
      backup,
      lastProbe: probeOf(this.#board.probes.healthOf(entry)),
      overrides: deviationsIn(this.#desires.overridesOf(entry.pool.key, name)),
    };
  }

  /** A search asks for those of all backends: of most there is none to be found quickly. */
  #reason(entry: BackendEntry, { standing: { serves } }: PoolNow, how: Situated): string {
    const { backup, name } = entry.spec;
    const evidence = new Evidence(entry, this.#board);
    const { state, cause } = how;
    const backups = backup ? entry.pool.spec.backups : 'no';
    const { others } = this.#ledger;
    const elsewhere = ofProcessesThatLeave(others.remaining(countOfBackend(entry.id)));
    const stays = whyItStays(entry);
    const own = reasonOf({ state, cause, serves, backup: backups, evidence });
    const overrides = this.#desires.overridesOf(entry.pool.key, name);
    if (stays === '' && elsewhere === '' && overrides.length === 0) return own;
    const reasons = [stays, ...overrides.map(accountOf), own, elsewhere];
    return reasons.filter((part) => part !== '').join('; ');
  }

  #unresolved({ pool }: PoolNow, unresolved: Unresolved): BackendView {
    const { spec } = unresolved;
    return {
      name: spec.name,
      address: formatAddress(spec.address),
      state: 'unresolved',
      eligible: false,
      cause: 'unresolved',
      reason: `its name has no address; ${inItsPlace(unresolved)}`,
      sinceWallMs: this.#watch.unresolvedSince(pool, spec.name),
      active: 0,
      maxConnections: spec.maxConnections,
      weight: spec.weight,
      weightEffective: 0,
      backup: spec.backup,
      lastProbe: null,
      overrides: deviationsIn(this.#desires.overridesOf(pool.key, spec.name)),
    };
  }
}

type Situated = Pick<BackendSituation, 'state' | 'cause'>;

/** Looked up when a sentence needs it. */
class Evidence implements BackendEvidence {
  readonly #entry: BackendEntry;
  readonly #board: BackendBoard;

  constructor(entry: BackendEntry, board: BackendBoard) {
    this.#entry = entry;
    this.#board = board;
  }

  share(): number {
    return this.#board.shareOf(this.#entry);
  }

  verdictDetail(): string {
    return this.#board.probes.healthOf(this.#entry)?.detail ?? '';
  }

  ejection(): string {
    return this.#board.ejectionOf(this.#entry);
  }
}

interface GlanceParts {
  readonly ledger: Ledger;
  readonly stateOf: (entry: BackendEntry) => BackendState;
  readonly reasonOf: (entry: BackendEntry, how: Situated) => string;
  readonly viewOf: (entry: BackendEntry, cause: Ineligible | null) => BackendView;
}

/** What most screens ask of all is at hand; the rest is made when it is asked for. */
class MemberGlance implements BackendGlance {
  readonly name: string;
  readonly state: BackendState;
  readonly active: number;
  readonly #entry: BackendEntry;
  readonly #cause: Ineligible | null;
  readonly #parts: GlanceParts;

  constructor(entry: BackendEntry, cause: Ineligible | null, parts: GlanceParts) {
    this.name = entry.spec.name;
    this.state = parts.stateOf(entry);
    this.active = parts.ledger.active(entry.id);
    this.#entry = entry;
    this.#cause = cause;
    this.#parts = parts;
  }

  get eligible(): boolean {
    return this.#cause === null;
  }

  get address(): string {
    return formatAddress(this.#entry.endpoint);
  }

  get reason(): string {
    return this.#parts.reasonOf(this.#entry, { state: this.state, cause: this.#cause });
  }

  view(): BackendView {
    return this.#parts.viewOf(this.#entry, this.#cause);
  }
}

/** Of processes before this one, that finish what they have. */
function ofProcessesThatLeave(sessions: number): string {
  if (sessions === 0) return '';
  const are = sessions === 1 ? '1 of its sessions is' : `${sessions} of its sessions are`;
  return `${are} of a process that leaves`;
}

function probeOf(health: TargetHealth | null): ProbeView | null {
  const last = health?.last ?? null;
  if (last === null) return null;
  return {
    result: resultOf(last.result),
    atWallMs: last.atMs,
    latencyMs: last.durationMs,
    detail: last.result.ok ? last.result.note : last.result.detail,
  };
}

/** One in another role answers as it should: nothing has failed. */
function resultOf(result: ProbeResult): ProbeView['result'] {
  if (result.ok) return 'passed';
  return result.failure === 'wrong-role' ? 'standby' : 'failed';
}
