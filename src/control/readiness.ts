/** Whether the daemon is ready, and all that keeps it from serving as it should. */
import type { CheckView } from '../admin/views.js';
import { poolsOf } from '../core/routes.js';
import type { Ledger } from '../pool/ledger.js';
import { canServe } from '../pool/standing.js';
import type { Daemon } from './daemon.js';
import type { ListenerEntry, PoolEntry } from './inventory.js';
import type { PoolNow } from './pool_now.js';
import { heldBehind, isHeld, namesWithout, tally } from './pool_words.js';
import { troublesNow } from './troubles.js';

export type LookAtPool = (pool: PoolEntry) => PoolNow;

/** `listener`: this one only; null: all. */
export function readinessOf(
  daemon: Daemon,
  listener: string | null,
  look: LookAtPool = (pool) => daemon.watch.pool(pool),
): CheckView {
  if (daemon.phase === 'stopping') return { problems: ['sluice stops'] };
  if (daemon.phase === 'leaving') {
    const seconds = Math.ceil(daemon.life.leavesInMs / 1000);
    return { problems: [`sluice leaves: it accepts for ${seconds} s more`] };
  }
  if (daemon.phase === 'starting') return { problems: ['sluice starts'] };
  const problems: string[] = [];
  if (daemon.fleet.serving() === 0) problems.push('no worker thread runs: clients wait');
  const asked = [...daemon.inventory.listeners.values()].filter(
    ({ tenure, spec }) => tenure === 'kept' && (listener === null || spec.name === listener),
  );
  if (asked.length === 0) {
    if (listener !== null) return noSuch(listener);
    problems.push('no listener');
  }
  for (const entry of asked) problems.push(...problemsOf(daemon, entry, look));
  const notes = [...heldBehind(asked, daemon.desires), ...namesWithout(asked, daemon.inventory)];
  return { problems, notes };
}

/** With all that `/healthz` and `/ready` have; `all`: every pool, as it is at this instant. */
export function checkNow(daemon: Daemon, ledger: Ledger, all: readonly PoolNow[]): CheckView {
  const seen = new Map(all.map((now) => [now.pool, now]));
  const look: LookAtPool = (pool) => seen.get(pool) ?? daemon.watch.pool(pool);
  const { problems, notes = [] } = readinessOf(daemon, null, look);
  const troubles = troublesNow(daemon, ({ id }) => ledger.queued(id), look);
  return { problems: [...daemon.fleet.problems(), ...problems, ...troubles], notes };
}

function problemsOf(
  { inventory, watch }: Daemon,
  entry: ListenerEntry,
  look: LookAtPool,
): readonly string[] {
  const name = `listener ${entry.spec.name}`;
  const problems: string[] = [];
  const { state, reason } = watch.listener(entry);
  if (state === 'failed') problems.push(`${name}: ${reason}`);
  for (const key of poolsOf(entry.spec)) {
    const pool = inventory.pools.get(key);
    if (pool !== undefined && isHeld(pool)) continue;
    const now = pool === undefined ? null : look(pool);
    if (now !== null && canServe(now.standing)) continue;
    const why = now === null ? '' : ` (${tally(now)})`;
    problems.push(`${name}: no backend of pool ${key} is eligible${why}`);
  }
  return problems;
}

/** The caller is perhaps not allowed to know the other names. */
function noSuch(listener: string): CheckView {
  const name = JSON.stringify(listener);
  return { problems: [`There is no listener ${name}: see sluice ctl listeners.`], unknown: true };
}
