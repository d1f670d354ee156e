/**
 * `GET /v1/events` as server-sent events. All readers of the same events share one place in them:
 * each is written down once, however many read it, and what comes quickly goes out together.
 */
import { BEAT, eventText, type Follow, type Reader } from '../../admin/stream.js';
import type { Timer, Timers } from '../../core/clock.js';
import type { EventName } from '../../observe/events.js';
import type { RecentEvent, RecentEvents } from '../../observe/recent_events.js';

/** Below what a person notices. */
const GATHER_MS = 100;
const MOST_AT_ONCE = 500;
/** Beyond this what is in between holds a connection for dead. */
const BEAT_MS = 15_000;

type Deps = { readonly recent: RecentEvents; readonly timers: Timers };

export interface From {
  /** Only events of this name; null: all but access lines. */
  readonly event: EventName | null;
  /** Behind this number; null: from now on. */
  readonly after: number | null;
  /** Not older than this; null: from now on, unless `after` is given. */
  readonly sinceWallMs: number | null;
}

export class EventStreams {
  readonly #deps: Deps;
  readonly #show: (told: RecentEvent) => object;
  /** One a name of an event, at most. */
  readonly #groups = new Map<EventName | null, Group>();

  constructor(deps: Deps, show: (told: RecentEvent) => object) {
    this.#deps = deps;
    this.#show = show;
  }

  /** What has come already, as far as it is kept, and then what comes. */
  follow({ event, after, sinceWallMs }: From): Follow {
    return (reader) => {
      const group = this.#groups.get(event) ?? this.#newGroup(event);
      // It gets what is old by itself, and with the others only what is new.
      while (group.pass() === 'more');
      if (after !== null || sinceWallMs !== null) {
        // A number that is still to come is one of the process before this one.
        const behind = after !== null && after <= this.#deps.recent.last ? after : 0;
        reader.write(this.#past({ event, after: behind, sinceWallMs: sinceWallMs ?? 0 }));
      }
      group.join(reader);
      return () => {
        if (group.leave(reader) === 'empty') this.#groups.delete(event);
      };
    };
  }

  #past(wanted: { event: EventName | null; after: number; sinceWallMs: number }): Buffer {
    const { recent } = this.#deps;
    const all = recent.list({ ...wanted, limit: Number.POSITIVE_INFINITY });
    const newest = all.slice(-MOST_AT_ONCE);
    const isTorn = wanted.after > 0 && recent.hasForgotten(wanted);
    const told = newest.map((one) => textOf(one, this.#show));
    return Buffer.from([...(isTorn || all.length > newest.length ? [LOST] : []), ...told].join(''));
  }

  #newGroup(event: EventName | null): Group {
    const group = new Group(event, this.#deps, this.#show);
    this.#groups.set(event, group);
    return group;
  }
}

/** Readers of the same events. */
class Group {
  readonly #event: EventName | null;
  readonly #deps: Deps;
  readonly #show: (told: RecentEvent) => object;
  readonly #readers = new Set<Reader>();
  readonly #end: () => void;
  /** What was passed on last. */
  #after: number;
  #gathering: Timer | null = null;
  #beat: Timer;

  constructor(event: EventName | null, deps: Deps, show: (told: RecentEvent) => object) {
    this.#event = event;
    this.#deps = deps;
    this.#show = show;
    this.#after = deps.recent.last;
    this.#end = deps.recent.each(event, () => this.#gather());
    this.#beat = this.#nextBeat();
  }

  join(reader: Reader): void {
    this.#readers.add(reader);
  }

  leave(reader: Reader): 'empty' | 'others' {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return 'others';
    this.#end();
    this.#gathering?.cancel();
    this.#beat.cancel();
    return 'empty';
  }

  /** Passes on what has come since the last time, or the first part of it. */
  pass(): 'all' | 'more' {
    this.#gathering?.cancel();
    this.#gathering = null;
    const { recent } = this.#deps;
    const wanted = { event: this.#event, sinceWallMs: 0, after: this.#after, limit: MOST_AT_ONCE };
    const lost = recent.hasForgotten(wanted) ? LOST : '';
    const found = recent.list(wanted);
    const isAll = found.length < MOST_AT_ONCE;
    this.#after = isAll ? recent.last : (found.at(-1)?.number ?? recent.last);
    const text = lost + found.map((told) => textOf(told, this.#show)).join('');
    if (text !== '') this.#write(Buffer.from(text));
    if (isAll) return 'all';
    this.#gather();
    return 'more';
  }

  #gather(): void {
    this.#gathering ??= this.#deps.timers.after(GATHER_MS, () => this.pass());
  }

  #nextBeat(): Timer {
    return this.#deps.timers.after(BEAT_MS, () => {
      this.#write(BEAT);
      this.#beat = this.#nextBeat();
    });
  }

  #write(piece: Buffer): void {
    for (const reader of this.#readers) reader.write(piece);
  }
}

/** Some came faster than they could be kept for the readers. */
const LOST = eventText('lost', {});

function textOf(told: RecentEvent, show: (told: RecentEvent) => object): string {
  return eventText(told.event, show(told), String(told.number));
}
