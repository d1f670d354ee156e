/**
 * The open screens. What all of them see is made once at a time, however many they are, and as
 * seldom as it takes to keep it below a hundredth of the main thread; each screen is made in a turn
 * of the loop of its own, so that nothing waits for all of them. A reader that has not taken the
 * last look gets no further one: only the newest is worth anything.
 */
import { eventText, type Follow, type Reader } from '../../admin/stream.js';
import type { AdminViews, GlanceView } from '../../admin/views.js';
import type { Clock, Timer, Timers } from '../../core/clock.js';
import type { RecentEvent, RecentEvents } from '../../observe/recent_events.js';
import type { LastHour } from '../last_hour.js';
import { shownEvent } from './events.js';
import { shownPoint } from './hour.js';
import type { Window } from './live_window.js';

const LOOK_MS = 1_000;
/** A screen that is older is of no use. */
const MOST_LOOK_MS = 10_000;
/**
 * Looks take at most one part in this many of the time. Events, what collects the garbage, and a
 * processor whose caches others have filled meanwhile have the other half of a hundredth.
 */
const SHARE = 200;
/**
 * The shortest of this many looks counts: what is longer than the others stood still while other
 * threads had the processor, and is no reason for older pages.
 */
const COUNTED_LOOKS = 3;
/** A reader that comes while others are there shares a look of them, if it is not older … */
const SHARED_MS = 250;
/** … or than this many times what it took: of fifty that come at once each would wait for all. */
const SHARED_TIMES = 20;
const TOLD_AT_FIRST = 50;
const TOLD_AT_ONCE = 100;

export interface LiveStreamsDeps {
  readonly views: Pick<AdminViews, 'glance'>;
  readonly recent: RecentEvents;
  readonly lastHour: LastHour;
  readonly clock: Clock;
  readonly timers: Timers;
}

interface Look {
  readonly atMs: number;
  readonly view: GlanceView;
  /** How long it took. */
  readonly tookMs: number;
  /** What all screens have, as JSON: by how much of the lists they want. */
  readonly commons: Map<Window['lists'], string>;
  /** What goes to each of a screen, by what it looks at. */
  readonly screens: Map<string, Buffer>;
}

/** What is made of a view; neither is empty. */
export interface LookParts {
  /** What all screens have. */
  readonly commonOf: (view: GlanceView, lists: Window['lists']) => object;
  /** What one has by itself. */
  readonly screenOf: (view: GlanceView, window: Window) => object;
}

export class LiveStreams {
  readonly #deps: LiveStreamsDeps;
  readonly #parts: LookParts;
  /** By what they look at. */
  readonly #screens = new Map<string, { readonly window: Window; readonly readers: Set<Reader> }>();
  #last: Look | null = null;
  #next: Timer | null = null;
  /** By the last looks. */
  #spentMs: readonly number[] = [];
  /** The event, and the point of the hour, that was passed on last. */
  #toldUpTo = 0;
  #hourUpTo = 0;

  constructor(deps: LiveStreamsDeps, parts: LookParts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  follow(window: Window): Follow {
    const key = JSON.stringify(window);
    return (reader) => {
      if (this.#screens.size === 0) this.#begin();
      const readers = this.#screens.get(key)?.readers ?? new Set();
      this.#screens.set(key, { window, readers });
      readers.add(reader);
      reader.write(this.#lookText(this.#recent(), key, window));
      reader.write(this.#toldBefore());
      return () => {
        readers.delete(reader);
        if (readers.size === 0) this.#screens.delete(key);
        if (this.#screens.size === 0) this.#end();
      };
    };
  }

  #begin(): void {
    const { recent, lastHour } = this.#deps;
    this.#toldUpTo = recent.last;
    this.#hourUpTo = lastHour.revision;
    this.#later(LOOK_MS);
  }

  #end(): void {
    this.#next?.cancel();
    this.#next = null;
    this.#last = null;
  }

  #later(delayMs: number): void {
    const { clock, timers } = this.#deps;
    this.#next = timers.after(delayMs, () => {
      const fromMs = clock.nowMs();
      const look = this.#look();
      this.#passOn(look, [...this.#screens.keys()], clock.nowMs() - fromMs);
    });
  }

  /** `screens`: those that have not had this look yet, for which so much was spent so far. */
  #passOn(look: Look, screens: string[], spentMs: number): void {
    const { clock, timers } = this.#deps;
    const key = screens.pop();
    if (key === undefined) {
      this.#tellNews();
      // A look that stays until the next one grows old in memory, and costs a great collection.
      if (this.#last === look) this.#last = null;
      this.#spentMs = [...this.#spentMs, spentMs].slice(-COUNTED_LOOKS);
      const apartMs = SHARE * Math.min(...this.#spentMs);
      this.#later(Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, apartMs)));
      return;
    }
    this.#next = timers.after(0, () => {
      const fromMs = clock.nowMs();
      this.#show(look, key);
      this.#passOn(look, screens, spentMs + clock.nowMs() - fromMs);
    });
  }

  #show(look: Look, key: string): void {
    const screen = this.#screens.get(key);
    const ready = [...(screen?.readers ?? [])].filter(({ isBehind }) => !isBehind);
    if (screen === undefined || ready.length === 0) return;
    const text = this.#lookText(look, key, screen.window);
    for (const reader of ready) reader.write(text);
  }

  #tellNews(): void {
    const news = Buffer.concat([this.#toldSince(), this.#hourSince()]);
    if (news.length === 0) return;
    for (const { readers } of this.#screens.values()) {
      for (const reader of readers) reader.write(news);
    }
  }

  /** For a reader that comes: the last one, if that is of now. */
  #recent(): Look {
    const last = this.#last;
    if (last === null) return this.#look();
    const ageMs = this.#deps.clock.nowMs() - last.atMs;
    return ageMs < Math.max(SHARED_MS, SHARED_TIMES * last.tookMs) ? last : this.#look();
  }

  #look(): Look {
    const { clock, views } = this.#deps;
    const atMs = clock.nowMs();
    const view = views.glance();
    const tookMs = clock.nowMs() - atMs;
    this.#last = { atMs, view, tookMs, commons: new Map(), screens: new Map() };
    return this.#last;
  }

  /** Made once for all that look at the same. */
  #lookText({ view, commons, screens }: Look, key: string, window: Window): Buffer {
    const made = screens.get(key);
    if (made !== undefined) return made;
    const { lists } = window;
    const common = commons.get(lists) ?? JSON.stringify(this.#parts.commonOf(view, lists));
    commons.set(lists, common);
    const screen = JSON.stringify(this.#parts.screenOf(view, window));
    const text = Buffer.from(`event: look\ndata: ${common.slice(0, -1)},${screen.slice(1)}\n\n`);
    screens.set(key, text);
    return text;
  }

  #toldBefore(): Buffer {
    const all = this.#deps.recent.list({ ...ANY, after: 0, limit: Number.POSITIVE_INFINITY });
    const old = all.filter(({ number }) => number <= this.#toldUpTo);
    return toldText(old.slice(-TOLD_AT_FIRST));
  }

  #toldSince(): Buffer {
    const { recent } = this.#deps;
    const all = recent.list({ ...ANY, after: this.#toldUpTo, limit: Number.POSITIVE_INFINITY });
    this.#toldUpTo = recent.last;
    return all.length === 0 ? NOTHING : toldText(all.slice(-TOLD_AT_ONCE));
  }

  #hourSince(): Buffer {
    const { lastHour } = this.#deps;
    if (lastHour.revision === this.#hourUpTo) return NOTHING;
    this.#hourUpTo = lastHour.revision;
    const newest = lastHour.of(null)?.at(-1);
    return newest === undefined ? NOTHING : Buffer.from(eventText('hour', shownPoint(newest)));
  }
}

const ANY = { event: null, sinceWallMs: 0 };
const NOTHING = Buffer.alloc(0);

function toldText(told: readonly RecentEvent[]): Buffer {
  return Buffer.from(eventText('told', told.map(shownEvent)));
}
