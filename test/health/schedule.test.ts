import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import {
  FIRST_SPREAD_MS,
  firstDelayMs,
  intervalMs,
  nextDelayMs,
} from '../../src/health/schedule.js';
import { DOWN, type TrackState, UNPROVEN, UP } from '../../src/health/tracker.js';
import { seed } from '../support/seed.js';

const INTERVALS = { intervalMs: 2_000, fastIntervalMs: 500, downIntervalMs: 5_000, jitter: 0 };
t.comment(`SEED=${seed}`);

t.test('the interval follows the state', async (t) => {
  const table: readonly [TrackState, number][] = [
    [UNPROVEN, 500],
    [{ kind: 'unproven', failures: 2 }, 500],
    [UP, 2_000],
    [{ kind: 'falling', failures: 1 }, 500],
    [DOWN, 5_000],
    [{ kind: 'rising', successes: 1 }, 500],
  ];
  for (const [state, expected] of table) {
    t.equal(intervalMs(state, INTERVALS), expected, JSON.stringify(state));
  }
});

t.test('intervals count from start to start and are never negative', async (t) => {
  const random = seededRandom(seed);
  t.equal(nextDelayMs(UP, UP, INTERVALS, 0, random), 2_000);
  t.equal(nextDelayMs(UP, UP, INTERVALS, 300, random), 1_700);
  t.equal(nextDelayMs(UP, UP, INTERVALS, 2_500, random), 0);
});

t.test('jitter moves an interval either way by at most its share', async (t) => {
  const random = seededRandom(seed);
  const intervals = { ...INTERVALS, jitter: 0.1 };
  const delays = Array.from({ length: 2_000 }, () => nextDelayMs(UP, UP, intervals, 0, random));
  t.ok(delays.every((delay) => delay >= 1_800 && delay <= 2_200));
  t.ok(Math.min(...delays) < 1_850 && Math.max(...delays) > 2_150, 'and uses that room');
});

t.test('first attempts start within a short span, but not in one instant', async (t) => {
  const random = seededRandom(seed);
  const delays = Array.from({ length: 1_000 }, () => firstDelayMs(random));
  t.ok(delays.every((delay) => delay >= 0 && delay < FIRST_SPREAD_MS));
  t.ok(Math.min(...delays) < 5 && Math.max(...delays) > FIRST_SPREAD_MS - 5);
});

t.test('after the first verdict each target gets a phase of its own', async (t) => {
  const random = seededRandom(seed);
  for (const [after, wholeMs] of [
    [UP, 2_000],
    [DOWN, 5_000],
  ] as const) {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const delay = nextDelayMs(UNPROVEN, after, INTERVALS, 0, random);
      const tenth = Math.floor((delay / wholeMs) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // 1000 expected in each tenth, standard deviation 30.
    t.ok(
      tenths.every((count) => Math.abs(count - 1_000) < 180),
      `spread over the whole interval: ${tenths}`,
    );
  }
});
