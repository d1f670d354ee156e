/** Sessions and flows over all workers: found, sorted, and ordered to end. */
import {
  type AnswerPart,
  comesBefore,
  type SessionFilter,
  type SessionPlace,
  type SessionSort,
  type WorkerReply,
} from '../core/questions.js';
import { type RowInColumns, toRows } from '../core/session_columns.js';
import type { Inquiries } from './inquiries.js';

export interface SessionQuery {
  readonly filter: SessionFilter;
  readonly sort: SessionSort;
  readonly limit: number;
  readonly after: SessionPlace | null;
}

export interface SessionPage {
  readonly rows: readonly RowInColumns[];
  /** For ages of the rows. */
  readonly nowMs: number;
  /** Behind the last of `rows`; null: there are no more. */
  readonly next: SessionPlace | null;
  /** What the page lacks: a sentence for each worker that did not answer. */
  readonly missing: readonly string[];
}

export async function listSessions(
  inquiries: Inquiries,
  { limit, ...query }: SessionQuery,
): Promise<SessionPage> {
  // One more than asked for says whether there is another page.
  const answers = await inquiries.askAll({ kind: 'sessions', limit: limit + 1, ...query });
  const rows = partsOf(answers)
    .flatMap((part) => (part.kind === 'sessions' ? toRows(part.columns) : []))
    .sort((a, b) => (comesBefore(a, b) ? -1 : 1));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? { key: last.key, id: last.id } : null;
  return { rows: shown, nowMs: inquiries.nowMs(), next, missing: silent(answers) };
}

export async function killSessions(
  inquiries: Inquiries,
  filter: SessionFilter,
  spanMs: number,
): Promise<{ readonly killed: number; readonly missing: readonly string[] }> {
  const answers = await inquiries.askAll({ kind: 'kill', filter, spanMs });
  const counts = partsOf(answers).map((part) => (part.kind === 'killed' ? part.count : 0));
  return { killed: counts.reduce((sum, count) => sum + count, 0), missing: silent(answers) };
}

function partsOf(answers: readonly WorkerReply[]): readonly AnswerPart[] {
  return answers.flatMap((answer) => (answer.kind === 'answered' ? answer.parts : []));
}

function silent(answers: readonly WorkerReply[]): readonly string[] {
  return answers.flatMap(({ kind, worker }) =>
    kind === 'silent' ? [`worker ${worker} did not answer: its sessions are not in here`] : [],
  );
}
