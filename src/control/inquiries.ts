/**
 * Questions of the main thread to workers that have an answer. The caller waits for a bounded time,
 * and gets the names of workers that have not answered by then.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
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
  readonly parts: AnswerPart[];
  readonly end: (how: 'answered' | 'silent') => void;
}

export class Inquiries {
  readonly #deps: InquiriesDeps;
  readonly #asked = new Map<number, Asked>();
  /** Their threads are gone, and no new one serves yet. */
  readonly #missing = new Set<WorkerId>();
  #number = 0;

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
    const waiting = [...this.#asked.values()].filter((asked) => asked.worker === worker).length;
    if (this.#missing.has(worker) || waiting >= MAX_ASKED) {
      return Promise.resolve({ kind: 'silent', worker });
    }
    const number = ++this.#number;
    return new Promise((resolve) => {
      const parts: AnswerPart[] = [];
      const timer = this.#deps.timers.after(ANSWER_LIMIT_MS, () => end('silent'));
      const end = (how: 'answered' | 'silent'): void => {
        if (!this.#asked.delete(number)) return;
        timer.cancel();
        resolve(how === 'silent' ? { kind: how, worker } : { kind: how, worker, parts });
      };
      this.#asked.set(number, { worker, parts, end });
      this.#deps.fleet().send(worker, { kind: 'ask', ask: number, question });
    });
  }

  heard(message: Extract<FromWorker, { readonly ask: number }>): void {
    const asked = this.#asked.get(message.ask);
    // It may come after its time.
    if (asked === undefined) return;
    if (message.part !== null) asked.parts.push(message.part);
    if (message.kind === 'answered') asked.end('answered');
  }

  lost(worker: WorkerId): void {
    this.#missing.add(worker);
    for (const asked of [...this.#asked.values()]) if (asked.worker === worker) asked.end('silent');
  }

  replaced(worker: WorkerId): void {
    this.#missing.delete(worker);
  }
}
