/** Passive health of a balancer: what its own requests say against a backend takes it out. */
import { unreachable } from '../core/assert.js';
import type { BackendId, PoolId } from '../core/brand.js';
import type { OutlierSpec } from '../core/spec.js';
import { endEjection, tryEject } from '../pool/ejecting.js';
import { type EjectionDecision, EjectionTracker } from '../pool/ejection.js';
import { type BackendObservation, describeCause } from '../pool/ejection_cause.js';
import { outIn } from '../pool/ejection_ledger.js';
import { isUsable } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { Counts } from './counts.js';
import type { Entry } from './entry.js';
import type { Tell } from './events.js';
import { Latencies } from './latencies.js';
import type { Roll } from './roll.js';

export interface PassiveHealthDeps {
  readonly pool: PoolId;
  readonly ledger: Ledger;
  readonly roll: Roll;
  readonly counts: Counts;
  readonly tell: Tell;
  /** An ejection of `entry` is over. */
  readonly returned: (entry: Entry) => void;
}

export class PassiveHealth {
  readonly #deps: PassiveHealthDeps;
  readonly latencies = new Latencies();
  #spec: OutlierSpec | null = null;
  #tracker: EjectionTracker | null = null;
  #windowEndMs = 0;

  constructor(deps: PassiveHealthDeps) {
    this.#deps = deps;
  }

  /** No backend is out, and nothing is judged by time. */
  get isIdle(): boolean {
    const { ledger, pool } = this.#deps;
    return this.#spec === null && outIn(ledger.ejections.word(pool)) === 0;
  }

  get comparesLatencies(): boolean {
    return (this.#spec?.latencyFactor ?? 0) > 0;
  }

  /**
   * Follows the newest options; ejections under way go on, but for those that nothing would end.
   */
  update(spec: OutlierSpec | null): void {
    this.#spec = spec;
    if (spec === null) {
      this.#tracker = null;
      for (const { id } of this.#deps.roll.entries) this.#end(id);
      return;
    }
    if (this.#tracker === null) {
      const room = {
        take: (backend: BackendId, inARow: number, nowMs: number) =>
          this.#take(backend, inARow, nowMs),
        giveBack: (backend: BackendId) => this.#end(backend),
      };
      this.#tracker = new EjectionTracker(spec, room);
    } else this.#tracker.update(spec);
    for (const { id, tenure } of this.#deps.roll.entries) if (tenure === 'leaving') this.#end(id);
  }

  look(nowMs: number): void {
    const spec = this.#spec;
    if (this.#tracker === null || spec === null) return;
    const window = nowMs >= this.#windowEndMs ? 'ends' : 'goes on';
    const observed = this.#deps.roll.kept.map(({ id }) => this.#observe(id, spec, nowMs, window));
    if (window === 'ends') this.#windowEndMs = nowMs + spec.intervalMs;
    for (const decision of this.#tracker.look(nowMs, observed)) this.#carryOut(decision);
  }

  /** Its probes had found it down, and find it up again. */
  recovered({ id }: Entry, nowMs: number): void {
    for (const decision of this.#tracker?.recovered(id, nowMs) ?? []) this.#carryOut(decision);
  }

  #observe(
    backend: BackendId,
    spec: OutlierSpec,
    nowMs: number,
    window: 'ends' | 'goes on',
  ): BackendObservation {
    const { ledger } = this.#deps;
    const { ejections } = ledger;
    return {
      backend,
      isUsable: isUsable(ledger, backend),
      failuresInARow: ejections.evidence(backend, nowMs, spec),
      taken: ejections.takenOut(backend, nowMs),
      spared: ejections.takeSpared(backend),
      connect: null,
      firstByte: window === 'ends' ? this.latencies.take(backend) : null,
    };
  }

  #take(backend: BackendId, inARow: number, nowMs: number) {
    const { ledger, pool, roll } = this.#deps;
    const spec = this.#spec;
    if (spec === null) return 'already' as const;
    const members = roll.kept.map(({ id }) => id);
    return tryEject(ledger, { pool, backend, members, spec, inARow, nowMs });
  }

  #end(backend: BackendId): void {
    endEjection(this.#deps.ledger, this.#deps.pool, backend);
  }

  #carryOut(decision: EjectionDecision): void {
    const { roll, tell, counts, returned } = this.#deps;
    const entry = roll.byId(decision.backend);
    if (entry === undefined) return;
    const names = { pool: roll.pool.spec.name, backend: entry.spec.name };
    switch (decision.kind) {
      case 'eject':
        counts.ejection(names.backend, decision.cause.kind);
        tell('backend-ejected', { ...names, ...toldOf(decision) });
        return;
      case 'would-eject':
        tell('backend-would-be-ejected', { ...names, ...toldOf(decision) });
        return;
      case 'spare':
        tell('ejection-spared', {
          ...names,
          cause: decision.because,
          detail: describeCause(decision.cause),
        });
        return;
      case 'return':
        this.latencies.take(entry.id);
        returned(entry);
        tell('backend-returned', { ...names, detail: RETURNED[decision.because] });
        return;
      default:
        return unreachable(decision);
    }
  }
}

const RETURNED = {
  'time-over': 'its time is over',
  recovered: 'its probes had found it down, and find it up',
} as const;

function toldOf(decision: Extract<EjectionDecision, { kind: 'eject' | 'would-eject' }>) {
  const { cause, durationMs, timesInARow } = decision;
  return { cause: cause.kind, detail: describeCause(cause), durationMs, inARow: timesInARow };
}
