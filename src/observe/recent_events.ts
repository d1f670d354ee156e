/**
 * What has happened lately, for commands that ask the running daemon: the last events of each name,
 * so that a frequent one pushes out no other, and the history of each backend. All of it is
 * bounded. A reader that follows asks again and again for what is behind the last number that it
 * knows: nothing is kept per reader, and the answer says when some of it is forgotten already.
 */
import { EVENTS, type EventName } from './events.js';

/** Of one name. Sessions end more often than anything else happens. */
const KEPT_PER_NAME = 256;
const KEPT_SESSIONS = 1_024;
/**
 * Per backend, and for all together: beyond it, the backend whose last entry is the oldest goes.
 */
const KEPT_PER_BACKEND = 48;
const KEPT_OF_BACKENDS = 65_536;
/** Readers that wait for the next event at the same time: each has a connection meanwhile. */
const MAX_WAITING = 16;

export interface RecentEvent {
  /** Grows by one with each. */
  readonly number: number;
  readonly wallMs: number;
  readonly event: EventName;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** As another process has reported it. */
export type ToldEvent = Pick<RecentEvent, 'wallMs' | 'event' | 'fields'>;

/** The same thing several times in a row is one entry. */
export interface HistoryEntry {
  readonly first: RecentEvent;
  readonly last: RecentEvent;
  readonly count: number;
}

export interface WantedEvents {
  /** null: any but `session`. */
  readonly event: EventName | null;
  /** Not before this. */
  readonly sinceWallMs: number;
  /** Behind this number. */
  readonly after: number;
  readonly limit: number;
}

interface Waiting {
  readonly event: EventName | null;
  readonly call: () => void;
}

export class RecentEvents {
  readonly #byName = new Map<EventName, RecentEvent[]>();
  /** By pool and backend, in the order of their last entries. */
  readonly #histories = new Map<string, HistoryEntry[]>();
  readonly #waiting = new Set<Waiting>();
  readonly #followers = new Set<Waiting>();
  /** By name: the number of the last one that made room for a newer one. */
  readonly #forgotten = new Map<EventName, number>();
  #number = 0;
  /** In all histories. */
  #entries = 0;

  add(event: EventName, wallMs: number, fields: Readonly<Record<string, unknown>>): void {
    const told = { number: ++this.#number, wallMs, event, fields };
    const { pool, backend } = fields;
    // An access line is about a session.
    if (event !== 'session' && typeof pool === 'string' && typeof backend === 'string') {
      this.#remember(historyKey(pool, backend), told);
    }
    const { level } = EVENTS[event];
    if (level === 'debug' || level === 'trace') return;
    this.#keep(told);
    this.#wake(told);
  }

  /** Oldest first; of more than `limit` the first ones. */
  list(wanted: WantedEvents): readonly RecentEvent[] {
    const found = [...this.#byName.values()].flat().filter((told) => isWanted(told, wanted));
    return found.sort((a, b) => a.number - b.number).slice(0, wanted.limit);
  }

  /** The entries of a backend, oldest first. */
  historyOf(pool: string, backend: string): readonly HistoryEntry[] {
    return this.#histories.get(historyKey(pool, backend)) ?? [];
  }

  /** The entries of all backends, for the next process. */
  histories(): Iterable<readonly [pool: string, backend: string, readonly HistoryEntry[]]> {
    return [...this.#histories].map(([key, entries]) => {
      const [pool = '', backend = ''] = key.split('\0');
      return [pool, backend, entries];
    });
  }

  /** All of it happened before, in another process, oldest first; no reader has asked here yet. */
  precededBy(all: readonly ToldEvent[]): void {
    const own = [...this.#byName.values()].flat().sort((a, b) => a.number - b.number);
    this.#byName.clear();
    this.#number = 0;
    for (const told of [...all, ...own]) this.#keep({ ...told, number: ++this.#number });
  }

  /** The same, of a backend. */
  historyBefore(pool: string, backend: string, before: readonly HistoryEntry[]): void {
    const key = historyKey(pool, backend);
    const own = this.#histories.get(key) ?? [];
    const entries = [...before, ...own].slice(-KEPT_PER_BACKEND);
    this.#entries += entries.length - own.length;
    this.#histories.set(key, entries);
    while (this.#entries > KEPT_OF_BACKENDS) this.#forgetOldest();
  }

  /** The number of the newest event. */
  get last(): number {
    return this.#number;
  }

  /** Whether some of what is wanted behind `after` was there, and is forgotten. */
  hasForgotten({ event, after }: Pick<WantedEvents, 'event' | 'after'>): boolean {
    return [...this.#forgotten].some(([name, number]) => number > after && isMeant(name, event));
  }

  /**
   * Calls `call` once, at the next event that is meant; answers how to give that up. null: as many
   * wait as may.
   */
  atNext(event: EventName | null, call: () => void): (() => void) | null {
    if (this.#waiting.size >= MAX_WAITING) return null;
    const waiting = { event, call };
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  /** Calls `call` at each event that is meant; answers how to end that. */
  each(event: EventName | null, call: () => void): () => void {
    const follower = { event, call };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #keep(told: RecentEvent): void {
    const { event } = told;
    const kept = this.#byName.get(event) ?? [];
    if (kept.length === 0) this.#byName.set(event, kept);
    kept.push(told);
    if (kept.length > (event === 'session' ? KEPT_SESSIONS : KEPT_PER_NAME)) {
      this.#forgotten.set(event, kept.shift()?.number ?? 0);
    }
  }

  #wake(told: RecentEvent): void {
    for (const { event, call } of this.#followers) if (isMeant(told.event, event)) call();
    for (const waiting of this.#waiting) {
      if (!isMeant(told.event, waiting.event)) continue;
      this.#waiting.delete(waiting);
      waiting.call();
    }
  }

  #remember(key: string, told: RecentEvent): void {
    const entries = this.#histories.get(key) ?? [];
    const last = entries.at(-1);
    if (last !== undefined && isSame(last.last, told)) {
      entries[entries.length - 1] = { first: last.first, last: told, count: last.count + 1 };
    } else {
      entries.push({ first: told, last: told, count: 1 });
      this.#entries++;
    }
    if (entries.length > KEPT_PER_BACKEND) {
      entries.shift();
      this.#entries--;
    }
    this.#histories.delete(key);
    this.#histories.set(key, entries);
    if (this.#entries > KEPT_OF_BACKENDS) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [oldest, { length }] of this.#histories) {
      this.#histories.delete(oldest);
      this.#entries -= length;
      return;
    }
  }
}

function isWanted(told: RecentEvent, { event, sinceWallMs, after }: WantedEvents): boolean {
  if (told.wallMs < sinceWallMs || told.number <= after) return false;
  return isMeant(told.event, event);
}

/** Access lines only where they are asked for. */
function isMeant(name: EventName, event: EventName | null): boolean {
  return event === null ? name !== 'session' : name === event;
}

/** Figures differ each time; what it is, and why, does not. */
function isSame(a: RecentEvent, b: RecentEvent): boolean {
  if (a.event !== b.event) return false;
  const names = new Set([...Object.keys(a.fields), ...Object.keys(b.fields)]);
  return [...names].every((name) => {
    const [one, other] = [a.fields[name], b.fields[name]];
    return one === other || (typeof one === 'number' && typeof other === 'number');
  });
}

/** Neither name holds a zero byte. */
function historyKey(pool: string, backend: string): string {
  return `${pool}\0${backend}`;
}
