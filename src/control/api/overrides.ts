/** `/v1/overrides`, and the orders that set and end them: drain, weight, reset … */
import { err, ok, type Result } from '../../core/result.js';
import { LOG_LEVELS } from '../../core/spec.js';
import { toldOf } from '../desired/desires.js';
import type { Sources } from '../desired/fold.js';
import {
  end,
  hold,
  logLevel,
  type Ordered,
  order,
  type Provenance,
  release,
  type UnknownName,
  type Wanted,
} from '../desired/orders.js';
import {
  holdText,
  MOST_HELD,
  type Override,
  PERCENTAGE,
  targetOfOverride,
} from '../desired/override.js';
import type { ApiDeps } from './all.js';
import type { Caller } from './caller.js';
import { type Endpoint, endpoint, type Outcome } from './endpoint.js';
import { notFound, type Problem, refused } from './problem.js';
import {
  duration,
  flag,
  list,
  nullable,
  numberOrText,
  oneOf,
  optional,
  page,
  record,
  type ShapeOf,
  text,
  whole,
} from './shape.js';
import { timeText } from './status.js';

const MAX_NAMES = 1_000;
const YEAR_MS = 366 * 86_400_000;
const USUAL_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
const MAX_CAP = 1_000_000;
/** A pool that nobody releases serves again by itself. */
const USUAL_HOLD_MS = 300_000;
const USUALLY_HELD = 1_000;

export const OVERRIDE = record({
  backend: text('`POOL/BACKEND`; the pool of a hold, `daemon` of a log level.'),
  kind: text('drain, maintain, weight, cap, hold or log-level.'),
  value: numberOrText(
    'What counts: `drained`, `maintenance`, a weight, a share of it, a cap, how many may wait (`1000 drain`: existing sessions end), a level.',
  ),
  replaced: numberOrText('What is configured, and would count without it.'),
  by: text('The user who asked for it.'),
  because: text('Why, in the words of the user; may be "".'),
  since: text('Since when, RFC 3339.'),
  until: nullable(text('When it ends by itself; null: never.')),
});

export const OVERRIDES = page(OVERRIDE);

export const CHANGED = record({
  set: list('What holds from now on.', OVERRIDE),
  ended: list('What does not hold any more.', OVERRIDE),
  notes: list(
    'What is worth knowing, such as what would not survive a restart.',
    text('One.', 2_000),
  ),
});
export type Changed = ShapeOf<typeof CHANGED>;

export type OverrideDeps = Pick<ApiDeps, 'daemon' | 'kept' | 'log' | 'clock' | 'started'>;

const names = list(
  '`POOL/BACKEND`, or `POOL/*` for all of a pool.',
  text('A name.', 500),
  MAX_NAMES,
);
const PROVENANCE = {
  for: optional(duration('It ends by itself after so long; absent: it stays.', YEAR_MS)),
  because: optional(text('Why: shown wherever the deviation is.')),
};

export function overrideEndpoints(deps: OverrideDeps): readonly Endpoint[] {
  return [
    overridesEndpoint(deps),
    stateEndpoint(deps, 'drain', 'drained', 'No new sessions; existing ones may finish.'),
    stateEndpoint(deps, 'maintain', 'maintenance', 'The same, and it is not probed either.'),
    endingEndpoint(
      deps,
      '/ready',
      isState,
      'Ends drain and maintenance, with the slow start of the pool; leaves weight and cap.',
    ),
    weightEndpoint(deps),
    capEndpoint(deps),
    holdEndpoint(deps),
    releaseEndpoint(deps),
    logLevelEndpoint(deps),
    endingEndpoint(deps, '/reset', () => true, 'Ends all that deviates from the configuration.'),
  ];
}

function overridesEndpoint({ daemon, started }: OverrideDeps): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/overrides',
    summary: 'What deviates from the configuration: by whom, why, since and until when.',
    may: 'look',
    query: {
      limit: optional(whole('Items of one answer.', 1, MAX_LIMIT)),
      cursor: optional(whole('`next` of the answer before.', 0, Number.MAX_SAFE_INTEGER)),
    },
    answer: OVERRIDES,
    handle: ({ query: { limit = USUAL_LIMIT, cursor = 0 } }) => {
      const { overrides, revision } = daemon.desires;
      const items = overrides.slice(cursor, cursor + limit).map(shown);
      const next = cursor + limit < overrides.length ? String(cursor + limit) : null;
      return ok({ value: { items, next }, etag: etagOf(started, revision) });
    },
  });
}

function stateEndpoint(
  deps: OverrideDeps,
  kind: 'drain' | 'maintain',
  value: 'drained' | 'maintenance',
  summary: string,
): Endpoint {
  return endpoint({
    method: 'POST',
    path: `/${kind}`,
    summary,
    may: 'change',
    body: { backends: names, ...PROVENANCE },
    answer: CHANGED,
    handle: ({ body, ...asked }) => setting(deps, { ...asked, ...body }, { kind, value }),
  });
}

/** Ends those overrides of the backends that `which` means. */
function endingEndpoint(
  deps: OverrideDeps,
  path: '/ready' | '/reset',
  which: (override: Override) => boolean,
  summary: string,
): Endpoint {
  return endpoint({
    method: 'POST',
    path,
    summary,
    may: 'change',
    body: { backends: names },
    answer: CHANGED,
    handle: ({ body, ...asked }) =>
      change(deps, asked, (sources) => end(sources, body.backends, which)),
  });
}

function weightEndpoint(deps: OverrideDeps): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/weight',
    summary: 'Another weight, or a share of the configured one.',
    may: 'change',
    body: {
      backends: names,
      value: numberOrText('0 to 1000, or `50%` of the configured weight.', (value) =>
        typeof value === 'number'
          ? Number.isInteger(value) && value >= 0 && value <= 1_000
          : PERCENTAGE.test(value),
      ),
      ...PROVENANCE,
    },
    answer: CHANGED,
    handle: ({ body, ...asked }) =>
      setting(deps, { ...asked, ...body }, { kind: 'weight', value: body.value }),
  });
}

function capEndpoint(deps: OverrideDeps): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/cap',
    summary: 'Another cap of sessions.',
    may: 'change',
    body: {
      backends: names,
      value: whole('Sessions at the same time, at most; 0: any number.', 0, MAX_CAP),
      ...PROVENANCE,
    },
    answer: CHANGED,
    handle: ({ body, ...asked }) =>
      setting(deps, { ...asked, ...body }, { kind: 'cap', value: body.value }),
  });
}

function holdEndpoint(deps: OverrideDeps): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/hold',
    summary: 'New sessions of a pool wait, and nothing is chosen, until it is released.',
    may: 'change',
    body: {
      pool: text('Its name.', 500),
      max: optional(
        whole('Sessions that may wait; absent: 1000. A further one is refused.', 1, MOST_HELD),
      ),
      drain: optional(flag('Existing sessions end, as those of a drained backend do.')),
      for: optional(duration('It ends by itself after so long; absent: 5m.', YEAR_MS)),
      because: PROVENANCE.because,
    },
    answer: CHANGED,
    handle: ({ body: { pool, max = USUALLY_HELD, drain = false, ...body }, ...asked }) => {
      const value = holdText({ atMost: max, sessions: drain ? 'drain' : 'keep' });
      const by = provenanceOf(deps, { for: USUAL_HOLD_MS, ...given(body), ...asked });
      return change(deps, asked, (sources) => hold(sources, pool, value, by));
    },
  });
}

function releaseEndpoint(deps: OverrideDeps): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/release',
    summary: 'Ends the hold of a pool: those that wait are served in their order.',
    may: 'change',
    body: { pool: text('Its name.', 500) },
    answer: CHANGED,
    handle: ({ body: { pool }, ...asked }) =>
      change(deps, asked, (sources) => release(sources, pool)),
  });
}

function logLevelEndpoint(deps: OverrideDeps): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/log-level',
    summary: 'Another level of the log; the configured one ends the override.',
    may: 'change',
    body: { level: oneOf('The least severe events that are written.', LOG_LEVELS), ...PROVENANCE },
    answer: CHANGED,
    handle: ({ body: { level, ...body }, ...asked }) => {
      const by = provenanceOf(deps, { ...given(body), ...asked });
      return change(deps, asked, (sources) => ok(logLevel(sources, level, by)));
    },
  });
}

interface Asking {
  readonly caller: Caller;
  readonly ifMatch: string | null;
}

interface Setting extends Asking, Reasons {
  readonly backends: readonly string[];
}

interface Reasons {
  readonly for?: number | undefined;
  readonly because?: string | undefined;
}

function setting(deps: OverrideDeps, asked: Setting, wanted: Wanted): Promise<Outcome<Changed>> {
  const provenance = provenanceOf(deps, asked);
  return change(deps, asked, (sources) => order(sources, asked.backends, wanted, provenance));
}

function provenanceOf(
  { clock }: OverrideDeps,
  { because = '', caller, for: forMs }: Asking & Reasons,
): Provenance {
  const sinceWallMs = clock.wallMs();
  const untilWallMs = forMs === undefined ? null : sinceWallMs + forMs;
  return { by: caller.name, because, sinceWallMs, untilWallMs };
}

/** A field that is absent leaves what is usual. */
function given({ for: forMs, because }: Reasons): Reasons {
  return {
    ...(forMs === undefined ? {} : { for: forMs }),
    ...(because === undefined ? {} : { because }),
  };
}

/** In its turn: looks whether it may be, orders, tells, and answers when it is on disk. */
async function change(
  { daemon, kept, log, started }: OverrideDeps,
  { caller, ifMatch }: Asking,
  give: (sources: Sources) => Result<Ordered, UnknownName>,
): Promise<Outcome<Changed>> {
  const given: { result: Result<Ordered, Problem> | null } = { result: null };
  const done = await daemon.override((sources) => {
    const etag = etagOf(started, daemon.desires.revision);
    const isStale = ifMatch !== null && ifMatch !== etag && ifMatch !== '*';
    const result = isStale ? err(changedSince(etag)) : own(give(sources));
    given.result = result;
    return result.ok ? ok(result.value.overrides) : err([result.error.detail]);
  });
  const { result } = given;
  if (result?.ok === false) return result;
  if (!done.ok || result === null) {
    return err(refused(`Not done: ${done.ok ? 'nobody was asked' : done.error.join('; ')}.`));
  }
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
  const value = { set: set.map(shown), ended: ended.map(shown), notes };
  return ok({ value, etag: etagOf(started, daemon.desires.revision) });
}

function own(given: Result<Ordered, UnknownName>): Result<Ordered, Problem> {
  return given.ok ? given : err(notFound(given.error));
}

function changedSince(etag: string): Problem {
  const detail = `Overrides have changed since they were looked at (${etag} now): look again.`;
  return { status: 412, kind: 'changed', detail };
}

function etagOf(started: string, revision: number): string {
  return `"${started}-${revision}"`;
}

function isState({ kind }: Override): boolean {
  return kind === 'drain' || kind === 'maintain';
}

function shown(one: Override): ShapeOf<typeof OVERRIDE> {
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
