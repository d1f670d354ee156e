/**
 * What is counted no more, because its row was given back or another process has counted it: by
 * labels, and the sums of each listener, of each pool and of all. Time is an argument.
 */
import { MAX_LISTENERS, MAX_POOLS } from '../core/limits.js';
import { COLUMNS } from '../core/series_layout.js';
import type { SeriesRow } from '../observe/metrics_source.js';
import { addTo, PastAccounts } from './past_accounts.js';

/** A kilobyte each. */
const MAX_PAST_ROWS = 2_048;

/** What a row counts for. */
export interface TallySubject {
  /** '' where it counts for several listeners. */
  readonly listenerKey: string;
  readonly protocol: SeriesRow['protocol'];
  readonly labels: SeriesRow['labels'];
}

/** A part of it as one process sends it to another: of labels, or a sum. */
export type Account =
  | { readonly of: 'labels'; readonly subject: TallySubject; readonly values: Float64Array }
  /** `name`: the key of a listener, or a pool. */
  | { readonly of: 'listener' | 'pool'; readonly name: string; readonly values: Float64Array }
  | { readonly of: 'process'; readonly values: Float64Array };

export class PastCounts {
  readonly ofProcess = new Float64Array(COLUMNS);
  readonly ofLabels = new PastAccounts<TallySubject>(MAX_PAST_ROWS);
  readonly ofListeners = new PastAccounts<null>(2 * MAX_LISTENERS);
  readonly ofPools = new PastAccounts<null>(2 * MAX_POOLS);

  /** A row of `subject` is given back that has counted `values`. */
  pass(subject: TallySubject, values: Float64Array, nowMs: number): void {
    const { listenerKey, labels } = subject;
    addTo(this.ofProcess, values);
    this.ofLabels.add(tallyKey(labels), subject, values, nowMs);
    if (listenerKey !== '') this.ofListeners.add(listenerKey, null, values, nowMs);
    this.ofPools.add(labels.pool, null, values, nowMs);
  }

  /** Another process has counted it: sums are sent separately. */
  add(account: Account, nowMs: number): void {
    const { values } = account;
    switch (account.of) {
      case 'labels':
        return this.ofLabels.add(tallyKey(account.subject.labels), account.subject, values, nowMs);
      case 'listener':
        return this.ofListeners.add(account.name, null, values, nowMs);
      case 'pool':
        return this.ofPools.add(account.name, null, values, nowMs);
      case 'process':
        return addTo(this.ofProcess, values);
    }
  }

  /** Some of it may be forgotten: what of `inUse` asks for is not. */
  trim(inUse: (nameIn: (subject: TallySubject) => string) => ReadonlySet<string>): void {
    if (this.ofLabels.isOverfull) this.ofLabels.trim(inUse(({ labels }) => tallyKey(labels)));
    if (this.ofListeners.isOverfull) this.ofListeners.trim(inUse((one) => one.listenerKey));
    if (this.ofPools.isOverfull) this.ofPools.trim(inUse(({ labels }) => labels.pool));
  }
}

/** No name holds a zero byte. */
export function tallyKey({ listener, pool, backend }: TallySubject['labels']): string {
  return `${listener}\0${pool}\0${backend}`;
}
