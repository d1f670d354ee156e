/**
 * The worker threads as the main thread sees them: started, given orders, watched, replaced. A
 * worker that dies or stops answering loses its own sessions and nothing else.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Doorbell } from '../core/doorbell.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import { hearLastWords } from './last_words.js';
import type { Vitals } from './vitals.js';
import type { FromWorker, ToWorker, WorkerStart } from './worker_protocol.js';
import { WorkerRetries } from './worker_retries.js';

/** A worker that has not gone through its loop for this long does not answer. */
export const SILENCE_MS = 5_000;
/**
 * How long a thread may take to end when it does not answer; then nothing waits for it any more.
 */
export const ENDING_MS = 2_000;
/** How long threads may take to stop. */
const STOP_LIMIT_MS = 3_000;
/**
 * Where a worker's new objects live: three spaces of 4 MiB (V8 has 48 MiB unless set otherwise).
 * They fit into the cache of a core, and a worker's memory stays where it is in its first minute.
 */
const YOUNG_MB = 12;

export interface FleetEvents {
  message(worker: WorkerId, message: FromWorker): void;
  /** The thread is gone and its counts may be given back; a new one starts some time after. */
  lost(worker: WorkerId, sentence: string): void;
  /** A thread does not answer; it is ended after this call, and `lost` follows. */
  silent(worker: WorkerId, silentMs: number): void;
  /**
   * It has not ended either, ENDING_MS later: something outside of this process holds it. `lost`
   * follows if it ever ends.
   */
  stuck(worker: WorkerId): void;
  /** A new thread took the place of a lost one and wants the newest plan. */
  replaced(worker: WorkerId): void;
  /** No thread could be started in the place of a lost one, `failures` times; it is tried again. */
  notReplaced(worker: WorkerId, failures: number, sentence: string): void;
}

/** The workers, however they are run. What each method does is described at WorkerFleet. */
export interface Fleet {
  readonly size: number;
  ids(): WorkerId[];
  open(count: number): Promise<void>;
  /** In this order; the worker is woken once. */
  send(worker: WorkerId, ...messages: readonly ToWorker[]): void;
  broadcast(message: ToWorker): void;
  ringAll(): void;
  /** Workers that serve, as far as is known. */
  serving(): number;
  problems(): readonly string[];
  /** Workers that neither answer nor end: a sentence on each. */
  stuck(): readonly string[];
  check(): void;
  close(): Promise<void>;
}

export interface FleetDeps {
  readonly start: (worker: WorkerId) => WorkerStart;
  readonly doorbell: Doorbell;
  readonly vitals: Vitals;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: FleetEvents;
  readonly budget: Pick<DescriptorBudget, 'startsAtOnce'>;
}

interface Seat {
  readonly thread: Worker;
  readonly port: MessagePort;
  readonly ended: Promise<void>;
  /**
   * `starting`: it has no engine yet. `ending`: it was ordered to end; `stuck`: and does not.
   * `lost`: it has ended.
   */
  state: 'starting' | 'serving' | 'stopping' | 'ending' | 'stuck' | 'lost';
  /** When it was ordered to end. */
  endingMs: number;
}

export class WorkerFleet implements Fleet {
  readonly #seats: Seat[] = [];
  readonly #retries = new Map<WorkerId, WorkerRetries>();
  readonly #start: (worker: WorkerId) => WorkerStart;
  readonly #doorbell: Doorbell;
  readonly #vitals: Vitals;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #events: FleetEvents;
  readonly #startsAtOnce: number;
  #closing = false;

  constructor(deps: FleetDeps) {
    this.#start = deps.start;
    this.#doorbell = deps.doorbell;
    this.#vitals = deps.vitals;
    this.#clock = deps.clock;
    this.#timers = deps.timers;
    this.#events = deps.events;
    this.#startsAtOnce = deps.budget.startsAtOnce;
  }

  get size(): number {
    return this.#seats.length;
  }

  /**
   * Starts `count` workers; resolves when all have an engine, rejects with the sentence of one that
   * has not.
   */
  async open(count: number): Promise<void> {
    const workers = Array.from({ length: count }, (_, worker) => worker as WorkerId);
    // Nothing has gone wrong yet with those that start.
    for (const worker of workers) this.#vitals.beat(worker, this.#clock.nowMs());
    while (workers.length > 0 && !this.#closing) {
      const next = workers.splice(0, this.#startsAtOnce);
      await Promise.all(next.map((worker) => this.#spawn(worker)));
    }
  }

  send(worker: WorkerId, ...messages: readonly ToWorker[]): void {
    for (const message of messages) this.#seats[worker]?.port.postMessage(message);
    this.#doorbell.ring(worker);
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.ids()) this.send(worker, message);
  }

  /** States in shared memory changed: every worker looks again at its waiting sessions. */
  ringAll(): void {
    for (const worker of this.ids()) this.#doorbell.ring(worker);
  }

  serving(): number {
    return this.#seats.filter(({ state }) => state === 'serving').length;
  }

  /** One sentence for each worker that has not gone through its loop for SILENCE_MS. */
  problems(): readonly string[] {
    return this.#silent().map((worker) => {
      const state = this.#seats[worker]?.state;
      if (state === 'stuck') return stuckSentence(worker);
      if (state === 'serving' || state === 'ending') return `worker ${worker} does not answer`;
      const problem = this.#retriesOf(worker).problem ?? 'a new thread is being started';
      return `worker ${worker} is missing: ${problem}`;
    });
  }

  stuck(): readonly string[] {
    const all = this.ids().filter((worker) => this.#seats[worker]?.state === 'stuck');
    return all.map(stuckSentence);
  }

  /**
   * Ends the threads that have been silent for too long; others take their places. One that starts
   * is left alone, however long that takes (see `close`).
   */
  check(): void {
    const nowMs = this.#clock.nowMs();
    for (const worker of this.#silent()) {
      const seat = this.#seats[worker];
      if (seat?.state === 'serving') {
        seat.state = 'ending';
        seat.endingMs = nowMs;
        this.#events.silent(worker, SILENCE_MS);
        void seat.thread.terminate();
      } else if (seat?.state === 'ending' && nowMs - seat.endingMs >= ENDING_MS) {
        seat.state = 'stuck';
        this.#events.stuck(worker);
      }
    }
  }

  /**
   * Orders every worker to stop and waits for the threads to end; one that takes too long ends with
   * the process. None is terminated, because Node.js aborts the whole process when a datagram comes
   * in such a thread (FromJust in UDPWrap::OnRecv), or when one that starts is terminated while it
   * loads the addon for foreign calls (both seen with Node.js 20).
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const seat of this.#seats) seat.state = 'stopping';
    this.broadcast({ kind: 'stop' });
    const late = new Promise<void>((resolve) => {
      const limit = this.#timers.after(STOP_LIMIT_MS, () => {
        for (const { thread } of this.#seats) thread.unref();
        resolve();
      });
      void Promise.all(this.#seats.map((seat) => seat.ended)).then(() => {
        limit.cancel();
        resolve();
      });
    });
    await late;
  }

  ids(): WorkerId[] {
    return this.#seats.map((_, worker) => worker as WorkerId);
  }

  #silent(): WorkerId[] {
    const now = this.#clock.nowMs();
    return this.ids().filter((worker) => now - this.#vitals.lastBeatMs(worker) >= SILENCE_MS);
  }

  #retriesOf(worker: WorkerId): WorkerRetries {
    const known = this.#retries.get(worker) ?? new WorkerRetries();
    this.#retries.set(worker, known);
    return known;
  }

  /**
   * Resolves when the worker has an engine; rejects with why it has none. Until then its last sign
   * of life is that of the thread before: one that never served must not look alive.
   */
  async #spawn(worker: WorkerId): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#vitals.forgetThread(worker);
    const thread = new Worker(new URL('./worker_thread.js', import.meta.url), {
      name: `sluice-${worker}`,
      workerData: { start: this.#start(worker), port: port2 },
      transferList: [port2],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const seat: Seat = { thread, port: port1, ended, state: 'starting', endingMs: 0 };
    this.#seats[worker] = seat;
    await new Promise<void>((resolve, reject) => {
      let sentence = 'the thread ended without a word';
      const hear = (message: FromWorker): void => {
        if (message.kind === 'failed') sentence = message.sentence;
        else if (message.kind !== 'started') this.#events.message(worker, message);
        else if (seat.state === 'starting') {
          seat.state = 'serving';
          this.#vitals.beat(worker, this.#clock.nowMs());
          this.#retriesOf(worker).serves(this.#clock.nowMs());
          resolve();
        } else {
          // It was ordered to stop before it could get the order.
          this.#doorbell.ring(worker);
        }
      };
      port1.on('message', hear);
      thread.on('error', (error) => {
        const { code } = error as NodeJS.ErrnoException;
        sentence = code === undefined ? error.message : `${error.message} (${code})`;
      });
      thread.once('exit', () => {
        hearLastWords(port1, hear);
        reject(new Error(sentence));
        const isEnded = seat.state === 'ending' || seat.state === 'stuck';
        if (isEnded) sentence = `it did not answer for ${SILENCE_MS} ms`;
        const hasServed = seat.state === 'serving' || isEnded;
        if (seat.state !== 'stopping') seat.state = 'lost';
        if (hasServed) this.#replace(worker, sentence);
      });
    });
  }

  #replace(worker: WorkerId, sentence: string): void {
    this.#doorbell.hang(worker, null);
    this.#events.lost(worker, sentence);
    this.#tryAgain(worker, this.#retriesOf(worker).lost(this.#clock.nowMs()));
  }

  #tryAgain(worker: WorkerId, pauseMs: number): void {
    this.#timers.after(pauseMs, () => {
      if (this.#seats[worker]?.state === 'stopping') return;
      this.#spawn(worker).then(
        () => this.#events.replaced(worker),
        (error: Error) => this.#failed(worker, error.message),
      );
    });
  }

  #failed(worker: WorkerId, sentence: string): void {
    if (this.#seats[worker]?.state === 'stopping') return;
    const retries = this.#retriesOf(worker);
    const { pauseMs, tell } = retries.failed(sentence, this.#clock.nowMs());
    if (tell === 'now') this.#events.notReplaced(worker, retries.failures, sentence);
    this.#tryAgain(worker, pauseMs);
  }
}

function stuckSentence(worker: WorkerId): string {
  return (
    `worker ${worker} neither answers nor ends: its sessions stand still, and it has not applied ` +
    'what has changed since'
  );
}
