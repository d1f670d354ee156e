/**
 * What has happened lately, for whoever asks the running daemon: the last events of each name, so
 * that a loud one pushes out no other, and what each backend's events tell of it. All of it is
 * bounded. Whoever follows has a queue of its own, and hears how many it was too slow for.
 */
import { EVENTS, type EventName } from './events.js';

/** Of one name. Sessions end more often than anything else happens. */
const KEPT_A_NAME = 256;
const KEPT_SESSIONS = 1_024;
/** Of one backend, and of all together: then the backend that was told of longest ago goes. */
const KEPT_A_BACKEND = 48;
const KEPT_OF_BACKENDS = 65_536;
/** Those who follow at the same time, and events that wait for one of them. */
const MAX_FOLLOWERS = 64;
const MAX_WAITING = 1_024;

export interface RecentEvent {
  /** Grows by one with each. */
  readonly number: number;
  readonly wallMs: number;
  readonly event: EventName;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The same thing several times in a row is one entry. */
export interface HistoryEntry {
  readonly first: RecentEvent;
  readonly last: RecentEvent;
  readonly count: number;
}

export interface Wanted {
  /** null: any but `session`. */
  readonly event: EventName | null;
  /** Not before this. */
  readonly sinceWallMs: number;
  /** Behind this number. */
  readonly after: number;
  readonly limit: number;
}

export interface Follower {
  /** What waits, oldest first, and how many had no room before it. */
  take(): { readonly events: readonly RecentEvent[]; readonly lost: number };
  end(): void;
}

interface Following {
  readonly event: EventName | null;
  readonly ready: () => void;
  events: RecentEvent[];
  lost: number;
}

export class RecentEvents {
  readonly #byName = new Map<EventName, RecentEvent[]>();
  /** By pool and backend; in the order in which they were told of last. */
  readonly #histories = new Map<string, HistoryEntry[]>();
  readonly #followers = new Set<Following>();
  #number = 0;
  /** In all histories. */
  #entries = 0;

  add(event: EventName, wallMs: number, fields: Readonly<Record<string, unknown>>): void {
    const told = { number: ++this.#number, wallMs, event, fields };
    const { pool, backend } = fields;
    // An access line tells of a session.
    if (event !== 'session' && typeof pool === 'string' && typeof backend === 'string') {
      this.#remember(historyKey(pool, backend), told);
    }
    const { level } = EVENTS[event];
    if (level === 'debug' || level === 'trace') return;
    const kept = this.#byName.get(event) ?? [];
    if (kept.length === 0) this.#byName.set(event, kept);
    kept.push(told);
    if (kept.length > (event === 'session' ? KEPT_SESSIONS : KEPT_A_NAME)) kept.shift();
    for (const follower of this.#followers) pass(told, follower);
  }

  /** Oldest first; of more than `limit` the first ones. */
  list(wanted: Wanted): readonly RecentEvent[] {
    const found = [...this.#byName.values()].flat().filter((told) => isWanted(told, wanted));
    return found.sort((a, b) => a.number - b.number).slice(0, wanted.limit);
  }

  /** What was told of a backend, oldest first. */
  historyOf(pool: string, backend: string): readonly HistoryEntry[] {
    return this.#histories.get(historyKey(pool, backend)) ?? [];
  }

  /** `ready` is called when something waits; null: there are as many as there may be. */
  follow(event: EventName | null, ready: () => void): Follower | null {
    if (this.#followers.size >= MAX_FOLLOWERS) return null;
    const following: Following = { event, ready, events: [], lost: 0 };
    this.#followers.add(following);
    return {
      take: () => {
        const { events, lost } = following;
        following.events = [];
        following.lost = 0;
        return { events, lost };
      },
      end: () => {
        this.#followers.delete(following);
      },
    };
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
    if (entries.length > KEPT_A_BACKEND) {
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

function pass(told: RecentEvent, follower: Following): void {
  if (follower.event === null ? told.event === 'session' : told.event !== follower.event) return;
  if (follower.events.length >= MAX_WAITING) {
    follower.lost++;
    return;
  }
  follower.events.push(told);
  if (follower.events.length === 1) follower.ready();
}

function isWanted(told: RecentEvent, { event, sinceWallMs, after }: Wanted): boolean {
  if (told.wallMs < sinceWallMs || told.number <= after) return false;
  return event === null ? told.event !== 'session' : told.event === event;
}

/** Figures differ each time; what it is, and why, does not. */
function isSame(a: RecentEvent, b: RecentEvent): boolean {
  return (
    a.event === b.event &&
    a.fields['cause'] === b.fields['cause'] &&
    a.fields['detail'] === b.fields['detail']
  );
}

/** Neither name holds a zero byte. */
function historyKey(pool: string, backend: string): string {
  return `${pool}\0${backend}`;
}
