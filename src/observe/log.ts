/**
 * The log, and the only file that knows pino: one JSON object a line on stdout, each an event of
 * the catalogue. Nothing here blocks, and nothing is thrown: what the reader of stdout does not
 * take in time, and what cannot be written as a line, is dropped and counted.
 */
import { type DestinationStream, pino } from 'pino';
import type { AccessRecord } from '../core/access.js';
import type { Clock, Timers } from '../core/clock.js';
import type { LogSpec } from '../core/spec.js';
import { accessFields } from './access.js';
import { EVENTS, type EventFields, type EventName } from './events.js';
import { toMicro } from './fields.js';
import { LineQueue, type Write } from './line_queue.js';
import { prettyLine } from './pretty.js';
import { RateLimit } from './rate_limit.js';
import type { RecentEvents } from './recent_events.js';

/**
 * Of one event that can repeat without end: enough to see each backend of a failing pool, too
 * little to fill a disk.
 */
export const EVENT_LINES_PER_WINDOW = 50;
export const EVENT_WINDOW_MS = 10_000;
/**
 * Access lines of sessions that did not end in order, per cause. An operator who asks for all of
 * them, or for a sample, has chosen another number.
 */
export const ACCESS_ERROR_LINES_PER_WINDOW = 100;
export const ACCESS_WINDOW_MS = 1_000;
/** How long the end of the process waits for a reader that is slow. */
export const FLUSH_LIMIT_MS = 500;

/** syslog(3), as journald takes them from the beginning of a line. */
const PRIORITIES = { trace: 7, debug: 7, info: 6, warn: 4, error: 3 } as const;

export interface LogOptions {
  readonly spec: LogSpec;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Where the lines go. It never waits. */
  readonly write: Write;
  /** `journald`: each line begins with its priority. */
  readonly reader?: 'journald' | 'any';
  /** Remembers what happens, whatever the level: for commands that ask the running daemon. */
  readonly recent?: RecentEvents;
  /** `lines` of `event` were not written. */
  readonly onSuppressed?: (event: EventName, lines: number) => void;
}

export interface Log {
  /** Logs one event of the catalogue with its fields; null fields are left out. */
  event<Name extends EventName>(name: Name, fields: EventFields<Name>): void;
  /**
   * Writes the line of a session that has ended; the workers have left out what the level excludes.
   */
  access(record: AccessRecord): void;
  /** Another level or access level from now on; the format stays what the log began with. */
  configure(spec: LogSpec): void;
  /** Resolves when everything so far was written, or cannot be; for the very end. */
  flush(): Promise<void>;
}

export function createLog(options: LogOptions): Log {
  return new PinoLog(options);
}

class PinoLog implements Log {
  readonly #options: LogOptions;
  #spec: LogSpec;
  readonly #queue: LineQueue;
  readonly #events: pino.Logger;
  /** Access lines are chosen by `access`, so `level` must not hide them. */
  readonly #accessLines: pino.Logger;
  readonly #eventLimit = new RateLimit(EVENT_LINES_PER_WINDOW, EVENT_WINDOW_MS);
  readonly #accessLimit = new RateLimit(ACCESS_ERROR_LINES_PER_WINDOW, ACCESS_WINDOW_MS);
  /** The event that is being written: a line that has no room is counted for it. */
  #writing: EventName = 'starting';
  #level: LogSpec['level'] = 'info';

  constructor(options: LogOptions) {
    const { spec, clock, timers, write } = options;
    this.#options = options;
    this.#spec = spec;
    this.#queue = new LineQueue({
      write,
      timers,
      recovered: (count) => this.event('log-lost', { count }),
    });
    const stream: DestinationStream = { write: (line) => this.#write(line) };
    const base = {
      base: null,
      timestamp: () => `,"time":"${new Date(clock.wallMs()).toISOString()}"`,
      formatters: { level: (label: string) => ({ level: label }) },
    };
    this.#events = pino({ ...base, level: spec.level }, stream);
    this.#accessLines = pino({ ...base, level: 'info' }, stream);
  }

  event<Name extends EventName>(name: Name, fields: EventFields<Name>): void {
    try {
      this.#event(name, fields);
    } catch {
      this.#options.onSuppressed?.(name, 1);
    }
  }

  access(record: AccessRecord): void {
    try {
      this.#access(record);
    } catch {
      this.#options.onSuppressed?.('session', 1);
    }
  }

  configure(spec: LogSpec): void {
    this.#spec = { ...spec, format: this.#spec.format };
    this.#events.level = spec.level;
  }

  flush(): Promise<void> {
    return this.#queue.flush(FLUSH_LIMIT_MS);
  }

  #event<Name extends EventName>(name: Name, fields: EventFields<Name>): void {
    const { level, message, remedy, pace } = EVENTS[name];
    const known = told(fields);
    this.#options.recent?.add(name, this.#options.clock.wallMs(), known);
    if (!this.#events.isLevelEnabled(level)) return;
    const suppressed = pace === 'free' ? {} : this.#admit(this.#eventLimit, name, name);
    if (suppressed === null) return;
    this.#writing = name;
    this.#level = level;
    const help = remedy === '' ? {} : { remedy };
    this.#events[level]({ event: name, ...known, ...suppressed, ...help }, message);
  }

  #access(record: AccessRecord): void {
    const isLimited = this.#spec.access !== 'all' && record.leftOut === null;
    const suppressed = isLimited ? this.#admit(this.#accessLimit, record.end.cause, 'session') : {};
    if (suppressed === null) return;
    this.#writing = 'session';
    this.#level = 'info';
    const fields = accessFields(record);
    this.#options.recent?.add('session', this.#options.clock.wallMs(), fields);
    this.#accessLines.info({ event: 'session', ...fields, ...suppressed }, EVENTS.session.message);
  }

  #write(json: string): void {
    const text = this.#spec.format === 'pretty' ? prettyLine(json) : json;
    const line = this.#options.reader === 'journald' ? this.#withPriority(text) : text;
    if (!this.#queue.push(line)) this.#options.onSuppressed?.(this.#writing, 1);
  }

  /** A pretty line may be two, and each is an entry of its own. */
  #withPriority(text: string): string {
    return text.replace(/^(?=.)/gm, `<${PRIORITIES[this.#level]}>`);
  }

  /** null: not now. Otherwise what the line says about those that were left out before it. */
  #admit(limit: RateLimit, key: string, event: EventName): { suppressed?: number } | null {
    const admission = limit.admit(key, this.#options.clock.nowMs());
    if (admission.kind === 'write') {
      return admission.suppressed > 0 ? { suppressed: admission.suppressed } : {};
    }
    this.#options.onSuppressed?.(event, 1);
    return null;
  }
}

/** Without what is not known; times to the microsecond, as more digits would be noise. */
function told(fields: object): Readonly<Record<string, unknown>> {
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === 'number' ? toMicro(value) : value]),
  );
}
