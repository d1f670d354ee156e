/**
 * What has happened lately, for commands that ask the next process: events, and the history of each
 * backend. Names that are not known there are left out.
 */
import { EVENTS, type EventName } from '../../observe/events.js';
import type { HistoryEntry, RecentEvents, ToldEvent } from '../../observe/recent_events.js';
import { isText } from './messages.js';
import type { Handed, StateItem } from './state_parts.js';

/** Of the part `events`, oldest first. */
export function* eventRecords(recent: Pick<RecentEvents, 'list'>): Iterable<StateItem> {
  const all = { sinceWallMs: 0, after: 0, limit: Number.POSITIVE_INFINITY };
  const sessions = recent.list({ ...all, event: 'session' });
  const others = recent.list({ ...all, event: null });
  for (const told of [...sessions, ...others].sort((a, b) => a.number - b.number)) {
    yield eventRecord(told);
  }
}

/** Of the part `histories`. */
export function* historyRecords(recent: Pick<RecentEvents, 'histories'>): Iterable<StateItem> {
  for (const [pool, backend, entries] of recent.histories()) {
    const history = entries.map(({ first, last, count }) => {
      return { first: eventRecord(first), last: eventRecord(last), count };
    });
    yield { pool, backend, history };
  }
}

/** Of the next process: the events of the one before it go before all that has happened here. */
export function takeOverEvents(handed: Handed, recent: RecentEvents): void {
  const events: ToldEvent[] = [];
  handed.each('events', (item) => {
    const told = eventFrom(item);
    if (told === null) return 'no sense';
    if (told !== 'unknown') events.push(told);
    return 'taken';
  });
  handed.each('histories', ({ pool, backend, history }) => {
    const entries = Array.isArray(history) ? history.map(entryFrom) : [null];
    if (!isText(pool) || !isText(backend) || entries.includes(null)) return 'no sense';
    recent.historyBefore(pool, backend, entries.filter(isEntry));
    return 'taken';
  });
  void handed.settled.then(() => recent.precededBy(events));
}

function eventRecord({ wallMs, event, fields }: ToldEvent): StateItem {
  return { wallMs, event, fields };
}

/** null: it is none. */
function eventFrom(raw: unknown): ToldEvent | 'unknown' | null {
  const { wallMs, event, fields } = (raw ?? {}) as StateItem;
  if (typeof wallMs !== 'number' || !Number.isFinite(wallMs) || !isText(event)) return null;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return null;
  if (!Object.hasOwn(EVENTS, event)) return 'unknown';
  return { wallMs, event: event as EventName, fields: fields as ToldEvent['fields'] };
}

function entryFrom(raw: unknown): HistoryEntry | 'unknown' | null {
  const { first, last, count } = (raw ?? {}) as StateItem;
  const [begun, ended] = [eventFrom(first), eventFrom(last)];
  if (begun === null || ended === null || !Number.isSafeInteger(count)) return null;
  if (begun === 'unknown' || ended === 'unknown') return 'unknown';
  return { first: { ...begun, number: 0 }, last: { ...ended, number: 0 }, count: Number(count) };
}

function isEntry(entry: HistoryEntry | 'unknown' | null): entry is HistoryEntry {
  return entry !== null && entry !== 'unknown';
}
