/**
 * What a process sends the next one of its state, when that one is prepared. No probe begins from
 * then on: the verdicts that were sent stay true until the other one goes on with them. Most of it
 * is sent while this one still accepts; only what workers may change waits until they have left.
 * Counters are sent on as long as sessions of this one count.
 */
import type { Timer, Timers } from '../../core/clock.js';
import type { CounterTotals } from '../../observe/metrics.js';
import type { RecentEvents } from '../../observe/recent_events.js';
import type { Daemon } from '../daemon.js';
import type { DaemonDeps } from '../daemon_deps.js';
import type { LastHour } from '../last_hour.js';
import { backendRecords, passiveRecords } from './backend_records.js';
import { GrowingCounts } from './counts.js';
import { eventRecords, historyRecords } from './past_events.js';
import {
  type Channel,
  type StateItem,
  type StatePart,
  sendState,
  stateLines,
} from './state_parts.js';

/** Less than the time between two looks of a person at counters. */
const COUNTS_EVERY_MS = 1_000;
const LAST_COUNTS_MS = 2_000;

/** What the process knows beside its daemon. */
export interface Knowledge {
  readonly metrics: CounterTotals;
  readonly recent: RecentEvents;
  readonly lastHour: Pick<LastHour, 'records'>;
}

export interface TellingDeps extends Pick<DaemonDeps, 'clock' | 'shared'> {
  readonly timers: Timers;
  readonly daemon: Pick<Daemon, 'board' | 'inventory' | 'watch'>;
}

export class Telling {
  readonly #deps: TellingDeps;
  readonly #knowledge: Knowledge;
  readonly #channel: Channel;
  readonly #counts: GrowingCounts;
  /** Counts are sent one after the other, each with what has grown since the last. */
  #counting: Promise<void> = Promise.resolve();
  #next: Timer | null = null;
  #state: 'under way' | 'over' = 'under way';

  constructor(channel: Channel, knowledge: Knowledge, deps: TellingDeps) {
    this.#deps = deps;
    this.#knowledge = knowledge;
    const { metrics } = knowledge;
    this.#channel = channel;
    const { inventory } = deps.daemon;
    this.#counts = new GrowingCounts({ ...deps.shared, tallies: inventory.tallies, metrics });
  }

  /** Resolves when all of it is with the kernel: the other process reads it meanwhile. */
  async begin(): Promise<void> {
    const { daemon } = this.#deps;
    const { recent, lastHour } = this.#knowledge;
    await this.counts();
    await this.#send('hour', lastHour.records());
    await this.#send('events', eventRecords(recent));
    await this.#send('histories', historyRecords(recent));
    if (this.#state === 'over') return;
    daemon.board.probes.pause();
    await this.#send('backends', backendRecords(daemon));
  }

  /** Workers have left the sockets. It is little, and no client is accepted now: in one go. */
  end(): void {
    const { daemon, clock } = this.#deps;
    daemon.board.look(clock.nowMs());
    for (const line of stateLines('passive', passiveRecords(daemon, clock))) {
      if (line !== null) void this.#channel.send(line);
    }
  }

  /** What was counted since the last time. */
  counts(): Promise<void> {
    this.#counting = this.#counting.then(() => this.#sendCounts());
    return this.#counting;
  }

  /** The other process serves: it is sent every second what is still counted here. */
  keepCounting(): void {
    void this.counts().then(() => {
      if (this.#state === 'over') return;
      this.#next = this.#deps.timers.after(COUNTS_EVERY_MS, () => this.keepCounting());
    });
  }

  /** Nothing is counted any more; a process that reads nothing is not waited for long. */
  finish(): Promise<void> {
    this.#end();
    const late = new Promise<void>((resolve) => this.#deps.timers.after(LAST_COUNTS_MS, resolve));
    return Promise.race([this.counts(), late]);
  }

  /** No other process takes the place of this one. */
  goOn(): void {
    this.#end();
    this.#deps.daemon.board.probes.resume();
  }

  #end(): void {
    this.#state = 'over';
    this.#next?.cancel();
  }

  async #sendCounts(): Promise<void> {
    await this.#send('traffic', this.#counts.traffic());
    await this.#send('counters', await this.#counts.counters());
  }

  #send(part: StatePart, items: Iterable<StateItem | null>): Promise<void> {
    return sendState(this.#channel, stateLines(part, items), turn);
  }
}

/** Everything else has its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
