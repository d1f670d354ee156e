/**
 * What a worker answers to the main thread, one question after the other and in stretches: sessions
 * have their turn after half a millisecond of it.
 */
import { unreachable } from '../core/assert.js';
import type { Clock } from '../core/clock.js';
import { FirstFew } from '../core/first_few.js';
import { Pace } from '../core/pace.js';
import { type AnswerPart, comesBefore, type Question, type SessionRow } from '../core/questions.js';
import type { Random } from '../core/random.js';
import { toColumns } from '../core/session_columns.js';
import type { Stretches } from '../core/stretches.js';
import type { ReportDefect } from '../session/defect.js';
import type { Noticed } from '../session/due.js';
import { collect, each, type FoundSession, type SessionSource } from '../session/listing.js';
import type { Notices } from '../session/notices.js';
import type { DataPlane } from './data_plane.js';
import type { FromWorker } from './worker_protocol.js';

/** Of work on an answer, before sessions have their turn. */
const STRETCH_MS = 0.5;
/** Of a pool, in a part of an answer: what goes to another thread takes 2 microseconds each. */
const MEMBERS_PER_PART = 128;
/** In columns, sessions take a twentieth of that. */
const SESSIONS_PER_PART = 1_024;
/** Questions that wait here; the main thread asks fewer at a time. */
const MAX_WAITING = 64;

export interface WorkerAnswersDeps {
  readonly plane: DataPlane;
  readonly clock: Clock;
  /** Choices that are only explained draw from it. */
  readonly random: Random;
  readonly post: (message: FromWorker) => void;
  /** Resolves when sessions have had their turn, soon. */
  readonly turn: () => Promise<void>;
  readonly internalError: ReportDefect;
}

/** Sessions or flows that can be found, and ordered to end. */
interface Kind<S extends Noticed> {
  readonly source: SessionSource<S>;
  readonly notices: Pick<Notices<S>, 'give'>;
}

export class WorkerAnswers {
  readonly #deps: WorkerAnswersDeps;
  readonly #pace: Pace;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(deps: WorkerAnswersDeps) {
    this.#deps = deps;
    this.#pace = new Pace(deps.clock, STRETCH_MS);
  }

  ask(ask: number, question: Question): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      try {
        await this.#answer(ask, question);
      } catch (error) {
        this.#deps.internalError(error, null);
      }
      this.#waiting--;
    });
  }

  async #answer(ask: number, question: Question): Promise<void> {
    const { post, turn } = this.#deps;
    let last: AnswerPart | null = null;
    const tell = (part: AnswerPart): void => {
      if (last !== null) post({ kind: 'answer', ask, part: last });
      last = part;
    };
    this.#pace.begin();
    for (const _ of this.#work(question, tell)) {
      await turn();
      this.#pace.begin();
    }
    post({ kind: 'answered', ask, part: last });
  }

  #work(question: Question, tell: (part: AnswerPart) => void): Stretches {
    switch (question.kind) {
      case 'sessions':
        return this.#sessions(question, tell);
      case 'kill':
        return this.#kill(question, tell);
      case 'explain':
        return this.#explain(question, tell);
      default:
        return unreachable(question);
    }
  }

  *#sessions(
    { filter, sort, limit, after }: Extract<Question, { kind: 'sessions' }>,
    tell: (part: AnswerPart) => void,
  ): Stretches {
    const { plane, clock } = this.#deps;
    const first = new FirstFew<FoundSession>(limit, comesBefore);
    const search = { filter, nowMs: clock.nowMs(), pace: this.#pace };
    yield* collect(plane.tcp.source, search, { sort, after }, first);
    yield* collect(plane.udp.source, search, { sort, after }, first);
    let rows: SessionRow[] = [];
    // The main thread sorts: it has those of other workers to sort in.
    for (const found of first.kept) {
      const row = found.row();
      if (row !== null) rows.push(row);
      if (rows.length >= SESSIONS_PER_PART) {
        tell({ kind: 'sessions', columns: toColumns(rows) });
        rows = [];
      }
      if (this.#pace.isOver()) yield;
    }
    tell({ kind: 'sessions', columns: toColumns(rows) });
  }

  /** Nothing is said of a pool that this worker does not have yet. */
  *#explain(
    { pool: id, clientKey }: Extract<Question, { kind: 'explain' }>,
    tell: (part: AnswerPart) => void,
  ): Stretches {
    const { plane, random } = this.#deps;
    const pool = plane.pool(id);
    if (pool === null) return;
    const request = { clientKey, tried: null };
    const explained = yield* pool.explaining(request, random);
    const { members, ...rule } = explained;
    tell({ kind: 'rule', rule });
    for (let from = 0; from < members.length; from += MEMBERS_PER_PART) {
      tell({ kind: 'members', members: members.slice(from, from + MEMBERS_PER_PART) });
      if (this.#pace.isOver()) yield;
    }
  }

  *#kill(
    { filter, spanMs }: Extract<Question, { kind: 'kill' }>,
    tell: (part: AnswerPart) => void,
  ): Stretches {
    const { plane, clock } = this.#deps;
    const search = { filter, nowMs: clock.nowMs(), pace: this.#pace };
    const killIn = function* <S extends Noticed>(kind: Kind<S>): Stretches {
      let chosen: S[] = [];
      const give = (): void => {
        kind.notices.give(chosen, { cause: 'killed', spanMs, backend: null, order: 'final' });
        tell({ kind: 'killed', count: chosen.length });
        chosen = [];
      };
      const found = (one: S): void => {
        if (kind.source.state(one) !== 'closing') chosen.push(one);
      };
      for (const _ of each(kind.source, search, found)) {
        give();
        yield;
      }
      give();
    };
    yield* killIn(plane.tcp);
    yield* killIn(plane.udp);
  }
}
