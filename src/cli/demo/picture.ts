/**
 * What the demo shows: the balancer's own view of its backends beside what the clients measured.
 * Pure: views and counts in, lines of text out.
 */
import { textTable } from '../../admin/table.js';
import type { BackendView, HealthView } from '../../admin/views.js';
import {
  answered,
  type BackendTally,
  type DemoTally,
  meanMs,
  shareOf,
  tallySince,
} from './tally.js';

export interface Moment {
  /** Since the clients began. */
  readonly elapsedMs: number;
  /** The balancer's side. */
  readonly health: HealthView;
  /** The clients' side: now, and a little earlier, so that shares are those of the present. */
  readonly tally: DemoTally;
  readonly earlier: DemoTally;
}

const HEADS = ['BACKEND', 'ADDRESS', 'STATE', 'ACTIVE', 'SHARE', ' MEAN', 'SESSIONS', 'REASON'];

/** What stands above the pictures, once. */
export function introduction(health: HealthView, admin: string, clients: number): string[] {
  const [listener] = health.listeners;
  const workers = `${health.workers} worker${health.workers === 1 ? '' : 's'}`;
  return [
    `sluice ${health.version} demo: ${clients} clients ask, three servers of different speed answer,`,
    'and one of them dies and comes back. The clients shall not notice. Ctrl-C ends it.',
    '',
    `  clients go to  ${listener?.addresses.join(' ')} (engine ${health.engine}, ${workers})`,
    `  admin page     http://${admin}/`,
    '',
  ];
}

/** The table for a terminal that can be drawn again. */
export function picture(moment: Moment): string[] {
  const { health, tally, earlier } = moment;
  const recent = tallySince(tally, earlier);
  const rows = backendsOf(health).map((backend) => {
    const own = ofBackend(recent, backend);
    return [
      backend.name,
      backend.address,
      backend.state,
      String(backend.active).padStart(6),
      percent(shareOf(recent, own)),
      milliseconds(own),
      String(ofBackend(tally, backend).answered).padStart(8),
      backend.reason,
    ];
  });
  return [...textTable([HEADS, ...rows]), '', `${seconds(moment)}  ${counts(tally)}`];
}

/** The same in one line, for a pipe or a file. */
export function pictureLine(moment: Moment): string {
  const { health, tally, earlier } = moment;
  const recent = tallySince(tally, earlier);
  const parts = backendsOf(health).map((backend) => {
    const own = ofBackend(recent, backend);
    const mean = milliseconds(own).trim();
    return (
      `${backend.name} ${backend.state}, ${backend.active} active, ` +
      `${percent(shareOf(recent, own)).trim()}, ${mean}`
    );
  });
  return [seconds(moment), ...parts, counts(tally)].join(' | ');
}

/** The end: what the clients saw, and how often `dialsRetried` dials went on to another backend. */
export function summary(tally: DemoTally, elapsedMs: number, dialsRetried: number): string[] {
  const rows = tally.backends.map((backend) => [
    backend.name,
    `${backend.answered} sessions`,
    percent(shareOf(tally, backend)),
    `mean ${milliseconds(backend).trim()}`,
  ]);
  const deaths = plural(tally.deaths, 'death');
  return [
    `${(elapsedMs / 1000).toFixed(1)} s: ${counts(tally)}.`,
    `${deaths} of a backend; ${plural(dialsRetried, 'dial')} went on to another one.`,
    ...textTable(rows, '  '),
  ];
}

function counts(tally: DemoTally): string {
  const why = tally.lastFailure === null ? '' : ` (the last one: ${tally.lastFailure})`;
  return `${answered(tally)} sessions, ${tally.failed} failed${why}`;
}

function backendsOf(health: HealthView): readonly BackendView[] {
  return health.pools.flatMap((pool) => pool.backends);
}

function ofBackend(tally: DemoTally, { name }: BackendView): BackendTally {
  const own = tally.backends.find((backend) => backend.name === name);
  return own ?? { name, answered: 0, totalMs: 0 };
}

function seconds({ elapsedMs }: Moment): string {
  return `${Math.round(elapsedMs / 1000)} s`.padStart(5);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`.padStart(5);
}

function milliseconds(backend: BackendTally): string {
  const mean = meanMs(backend);
  return (mean === null ? '-' : `${mean.toFixed(0)} ms`).padStart(6);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
