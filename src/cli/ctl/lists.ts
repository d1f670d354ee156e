/** `sluice ctl listeners`, `pools` and `backends`. */
import { span } from '../../admin/table.js';
import type { BACKENDS, LISTENERS, POOLS } from '../../control/api/lists.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { systemClock } from '../../system/clock.js';
import type { CtlCommand } from './command.js';
import type { TextRows } from './output.js';
import { textsOf } from './sessions.js';

type Backends = ShapeOf<typeof BACKENDS>;
type Pool = ShapeOf<typeof POOLS>['items'][number];
type Spread = Pool['evenness']['load'];
type Counts = readonly { readonly reason: string; readonly count: number }[];

export const listeners: CtlCommand = {
  name: 'listeners',
  description: 'every listener: where, how it is, how many sessions',
  options: [],
  run: async ({ client, out }) => {
    const page = await client.get<ShapeOf<typeof LISTENERS>>('/listeners');
    out.show(page, ({ items }, fit) =>
      fit([
        [
          'LISTENER',
          'PROTOCOL',
          'ADDRESS',
          'POOL',
          'STATE',
          'SINCE',
          'SESSIONS',
          'REFUSED',
          'REASON',
        ],
        ...items.map((one) => [
          one.name,
          one.protocol,
          one.addresses.join(' '),
          one.pools.join(' '),
          one.state,
          timeSince(one.since),
          of(one.sessions, one.max_sessions),
          counts([...one.refused, ...one.dropped]),
          one.reason,
        ]),
      ]),
    );
    return 0;
  },
};

const EVENNESS_NOTES = `LOAD (sessions per unit of weight), FIRST BYTE and FAILURES are the median of the
backends that serve, then the backend that has most: "10, b 30". The last two are of the last half
minute. "-": fewer than two have any.`;

export const pools: CtlCommand = {
  name: 'pools',
  description:
    'every pool: its state, how many backends may serve, what waits, how even the load is',
  options: [],
  notes: EVENNESS_NOTES,
  run: async ({ client, out }) => {
    const page = await client.get<ShapeOf<typeof POOLS>>('/pools');
    out.show(page, ({ items }, fit) =>
      fit([
        [
          ...['POOL', 'STATE', 'SINCE', 'ELIGIBLE', 'SESSIONS', 'QUEUE', 'POLICY', 'REFUSED'],
          ...['LOAD', 'FIRST BYTE', 'FAILURES', 'REASON'],
        ],
        ...items.map((one) => [
          one.name,
          one.state,
          timeSince(one.since),
          of(one.eligible, one.backends),
          String(one.sessions),
          queueText(one),
          one.policy,
          counts(one.refused),
          spread(one.evenness.load, (load) => String(Number(load.toFixed(2)))),
          spread(one.evenness.first_byte_ms, (ms) => `${ms.toFixed(1)} ms`),
          spread(one.evenness.failures, (share) => `${(100 * share).toFixed(1)} %`),
          one.reason,
        ]),
      ]),
    );
    return 0;
  },
};

/** A pool without a queue has one while it is held. */
function queueText({ queue_size: size, queue_length: length }: Pool): string {
  if (size > 0) return of(length, size);
  return length > 0 ? String(length) : '-';
}

export const backends: CtlCommand = {
  name: 'backends',
  description: 'every backend, or those of a pool',
  positionals: [{ usage: '[pool]', description: 'only those of this pool', values: 'pool' }],
  options: [
    { flags: '--limit <n>', description: 'how many at most, up to 10000', default: '1000' },
    { flags: '--cursor <cursor>', description: 'go on behind a page: what it gave as next' },
  ],
  notes:
    'LAST PROBE goes first where the terminal is too narrow; `why` and --json have it. In a pipe or a file nothing is cut: like all commands here, it asks the terminal for its width, and no variable such as COLUMNS.',
  run: async ({ client, out, words, rest: [pool] }) => {
    const query = { pool, ...textsOf(words, ['limit', 'cursor']) };
    const page = await client.get<Backends>('/backends', query);
    out.show(page, ({ items }, fit) => fit(backendRows(items), 'cut', 'LAST PROBE'));
    if (page.next !== null) out.complain(`there are more: --cursor ${page.next}`);
    return 0;
  },
};

export function backendRows(items: Backends['items']): TextRows {
  return [
    ['BACKEND', 'ADDRESS', 'STATE', 'SINCE', 'ACTIVE', 'WEIGHT', 'LAST PROBE', 'REASON'],
    ...items.map((one) => [
      `${one.pool}/${one.name}${one.backup ? ' (backup)' : ''}`,
      one.address,
      one.eligible || one.state !== 'up' ? one.state : `up, ${one.cause ?? ''}`,
      timeSince(one.since),
      one.max_connections === 0 ? String(one.active) : of(one.active, one.max_connections),
      one.weight === one.weight_effective
        ? String(one.weight)
        : `${Number(one.weight_effective.toFixed(2))} of ${one.weight}`,
      one.last_probe === null
        ? '-'
        : `${one.last_probe.result} in ${one.last_probe.latency_ms.toFixed(1)} ms`,
      one.reason,
    ]),
  ];
}

/** Until now: clocks of the daemon and of this command are the same. */
function timeSince(time: string): string {
  return span(systemClock.wallMs() - Date.parse(time));
}

function of(count: number, limit: number): string {
  return `${count} of ${limit}`;
}

function spread(of: Spread, told: (value: number) => string): string {
  if (of === null) return '-';
  const isEven = of.greatest === of.median;
  return isEven ? told(of.median) : `${told(of.median)}, ${of.backend} ${told(of.greatest)}`;
}

/** `refused 12, timeout 1`; `0`: none. */
export function counts(all: Counts): string {
  if (all.length === 0) return '0';
  return all.map(({ reason, count }) => `${reason} ${count}`).join(', ');
}
