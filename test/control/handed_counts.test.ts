/** Counters of one process in the one that takes its place. */
import t from 'tap';
import { PAST_SHOWN_MS, Tallies } from '../../src/control/tallies.js';
import { GrowingCounts, takeOverCounts } from '../../src/control/upgrade/counts.js';
import { Handed, type StatePart, stateLines } from '../../src/control/upgrade/state_parts.js';
import { present } from '../../src/core/assert.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { CAUSE_COLUMN, PLAIN_COLUMN, SUM_COLUMN } from '../../src/core/series_layout.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { fakeSource } from '../observe/fake_source.js';
import { Exposition } from '../support/exposition.js';

const [L0, B0, B1] = [0 as ListenerId, 0 as BackendId, 1 as BackendId];
const PG = { key: 'tcp/pg', name: 'pg', protocol: 'tcp' } as const;
const BEGUN = PLAIN_COLUMN.accepted;
const ENDED = CAUSE_COLUMN.finished;

class Process {
  nowMs = 0;
  readonly #memory = createSeriesMemory(1);
  readonly series = new SeriesReader(this.#memory);
  readonly writer = new SeriesWriter(this.#memory, 0 as WorkerId);
  readonly tallies = new Tallies(this.series, { nowMs: () => this.nowMs });
  readonly metrics = createMetrics(fakeSource().source, async () => {});
  readonly handed = new Handed();
  readonly growing = new GrowingCounts(this);

  constructor() {
    takeOverCounts(this.handed, this);
  }

  /** A listener and two backends. */
  open(): this {
    this.tallies.listenerIs(L0, PG);
    this.tallies.backendIs(B0, { pool: 'main', backend: 'a' });
    this.tallies.backendIs(B1, { pool: 'main', backend: 'b' });
    return this;
  }

  serve(backend: BackendId, sessions: number): void {
    const row = this.writer.rowOf(L0, backend);
    for (const column of [BEGUN, ENDED]) this.writer.add(row, column, sessions);
    this.writer.add(row, PLAIN_COLUMN.active, 1);
    for (let n = 0; n < sessions; n++) this.writer.observe(row, 'session', 2);
  }

  /** Sends `next` what has grown; answers how many items that were. */
  async tell(next: Process): Promise<number> {
    let items = 0;
    const say = (part: StatePart, all: Iterable<object | null>): void => {
      for (const line of stateLines(part, all as Iterable<Record<string, unknown> | null>)) {
        if (line === null) continue;
        items += (line['items'] as unknown[]).length;
        next.handed.hear(JSON.parse(JSON.stringify(line)));
      }
    };
    say('traffic', this.growing.traffic());
    say('counters', await this.growing.counters());
    return items;
  }

  shown(): Record<string, readonly [number, number]> {
    const rows = this.tallies.shown().map(({ labels, past, series }) => {
      const sum = (column: number) =>
        series.reduce((all, row) => all + this.series.value(row, column), past?.[column] ?? 0);
      return [labels.backend, [sum(BEGUN), sum(PLAIN_COLUMN.active)]] as const;
    });
    return Object.fromEntries(rows);
  }
}

t.test('all sums go over once, and then what they grow by', async (t) => {
  const [old, next] = [new Process().open(), new Process()];
  old.serve(B0, 5);
  old.serve(B1, 2);
  await old.tell(next);
  next.open();
  t.same(next.shown(), { a: [5, 0], b: [2, 0] }, 'but not those that are there now');
  for (const sum of [
    next.tallies.pastTotal(BEGUN),
    next.tallies.pastOfPool('main', ENDED),
    next.tallies.pastOfListener(PG.key, BEGUN),
  ]) {
    t.equal(sum, 7);
  }
  t.equal(next.tallies.pastOfPool('main', SUM_COLUMN.session), 14_000_000);
  t.equal(await old.tell(next), 0, 'nothing is sent twice');
  old.serve(B0, 1);
  t.equal(await old.tell(next), 4, 'its labels, its listener, its pool, and all');
  next.serve(B0, 10);
  t.same(next.shown(), { a: [16, 1], b: [2, 0] }, 'it counts on from there');
  t.equal(next.tallies.pastTotal(BEGUN), 8);
});

t.test('a row that is given back is sent as what it is: past', async (t) => {
  const [old, next] = [new Process().open(), new Process().open()];
  old.serve(B0, 5);
  await old.tell(next);
  old.serve(B0, 1);
  old.tallies.backendGone(B0);
  await old.tell(next);
  t.equal(next.tallies.pastTotal(BEGUN), 6);
  t.equal(next.tallies.pastOfPool('main', BEGUN), 6);
  const third = new Process().open();
  await next.tell(third);
  t.equal(third.tallies.pastTotal(BEGUN), 6, 'and again by the next one');
  t.same(third.shown(), { a: [6, 0] });
});

t.test('where rows are given back meanwhile the rest is sent the next time', async (t) => {
  const [old, next] = [new Process().open(), new Process().open()];
  old.serve(B0, 5);
  old.serve(B1, 2);
  for (const line of stateLines('traffic', old.growing.traffic())) {
    if (line !== null) next.handed.hear(line);
  }
  old.serve(B1, 2);
  old.serve(B0, 1);
  const growth = old.growing.traffic()[Symbol.iterator]();
  next.handed.hear({ kind: 'state', format: 1, of: 'traffic', items: [growth.next().value] });
  old.tallies.backendGone(B1);
  t.equal(growth.next().done, true);
  await old.tell(next);
  t.same(next.shown(), { a: [6, 0], b: [4, 0] });
  t.equal(next.tallies.pastTotal(BEGUN), 10);
});

t.test('what may count again is shown, and what is gone is not for long', async (t) => {
  const [old, next] = [new Process().open(), new Process()];
  old.serve(B0, 5);
  old.serve(B1, 2);
  await old.tell(next);
  next.open();
  next.nowMs = 2 * PAST_SHOWN_MS;
  t.same(Object.keys(next.shown()), ['a', 'b']);
  next.tallies.backendGone(B1);
  t.same(Object.keys(next.shown()), ['a']);
  next.tallies.listenersGone(new Set([L0]));
  t.same(Object.keys(next.shown()), []);
  t.equal(next.tallies.pastTotal(BEGUN), 7);
});

t.test('more labels than are kept of what is gone count on, as they are there', async (t) => {
  const [old, next] = [new Process(), new Process()];
  const many = 4_000;
  for (const one of [old, next]) {
    one.tallies.listenerIs(L0, PG);
    for (let id = 0; id < many; id++) {
      one.tallies.backendIs(id as BackendId, { pool: 'main', backend: `b${id}` });
    }
  }
  for (let id = 0; id < many; id++) old.serve(id as BackendId, 1);
  await old.tell(next);
  next.serve(7 as BackendId, 1);
  next.tallies.backendGone(7 as BackendId);
  t.equal(next.shown()['b3999']?.[0], 1);
  t.equal(next.shown()['b7']?.[0], 2);
  t.equal(Object.keys(next.shown()).length, many);
});

t.test('counters of the main thread go over, those of probes by pool or by backend', async (t) => {
  const [old, next] = [new Process(), new Process()];
  const backend = { pool: 'main', backend: 'a' };
  old.metrics.transition(backend, 'down');
  old.metrics.transition(backend, 'up');
  old.metrics.ejection(backend, 'failures');
  for (const seconds of [0.01, 0.5, 100]) old.metrics.probe(backend, seconds, 'refused');
  old.metrics.reload('success');
  old.metrics.workerRestart(1);
  old.metrics.logSuppressed('probe-failed', 3);
  old.metrics.internalErrors(2);
  await old.tell(next);
  t.equal(await old.tell(next), 0);
  const counted = async ({ metrics }: Process) =>
    new Exposition(await metrics.text()).samples.filter(
      ({ name, value }) => value > 0 && /transition|eject|probe|reload|restart|supp|err/.test(name),
    );
  const before = await counted(old);
  t.ok(before.length > 12, `${before.length} samples`);
  t.same(await counted(next), before);
  next.metrics.probe(backend, 0.01, null);
  next.metrics.forget(backend);
  t.equal((await counted(next)).filter(({ labels }) => labels['backend'] === 'a').length, 0);
});

t.test('garbage is not taken over, and takes nothing else with it', async (t) => {
  const next = new Process().open();
  const labels = { listener: 'pg', pool: 'main', backend: 'a' };
  const subject = { listenerKey: PG.key, protocol: 'tcp', labels };
  const counts = { accepted: 3, 'of tomorrow': 5 };
  const hear = (of: StatePart, ...items: unknown[]) =>
    next.handed.hear({ kind: 'state', format: 1, of, items });
  const bad = [
    { of: 'labels', subject, counts: { accepted: -1 } },
    { of: 'labels', subject, counts: { accepted: '3' } },
    { of: 'labels', subject, counts: null },
    { of: 'labels', subject: { ...subject, protocol: 'sctp' }, counts },
    { of: 'labels', subject: { ...subject, labels: { pool: 'main' } }, counts },
    { of: 'labels', counts },
    { of: 'pool', counts },
    { of: 'everything', counts },
  ];
  hear('traffic', ...bad, { of: 'labels', subject, counts });
  t.same(next.shown(), { a: [3, 0] });
  const metric = 'sluice_reloads_total';
  const badCounters = [
    { metric, labels: { result: 'success' }, value: -1 },
    { metric, labels: { result: 'success' }, value: null },
    { metric, labels: { mood: 'good' }, value: 1 },
    { metric, labels: { result: 7 }, value: 1 },
    { metric: 'sluice_moods_total', labels: {}, value: 1 },
    {
      metric: 'sluice_probe_seconds',
      labels: { pool: 'main', backend: 'a', of: 'nothing' },
      value: 1,
    },
    { metric: 'sluice_probe_seconds', labels: {}, value: 1 },
  ];
  hear('counters', ...badCounters, { metric, labels: { result: 'success' }, value: 2 });
  t.equal(next.handed.takeTrouble(), `${bad.length} of traffic, ${badCounters.length} of counters`);
  const page = new Exposition(await next.metrics.text());
  t.equal(present(page.select(metric, { result: 'success' })[0], 'reloads').value, 2);
  t.equal(page.sum('sluice_probe_seconds_count'), 0);
});
