/**
 * Ejections over all threads, without a lock and yet exact: at no instant are more backends of a
 * pool out than its share, and the last one that could serve is never taken out.
 *
 * A pool's word counts those that are out or about to be. A thread that ejects looks at all members
 * between reading the word and changing it by compare-and-swap, so what it saw is what held: a
 * backend that is in the count and not yet seen to be out is taken for one of those that serve, and
 * subtracted. The count rises before a backend goes out and falls after it came back.
 */
import type { BackendId, PoolId } from '../core/brand.js';
import type { OutlierSpec } from '../core/spec.js';
import { outIn, type SparedBecause } from './ejection_ledger.js';
import { isUsable } from './eligibility.js';
import type { Ledger } from './ledger.js';

export interface EjectionRequest {
  readonly pool: PoolId;
  readonly backend: BackendId;
  /** The pool's backends, without those that left the file. */
  readonly members: readonly BackendId[];
  readonly spec: OutlierSpec;
  /** The failures in a row that it is for; 0 = another cause. */
  readonly inARow: number;
  readonly nowMs: number;
}

/** `already`: it is out, or another thread decides about it in this instant. */
export type EjectionAnswer = 'ejected' | 'already' | SparedBecause;

export function tryEject(ledger: Ledger, request: EjectionRequest): EjectionAnswer {
  const { ejections } = ledger;
  const { backend, spec } = request;
  if (!ejections.claim(backend)) return 'already';
  const room = takeRoom(ledger, request);
  if (room !== 'taken') {
    ejections.setIn(backend);
    return room;
  }
  // Closed before it is reported: control, which ends ejections, never sees half of one.
  if (!spec.dryRun) ledger.setClosed(backend, 'ejected');
  ejections.setOut(backend, spec.dryRun ? 'dry' : 'real', request.inARow, request.nowMs);
  return 'ejected';
}

/** Puts `backend` back with clean evidence. Control alone calls this. */
export function endEjection(ledger: Ledger, pool: PoolId, backend: BackendId): void {
  const { ejections } = ledger;
  if (!isOut(ledger, backend)) return;
  ejections.forget(backend);
  ledger.clearClosed(backend, 'ejected');
  ejections.setIn(backend);
  for (;;) {
    const word = ejections.word(pool);
    if (ejections.tryCount(pool, word, Math.max(0, outIn(word) - 1))) return;
  }
}

export function isOut(ledger: Ledger, backend: BackendId): boolean {
  const state = ledger.ejections.state(backend);
  return state === 'real' || state === 'dry';
}

/** As Envoy: one may always be ejected, however small the share, unless the share is 0. */
export function mostEjected(maxEjectedPercent: number, backends: number): number {
  if (maxEjectedPercent === 0) return 0;
  return Math.max(1, Math.floor((backends * maxEjectedPercent) / 100));
}

/**
 * A thread that ended in the middle of an ejection leaves a claim or a count behind. `members`:
 * also those that left and still have their row. True when all is in order.
 */
export function ejectionsAgree(
  ledger: Ledger,
  pool: PoolId,
  members: readonly BackendId[],
): boolean {
  const isClaimed = (id: BackendId): boolean => ledger.ejections.state(id) === 'claimed';
  return (
    outIn(ledger.ejections.word(pool)) === countOut(ledger, members) && !members.some(isClaimed)
  );
}

/** Ends what such a thread left behind. The caller has waited longer than a live one takes. */
export function repairEjections(ledger: Ledger, pool: PoolId, members: readonly BackendId[]): void {
  const { ejections } = ledger;
  const word = ejections.word(pool);
  for (const id of members) {
    if (ejections.state(id) !== 'claimed') continue;
    ledger.clearClosed(id, 'ejected');
    ejections.setIn(id);
  }
  ejections.tryCount(pool, word, countOut(ledger, members));
}

function takeRoom(ledger: Ledger, request: EjectionRequest): 'taken' | SparedBecause {
  const { ejections } = ledger;
  const { pool, backend, members, spec } = request;
  const most = mostEjected(spec.maxEjectedPercent, members.length);
  for (;;) {
    const word = ejections.word(pool);
    const out = outIn(word);
    let seenOut = 0;
    let serving = 0;
    for (const member of members) {
      if (isOut(ledger, member)) seenOut++;
      else if (member !== backend && isUsable(ledger, member)) serving++;
      // Enough serve, even if none of those that are out was among them.
      if (serving > out) break;
    }
    if (serving - (out - seenOut) <= 0) return 'last-one';
    if (out >= most) return 'max-ejected-percent';
    if (ejections.tryCount(pool, word, out + 1)) return 'taken';
  }
}

function countOut(ledger: Ledger, members: readonly BackendId[]): number {
  return members.filter((id) => isOut(ledger, id)).length;
}
