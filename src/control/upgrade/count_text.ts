/** Counters as plain JSON, from one version of sluice to another: by name. Pure. */
import { countsNamed, namedCounts } from '../../core/series_names.js';
import type { CountedSample } from '../../observe/metrics.js';
import type { Account, TallySubject } from '../past_counts.js';
import { isText } from './messages.js';
import type { StateItem } from './state_parts.js';

export function accountRecord(account: Account): StateItem {
  const { values, ...of } = account;
  return { ...of, counts: namedCounts(values) };
}

/** null: it is none. */
export function readAccount({ of, name, subject, counts }: StateItem): Account | null {
  const values = isItem(counts) ? countsNamed(counts) : null;
  if (values === null) return null;
  if (of === 'process') return { of, values };
  if ((of === 'listener' || of === 'pool') && isText(name)) return { of, name, values };
  const read = isItem(subject) ? subjectFrom(subject) : null;
  return of === 'labels' && read !== null ? { of, subject: read, values } : null;
}

/** null: it is none. */
export function readSample({ metric, labels, value }: StateItem): CountedSample | null {
  if (!isText(metric) || !isItem(labels) || typeof value !== 'number' || !(value >= 0)) return null;
  if (!Object.values(labels).every(isText)) return null;
  return { metric, labels: labels as CountedSample['labels'], value };
}

function subjectFrom({ listenerKey, protocol, labels }: StateItem): TallySubject | null {
  if (!isText(listenerKey) || !isItem(labels)) return null;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'any') return null;
  const { listener, pool, backend } = labels;
  if (!isText(listener) || !isText(pool) || !isText(backend)) return null;
  return { listenerKey, protocol, labels: { listener, pool, backend } };
}

function isItem(value: unknown): value is StateItem {
  return typeof value === 'object' && value !== null;
}
