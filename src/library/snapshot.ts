/** How a balancer is now, for people, pages and tests: plain data, and nothing is asked for it. */
import { formatAddress } from '../core/endpoint.js';
import type { Ineligible } from '../core/outcome.js';
import { ranksOf } from '../core/ranks.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import type { PolicyName } from '../core/spec.js';
import { type BackendCondition, conditionOf } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import { standingOf } from '../pool/standing.js';
import type { Backend, Entry } from './entry.js';
import type { States } from './states.js';

export interface BackendSnapshot extends Backend {
  readonly state: BackendCondition | 'drained' | 'leaving';
  /** Why it gets nothing new now; null: it may get the next request. */
  readonly reason: Ineligible | null;
  /** What its probes said when the verdict last changed; may be ''. */
  readonly detail: string;
  /** Wall clock, in ms: since when the verdict of its probes stands. */
  readonly sinceMs: number;
  /** Requests and connections now. */
  readonly active: number;
  /** 0: no cap. */
  readonly maxConnections: number;
  readonly weight: number;
  /** As it counts now: times slow start, times what its probes ask for. */
  readonly effectiveWeight: number;
  readonly backup: boolean;
}

export interface Snapshot {
  readonly name: string;
  readonly policy: PolicyName;
  /** Whether a request that comes now is served: by which backends, or why not. */
  readonly serves: 'first' | 'backup' | 'all' | 'all-full' | 'unproven' | 'all-down' | 'no-backend';
  /** Requests that wait for a place. */
  readonly queued: number;
  readonly backends: readonly BackendSnapshot[];
  readonly unresolved: readonly UnresolvedSnapshot[];
  /** What `discovery` follows: how far each source is believed now, and why. */
  readonly sources: readonly SourceSnapshot[];
}

/** A backend whose name has no address. */
export interface UnresolvedSnapshot {
  readonly name: string;
  readonly address: string;
  /** The name of the backend that serves in its place until it has one; null: none does. */
  readonly standIn: string | null;
}

export function snapshotOf(
  states: States,
  ledger: Ledger,
  queued: number,
  sources: readonly SourceSnapshot[],
): Snapshot {
  const { roll } = states;
  const { name, settings } = roll.pool.spec;
  const entries = [...roll.entries];
  const health = states.active.byKey();
  const rankOf = ranksOf(roll.pool.spec);
  const members = entries.map(({ id, spec }) => ({ id, rank: rankOf(spec) }));
  const standing = standingOf(ledger, members, settings.panicPercent);
  return {
    name,
    policy: settings.policy.name,
    serves: standing.serves,
    queued,
    sources,
    unresolved: roll.unresolved.map(({ spec, standIn }) => {
      const address = formatAddress(spec.address);
      return { name: spec.name, address, standIn: standIn?.spec.name ?? null };
    }),
    backends: entries.map((entry, index): BackendSnapshot => {
      const { id, spec, view } = entry;
      const told = health.get(entry.key);
      return {
        ...view,
        state: stateOf(entry, ledger),
        reason: standing.reasons[index] ?? null,
        detail: told?.detail ?? '',
        sinceMs: told?.sinceMs ?? 0,
        active: ledger.active(id),
        maxConnections: ledger.cap(id),
        weight: spec.weight,
        effectiveWeight: ledger.weight(id),
        backup: spec.backup,
      };
    }),
  };
}

function stateOf({ id, tenure, admin }: Entry, ledger: Ledger): BackendSnapshot['state'] {
  if (tenure === 'leaving') return 'leaving';
  return admin === 'drained' ? 'drained' : conditionOf(ledger, id);
}
