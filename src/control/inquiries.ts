/**
 * Questions of the main thread to workers that have an answer. The caller waits for a bounded time,
 * and gets the names of workers that have not answered by then.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timer, Timers } from '../core/clock.js';
import type { AnswerPart, Question, WorkerReply } from '../core/questions.js';
import type { Fleet } from './worker_fleet.js';
import type { FromWorker } from './worker_protocol.js';

/** A worker has answered about ten thousand sessions in a tenth of it, whatever it carries. */
const ANSWER_LIMIT_MS = 2_000;
/** Questions to one worker that wait for an answer. */
const MAX_ASKED = 32;

export interface InquiriesDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly fleet: () => Pick<Fleet, 'ids' | 'send'>;
}

interface Asked {
  readonly worker: WorkerId;
  readonly untilMs: number;
  readonly parts: AnswerPart[];
  readonly resolve: (reply: WorkerReply) => void;
}

export class Inquiries {
  readonly #deps: InquiriesDeps;
  readonly #asked = new Map<number, Asked>();
  /** Their threads are gone, and no new one serves yet. */
  readonly #missing = new Set<WorkerId>();
  #number = 0;
  /**
   * One for all questions, which outlives those that are answered: most are within a millisecond,
   * and a timer for each would cost more than to ask.
   */
  #limit: Timer | null = null;

  constructor(deps: InquiriesDeps) {
    this.#deps = deps;
  }

  /** On the clock of the workers. */
  nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  /** Those that may answer come first. */
  workers(): readonly WorkerId[] {
    const all = this.#deps.fleet().ids();
    return all.toSorted((a, b) => Number(this.#missing.has(a)) - Number(this.#missing.has(b)));
  }

  /** The answer of every worker. */
  askAll(question: Question): Promise<readonly WorkerReply[]> {
    return Promise.all(
      this.#deps
        .fleet()
        .ids()
        .map((worker) => this.ask(worker, question)),
    );
  }

  ask(worker: WorkerId, question: Question): Promise<WorkerReply> {
    if (this.#missing.has(worker) || this.#waitingFor(worker) >= MAX_ASKED) {
      return Promise.resolve({ kind: 'silent', worker });
    }
    const number = ++this.#number;
    const untilMs = this.#deps.clock.nowMs() + ANSWER_LIMIT_MS;
    return new Promise((resolve) => {
      this.#asked.set(number, { worker, untilMs, parts: [], resolve });
      this.#limit ??= this.#deps.timers.after(ANSWER_LIMIT_MS, () => this.#endLate());
      this.#deps.fleet().send(worker, { kind: 'ask', ask: number, question });
    });
  }

  heard(message: Extract<FromWorker, { readonly ask: number }>): void {
    const asked = this.#asked.get(message.ask);
    // It may come after its time.
    if (asked === undefined) return;
    if (message.part !== null) asked.parts.push(message.part);
    if (message.kind !== 'answered') return;
    this.#asked.delete(message.ask);
    asked.resolve({ kind: 'answered', worker: asked.worker, parts: asked.parts });
  }

  lost(worker: WorkerId): void {
    this.#missing.add(worker);
    this.#giveUp((asked) => asked.worker === worker);
  }

  replaced(worker: WorkerId): void {
    this.#missing.delete(worker);
  }

  #waitingFor(worker: WorkerId): number {
    let count = 0;
    for (const asked of this.#asked.values()) if (asked.worker === worker) count++;
    return count;
  }

  /** The oldest stand first in the map. */
  #endLate(): void {
    const nowMs = this.#deps.clock.nowMs();
    this.#giveUp(({ untilMs }) => untilMs <= nowMs);
    const [next] = this.#asked.values();
    this.#limit =
      next === undefined
        ? null
        : this.#deps.timers.after(next.untilMs - nowMs, () => this.#endLate());
  }

  #giveUp(isMeant: (asked: Asked) => boolean): void {
    for (const [number, asked] of this.#asked) {
      if (!isMeant(asked)) continue;
      this.#asked.delete(number);
      asked.resolve({ kind: 'silent', worker: asked.worker });
    }
  }
}
