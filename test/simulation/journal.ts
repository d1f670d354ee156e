/** The log and the counters of a simulation: what ended, how often, and what went wrong aside. */
import type { AccessRecord } from '../../src/core/access.js';
import type { Clock } from '../../src/core/clock.js';
import type { EventFields, EventName } from '../../src/observe/events.js';
import type { Log } from '../../src/observe/log.js';
import type { ControlCounters } from '../../src/observe/metrics.js';
import { holds } from './failure.js';

export class Journal implements Log, ControlCounters {
  /** How often each cause ended a session or flow, and how often each event came. */
  readonly counts = new Map<string, number>();
  readonly #clock: Clock;
  readonly #trace: (line: string) => void;
  readonly #ended = new Set<string>();
  #failure: unknown = null;
  onAccess: (record: AccessRecord) => void = () => {};

  constructor(clock: Clock, trace: (line: string) => void) {
    this.#clock = clock;
    this.#trace = trace;
  }

  /** A promise without a handler was rejected. */
  fail(failure: unknown): void {
    this.#failure ??= failure;
  }

  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  note(line: string): void {
    this.#trace(`${Math.round(this.#clock.nowMs())} ms: ${line}`);
  }

  event<Name extends EventName>(name: Name, fields: EventFields<Name>): void {
    this.#count(name);
    this.note(`${name} ${JSON.stringify(fields)}`);
  }

  access(record: AccessRecord): void {
    this.#count(record.end.cause);
    this.onAccess(record);
    if (record.protocol === 'udp') return;
    const { bytesIn, bytesOut, durationMs, queueMs, client, listener } = record;
    const sane = [bytesIn, bytesOut, durationMs, queueMs ?? 0].every((figure) => figure >= 0);
    holds(sane, () => `an access record is below zero: ${JSON.stringify(record)}`);
    if (client.startsWith('203.')) return;
    const key = `${listener} ${client}`;
    holds(!this.#ended.has(key), () => `${key} has two access records`);
    this.#ended.add(key);
  }

  configure(): void {}
  async flush(): Promise<void> {}
  transition(): void {}
  ejection(): void {}
  dryEjection(): void {}
  probe(): void {}
  reload(): void {}
  workerRestart(): void {}
  internalErrors(): void {}
  logSuppressed(): void {}
  forget(): void {}

  #count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
