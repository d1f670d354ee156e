/** `GET /v1/status`: the daemon as a whole, on one screen. */
import type { StatusView } from '../../admin/views.js';
import { accountOf } from '../../core/deviation.js';
import { andMore, few } from '../../core/few.js';
import { ok } from '../../core/result.js';
import { type Override, targetOfOverride } from '../desired/override.js';
import type { LookDeps } from './all.js';
import { deniedVersion } from './denied_versions.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { figure, list, oneOf, record, type ShapeOf, text } from './shape.js';

export const STATUS = record({
  phase: oneOf('What it does.', ['starting', 'serving', 'leaving', 'stopping']),
  version: text('Of sluice.'),
  engine: text('What moves the bytes.'),
  engine_reason: text('Why this one; may be "".', 2_000),
  workers: figure('Threads that serve.'),
  pid: figure('The number of the process.'),
  now: text('The time of this answer, RFC 3339.'),
  started: text('When it started.'),
  config_hash: text('Names the text of the file in use.'),
  configured: text('When that was read.'),
  sessions_active: figure('Sessions and flows now.'),
  sessions_total: figure('Since the start of the service; an upgrade counts on.'),
  refused_total: figure('Clients that were turned away, since the start of the service.'),
  bytes_in_total: figure('From clients, since the start of the service.'),
  bytes_out_total: figure('To clients, since the start of the service.'),
  listeners: figure('How many listeners there are.'),
  pools: figure('How many pools.'),
  backends: figure('How many backends.'),
  backends_eligible: figure('Of them, those that may get the next session.'),
  overrides: figure('What deviates from the configuration.'),
  trouble: list(
    'What keeps the daemon from serving as it should: what /healthz and /ready have, pools that ' +
      'refuse for want of room, sources and lists that are missing, clients that are all denied, ' +
      'and overrides that a restart would lose. Empty: nothing does.',
    text('A sentence, such as `listener app: no backend of pool app is eligible`.', 2_000),
  ),
  notes: list(
    'Processes that leave, pools and backends that do not serve as usual, and what deviates from ' +
      'the configuration, and why.',
    text('A sentence.', 2_000),
  ),
});

/** Sentences of `trouble`, of notes of pools and of backends each; the rest is counted. */
export const MAX_SENTENCES = 20;

export type StatusDeps = Pick<LookDeps, 'views' | 'overrides' | 'kept'>;

export type StatusParts = Pick<LookDeps, 'overrides' | 'kept'>;

export function statusEndpoint(deps: StatusDeps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/status',
    summary: 'The daemon as a whole: what runs, since when, how much, and what is wrong.',
    may: 'look',
    answer: STATUS,
    handle: () => ok({ value: statusOf(deps.views.status(MAX_SENTENCES), deps) }),
  });
}

/** Of the moment of `view`, which is now. */
export function statusOf(
  view: StatusView,
  { overrides, kept }: StatusParts,
): ShapeOf<typeof STATUS> {
  const { check } = view;
  const changed = overrides();
  const problems = [...check.problems, ...changed.flatMap(deniesAll)];
  if (kept.trouble !== null) problems.push(kept.trouble);
  const { noted } = view;
  const more = noted - view.notes.length;
  const waiting = check.notes ?? [];
  const others = deviations(changed, [...waiting, ...view.notes]);
  const notes = [...few(waiting, MAX_SENTENCES), ...others, ...view.notes];
  return {
    phase: view.phase,
    version: view.version,
    engine: view.engine,
    engine_reason: view.engineReason,
    workers: view.workers,
    pid: view.pid,
    now: timeText(view.nowWallMs),
    started: timeText(view.startedWallMs),
    config_hash: view.configHash,
    configured: timeText(view.configuredWallMs),
    sessions_active: view.traffic.sessionsActive,
    sessions_total: view.traffic.sessionsTotal,
    refused_total: view.traffic.refusedTotal,
    bytes_in_total: view.traffic.bytesInTotal,
    bytes_out_total: view.traffic.bytesOutTotal,
    listeners: view.listeners,
    pools: view.pools,
    backends: view.backends,
    backends_eligible: view.eligible,
    overrides: changed.length,
    trouble: few(problems, MAX_SENTENCES),
    notes: more > 0 ? [...notes, andMore(more)] : notes,
  };
}

/** What deviates and has no note yet. Of ten thousand overrides only some are looked at. */
function deviations(changed: readonly Override[], notes: readonly string[]): readonly string[] {
  const told: string[] = [];
  for (const one of changed) {
    if (told.length === MAX_SENTENCES) return [...told, 'and more: `sluice ctl overrides`'];
    if (isToldIn(notes, one)) continue;
    const subject = one.kind === 'deny' ? `clients ${one.value}` : targetOfOverride(one);
    told.push(`${subject}: ${accountOf(one)}`);
  }
  return told;
}

/** Pools that are held and backends that are out have their sentence, which tells all of it. */
function isToldIn(notes: readonly string[], one: Override): boolean {
  const { kind } = one;
  if (kind === 'drain' || kind === 'maintain') return true;
  const target = kind === 'hold' ? `pool ${one.pool}` : targetOfOverride(one);
  return notes.some((note) => note.startsWith(`${target} is `));
}

function deniesAll({ kind, value, by }: Override): readonly string[] {
  const told = kind === 'deny' ? deniedVersion(String(value)) : null;
  return told === null ? [] : [`${by} has denied all: ${told}`];
}

/** Times are RFC 3339 texts. */
export function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
