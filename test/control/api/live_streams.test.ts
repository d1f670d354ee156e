/** How open screens share looks: one screen a turn, and as seldom as the work asks for. */
import t, { type Test } from 'tap';
import type { Reader } from '../../../src/admin/stream.js';
import { LiveStreams } from '../../../src/control/api/live_streams.js';
import type { Window } from '../../../src/control/api/live_window.js';
import { LastHour } from '../../../src/control/last_hour.js';
import { Tallies } from '../../../src/control/tallies.js';
import { createSeriesMemory, SeriesReader } from '../../../src/core/series.js';
import { RecentEvents } from '../../../src/observe/recent_events.js';
import { HEALTH } from '../../admin/fake_views.js';
import { FakeTime } from '../../support/fake_time.js';

const GLANCE_MS = 3;
const SCREEN_MS = 4;
const WINDOWS: readonly Window[] = [{}, { sort: 'name' }, { filter: 'b7' }];

/** A daemon in which what is made for screens takes its time, and what was made in each turn. */
function bench(t: Test) {
  const time = new FakeTime();
  const work = { spentMs: 0, slower: 1 };
  const turns: string[] = [];
  const takes = (what: string, ms: number): void => {
    work.spentMs += work.slower * ms;
    turns[turns.length - 1] += ` ${what}`;
  };
  const clock = { nowMs: () => time.nowMs() + work.spentMs, wallMs: () => time.wallMs() };
  const series = new SeriesReader(createSeriesMemory(1));
  const tallies = new Tallies(series, time);
  const hour = { clock: time, timers: new FakeTime(), pools: () => [], handed: null };
  const lastHour = new LastHour({ ...hour, series, tallies });
  t.teardown(() => lastHour.end());
  const glance = () => {
    takes('glance', GLANCE_MS);
    return { ...HEALTH, check: { problems: [] }, pools: [] };
  };
  const timers: Pick<FakeTime, 'after'> = {
    after: (delayMs, callback) =>
      time.after(delayMs, () => {
        turns.push('');
        callback();
      }),
  };
  const recent = new RecentEvents();
  const streams = new LiveStreams(
    { views: { glance }, recent, lastHour, clock, timers },
    {
      commonOf: () => ({ common: 1 }),
      screenOf: (_, { sort = 'file' }) => {
        takes('screen', SCREEN_MS);
        return { sort };
      },
    },
  );
  /** Of a reader that takes all that it gets. */
  const looksOf = (window: Window) => {
    const looks: number[] = [];
    const reader: Reader = {
      isBehind: false,
      write: (piece) => {
        if (piece.includes('event: look')) looks.push(time.nowMs());
      },
    };
    turns.push('');
    const leave = streams.follow(window)(reader);
    return { looks, leave };
  };
  return { time, work, turns, looksOf };
}

t.test('each screen is made in a turn of its own, once for all its readers', async (t) => {
  const { time, turns, looksOf } = bench(t);
  const readers = [...WINDOWS, ...WINDOWS].map(looksOf);
  turns.splice(0);
  await time.pass(1_000);
  t.same(turns, [' glance', ' screen', ' screen', ' screen']);
  for (const { looks } of readers) t.same(looks, [0, 1_000]);
  for (const { leave } of readers) leave();
  turns.splice(0);
  await time.pass(60_000);
  t.same(turns, [], 'nobody looks any more');
});

t.test(
  'looks are as far apart as their work asks, and one that stood still counts for nothing',
  async (t) => {
    const { time, work, looksOf } = bench(t);
    const { looks } = looksOf({});
    const apartMs = 200 * (GLANCE_MS + SCREEN_MS);
    await time.pass(1_000 + 3 * apartMs);
    const usual = [0, 1_000, 1_000 + apartMs, 1_000 + 2 * apartMs, 1_000 + 3 * apartMs];
    t.same(looks, usual);
    work.slower = 5;
    await time.pass(3 * apartMs);
    t.same(looks.slice(usual.length), [
      1_000 + 4 * apartMs,
      1_000 + 5 * apartMs,
      1_000 + 6 * apartMs,
    ]);
    await time.pass(7_000);
    t.equal(looks.at(-1), 8_000 + 6 * apartMs, 'three in a row count');
  },
);
