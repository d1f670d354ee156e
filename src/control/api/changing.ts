/** How an order changes what operators have overridden: in its turn, reported, and kept. */
import { err, ok, type Result } from '../../core/result.js';
import { toldOf } from '../desired/desires.js';
import type { DesiredSources } from '../desired/fold.js';
import type { Ordered, Provenance, UnknownName } from '../desired/orders.js';
import { type Override, targetOfOverride } from '../desired/override.js';
import type { ApiDeps } from './all.js';
import type { Caller } from './caller.js';
import type { ApiResult } from './endpoint.js';
import { changedSince, isStale } from './precondition.js';
import { notFound, type Problem, refused } from './problem.js';
import {
  duration,
  list,
  nullable,
  numberOrText,
  optional,
  record,
  type ShapeOf,
  text,
} from './shape.js';
import { timeText } from './status.js';

export const YEAR_MS = 366 * 86_400_000;

export const OVERRIDE = record({
  backend: text('`POOL/BACKEND`; the pool of a hold, `daemon` of a log level or a denial.'),
  kind: text('drain, maintain, weight, cap, hold, log-level or deny.'),
  value: numberOrText(
    'What counts: `drained`, `maintenance`, a weight, a share of it, a cap, how many may wait (`1000 drain`: existing sessions end), a level, a block of clients.',
  ),
  replaced: numberOrText('What is configured, and would count without it.'),
  by: text('The user who asked for it.'),
  because: text('Why, in the words of the user; may be "".'),
  since: text('Since when, RFC 3339.'),
  until: nullable(text('When it ends by itself; null: never.')),
});

export const CHANGE_ANSWER = record({
  set: list('What holds from now on.', OVERRIDE),
  ended: list('What does not hold any more.', OVERRIDE),
  notes: list(
    'What is worth knowing, such as what would not survive a restart.',
    text('One.', 2_000),
  ),
});
export type Changed = ShapeOf<typeof CHANGE_ANSWER>;

export type OverrideDeps = Pick<ApiDeps, 'daemon' | 'kept' | 'log' | 'clock' | 'started'>;

export const PROVENANCE = {
  for: optional(duration('It ends by itself after this long; absent: it stays.', YEAR_MS, 1)),
  because: optional(text('Why: shown wherever the deviation is.')),
};

export interface ChangeRequest {
  readonly caller: Caller;
  readonly ifMatch: string | null;
}

export interface Reasons {
  readonly for?: number | undefined;
  readonly because?: string | undefined;
}

export function provenanceOf(
  { clock }: OverrideDeps,
  { because = '', caller, for: forMs }: ChangeRequest & Reasons,
): Provenance {
  const sinceWallMs = clock.wallMs();
  const untilWallMs = forMs === undefined ? null : sinceWallMs + forMs;
  return { by: caller.name, because, sinceWallMs, untilWallMs };
}

/** A field that is absent leaves what is usual. */
export function given({ for: forMs, because }: Reasons): Reasons {
  return {
    ...(forMs === undefined ? {} : { for: forMs }),
    ...(because === undefined ? {} : { because }),
  };
}

/** In its turn: checks whether it is allowed, orders, reports, and answers when it is on disk. */
export async function change(
  { daemon, kept, log, started }: OverrideDeps,
  { caller, ifMatch }: ChangeRequest,
  give: (sources: DesiredSources) => Result<Ordered, UnknownName | Problem>,
): Promise<ApiResult<Changed>> {
  const given: { result: Result<Ordered, Problem> | null } = { result: null };
  const done = await daemon.override((sources) => {
    const etag = etagOf(started, daemon.desires.revision);
    // In its turn: one that came before may have changed them since the request was read.
    const result = isStale(ifMatch, etag) ? err(changedSince(etag)) : own(give(sources));
    given.result = result;
    return result.ok ? ok(result.value.overrides) : err([result.error.detail]);
  });
  const { result } = given;
  if (result?.ok === false) return result;
  if (!done.ok) return err(refused(`Not done: ${done.error.join('; ')}.`, done.error));
  if (result === null) return err(refused('Not done: there was nothing to ask.'));
  const { set, ended } = result.value;
  for (const one of ended)
    log.event('override-ended', { ...toldOf(one), cause: 'ended', by: caller.name });
  for (const { replaced, by, because, untilWallMs, ...one } of set) {
    const until = untilWallMs === null ? null : timeText(untilWallMs);
    const told = {
      configured: String(replaced),
      by,
      because: because === '' ? null : because,
      until,
    };
    log.event('override-set', { ...toldOf(one), ...told });
  }
  const problem = await kept.settled();
  const notes = problem === null ? [] : [`In force, but a restart would lose it: ${problem}.`];
  notes.push(...daemon.fleet.stuck().map((one) => `Not in force everywhere: ${one}.`));
  const value = { set: set.map(shownOverride), ended: ended.map(shownOverride), notes };
  return ok({ value, etag: etagOf(started, daemon.desires.revision) });
}

function own(given: Result<Ordered, UnknownName | Problem>): Result<Ordered, Problem> {
  if (given.ok) return given;
  return err(typeof given.error === 'string' ? notFound(given.error) : given.error);
}

export function etagOf(started: string, revision: number): string {
  return `"${started}-${revision}"`;
}

export function shownOverride(one: Override): ShapeOf<typeof OVERRIDE> {
  const { kind, value, replaced, by, because, sinceWallMs, untilWallMs } = one;
  return {
    backend: targetOfOverride(one),
    kind,
    value,
    replaced,
    by,
    because,
    since: timeText(sinceWallMs),
    until: untilWallMs === null ? null : timeText(untilWallMs),
  };
}
