/** /health as a page of text, for people in a terminal. */
import { accountOf, type Deviation } from '../core/deviation.js';
import { few } from '../core/few.js';
import { span, textTable } from './table.js';
import type {
  BackendView,
  CountView,
  HealthView,
  ListenerView,
  PoolView,
  ProbeRateView,
  ProbeView,
} from './views.js';

/** Names in a line. */
const MAX_HELD = 8;
/** A thousand blocks may be denied; `sluice ctl overrides` has them all. */
const MAX_OVERRIDES = 20;

/** Ends in a line feed. */
export function healthText(view: HealthView): string {
  const { traffic } = view;
  const lines = [
    `sluice ${view.version}, process ${view.pid}, ${view.phase}, ` +
      `up ${since(view, view.startedWallMs)}`,
    `engine ${view.engine}${because(view.engineReason)}, ${plural(view.workers, 'worker')}`,
    `configuration ${view.configHash}, read ${since(view, view.configuredWallMs)} ago`,
    `${plural(traffic.sessionsActive, 'session')} now, ${traffic.sessionsTotal} so far, ` +
      `${traffic.refusedTotal} refused`,
    ...stretched(view.probes),
    ...few(view.overrides.map(told), MAX_OVERRIDES),
    '',
    ...listenerTable(view),
  ];
  for (const pool of view.pools) {
    lines.push('', poolLine(view, pool), ...sourceLines(view, pool), ...backendTable(view, pool));
  }
  return `${lines.map(printable).join('\n')}\n`;
}

/** Of the daemon; those of pools and backends are in their reasons. */
function told(one: Deviation): string {
  return one.kind === 'deny' ? `clients ${one.value} ${accountOf(one)}` : accountOf(one);
}

function stretched({ stretch, wantedPerSecond, allowedPerSecond }: ProbeRateView): string[] {
  if (stretch === 1) return [];
  return [
    `probes: intervals are stretched ${stretch} times, because they ask for ${wantedPerSecond} ` +
      `probes per second and daemon.probes_per_second allows ${allowedPerSecond}`,
  ];
}

function listenerTable(view: HealthView): string[] {
  const heads = [
    'LISTENER',
    'PROTOCOL',
    'ADDRESS',
    'POOL',
    'STATE',
    'SINCE',
    'SESSIONS',
    'REFUSED',
    '',
  ];
  const row = (listener: ListenerView): string[] => [
    listener.name,
    listener.protocol,
    listener.addresses.join(' '),
    listener.pools.join(' '),
    listener.state,
    since(view, listener.sinceWallMs),
    of(listener.sessions, listener.maxSessions),
    counts([...listener.refused, ...listener.dropped]),
    listener.reason,
  ];
  return textTable([heads, ...view.listeners.map(row)]);
}

function poolLine(view: HealthView, pool: PoolView): string {
  const eligible = pool.backends.filter((backend) => backend.eligible).length;
  const parts = [
    `${pool.state} for ${since(view, pool.sinceWallMs)}`,
    `${eligible} of ${plural(pool.backends.length, 'backend')} eligible`,
    `policy ${pool.policy}`,
    `probe ${pool.probe}`,
    ...(pool.queueSize > 0 ? [`queue ${of(pool.queueLength, pool.queueSize)}`] : []),
    ...(pool.reason === '' ? [] : [pool.reason]),
    ...(pool.refused.length === 0 ? [] : [`refused: ${counts(pool.refused)}`]),
  ];
  return `POOL ${pool.name}: ${parts.join(', ')}`;
}

function sourceLines(view: HealthView, pool: PoolView): string[] {
  return pool.discovery.map(({ name, state, reason, sinceWallMs, countedWallMs, ...more }) => {
    const parts = [
      sinceWallMs === null ? state : `${state} for ${since(view, sinceWallMs)}`,
      ...(reason === '' ? [] : [reason]),
      plural(more.members, 'member'),
      countedWallMs === null
        ? 'no answer has counted'
        : `answered ${since(view, countedWallMs)} ago`,
      ...(more.held.length === 0 ? [] : [`held: ${few(more.held, MAX_HELD).join(' ')}`]),
    ];
    return `  SOURCE ${name}: ${parts.join(', ')}`;
  });
}

function backendTable(view: HealthView, pool: PoolView): string[] {
  const heads = [
    'BACKEND',
    'ADDRESS',
    'STATE',
    'SINCE',
    'ACTIVE',
    'WEIGHT',
    'LAST PROBE',
    'REASON',
  ];
  const row = (backend: BackendView): string[] => [
    backend.name + (backend.backup ? ' (backup)' : ''),
    backend.address,
    backend.eligible || backend.state !== 'up' ? backend.state : `up, ${backend.cause ?? ''}`,
    since(view, backend.sinceWallMs),
    of(backend.active, backend.maxConnections),
    weight(backend),
    backend.lastProbe === null ? noProbe(pool, backend) : probe(view, backend.lastProbe),
    backend.reason,
  ];
  return textTable([heads, ...pool.backends.map(row)], '  ');
}

function probe(view: HealthView, { result, latencyMs, atWallMs, detail }: ProbeView): string {
  const told = detail === '' ? '' : `: ${detail}`;
  return `${result} in ${latencyMs.toFixed(1)} ms, ${since(view, atWallMs)} ago${told}`;
}

/** One that is not probed has none, and will have none. */
function noProbe(pool: PoolView, { state }: BackendView): string {
  const isProbed = pool.probe !== 'none' && state !== 'leaving' && state !== 'unresolved';
  return isProbed ? 'none yet' : '-';
}

function weight({ weight, weightEffective }: BackendView): string {
  return weight === weightEffective
    ? String(weight)
    : `${Number(weightEffective.toFixed(2))} of ${weight}`;
}

/** `all-down 5, queue-full 2`; 0 without any. */
function counts(views: readonly CountView[]): string {
  if (views.length === 0) return '0';
  return views.map(({ reason, count }) => `${reason} ${count}`).join(', ');
}

function because(reason: string): string {
  return reason === '' ? '' : ` (${reason})`;
}

/** `5 of 100`; a limit of 0 is none. */
function of(count: number, limit: number): string {
  return limit === 0 ? String(count) : `${count} of ${limit}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function since(view: HealthView, wallMs: number): string {
  return span(view.nowWallMs - wallMs);
}

/** Details come from the network, and a terminal obeys control characters. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}
