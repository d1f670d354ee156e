/** The wheel against a naive model: a map from id to time, searched from end to end. */
import t from 'tap';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { DeadlineWheel } from '../../src/session/deadline_wheel.js';
import { seed } from '../support/seed.js';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

function expired(wheel: DeadlineWheel, nowMs: number): number[] {
  const ids: number[] = [];
  wheel.advance(nowMs, (id) => ids.push(id));
  return ids;
}

t.test('a deadline comes once, not before its time and within the resolution', (t) => {
  const wheel = new DeadlineWheel(4, 1000);
  wheel.set(3, 1500);
  t.same(expired(wheel, 1499), []);
  t.same(expired(wheel, 1510), [3]);
  t.same(expired(wheel, 9999), []);
  t.end();
});

t.test('setting again moves a deadline, Infinity and clear take it away', (t) => {
  const wheel = new DeadlineWheel(4, 0);
  for (const id of [0, 1, 2, 3]) wheel.set(id, 100);
  wheel.set(0, 50);
  wheel.set(1, 300);
  wheel.set(2, Number.POSITIVE_INFINITY);
  wheel.clear(3);
  t.same(expired(wheel, 60), [0]);
  t.same(expired(wheel, 200), []);
  t.same(expired(wheel, 300), [1]);
  t.equal(wheel.nextMs(), Number.POSITIVE_INFINITY);
  t.end();
});

t.test('a deadline in the past is due with the next tick', (t) => {
  const wheel = new DeadlineWheel(1, 1000);
  wheel.set(0, 3);
  t.ok(wheel.nextMs() <= 1010);
  t.same(expired(wheel, 1010), [0]);
  t.end();
});

t.test('a jump of years costs no more than what is due', (t) => {
  const wheel = new DeadlineWheel(2, 0, 1);
  wheel.set(0, 5 * WEEK_MS);
  wheel.set(1, 5000 * WEEK_MS);
  t.same(expired(wheel, 4000 * WEEK_MS), [0]);
  t.same(expired(wheel, 5000 * WEEK_MS), [1]);
  t.end();
});

t.test('of many that are due at once some come in each call, and every one once', (t) => {
  const wheel = new DeadlineWheel(200, 0);
  // One slot, its neighbour in the next block, and what is due later.
  for (let id = 0; id < 100; id++) wheel.set(id, 630);
  for (let id = 100; id < 150; id++) wheel.set(id, 640);
  for (let id = 150; id < 200; id++) wheel.set(id, 100_000);
  const calls: number[][] = [];
  do {
    const ids: number[] = [];
    wheel.advance(1000, (id) => ids.push(id), 30);
    calls.push(ids);
    // What is set meanwhile is due with the next tick, behind all that was due before.
    if (calls.length === 1) wheel.set(ids[0] ?? 0, 5);
  } while (wheel.nextMs() <= 1000);
  t.same(
    calls.map(({ length }) => length),
    [30, 30, 30, 30, 30],
  );
  t.equal(new Set(calls.flat()).size, 150);
  t.ok(
    calls.slice(0, 3).every((ids) => ids.every((id) => id < 100)),
    'in order of ticks',
  );
  t.same(expired(wheel, 1010), [calls[0]?.[0] ?? 0]);
  t.equal(expired(wheel, 100_000).length, 50);
  t.end();
});

t.test('an id that is set for now inside expire waits for the next call', (t) => {
  const wheel = new DeadlineWheel(1, 0);
  let calls = 0;
  const again = (id: number): void => {
    calls++;
    wheel.set(id, 0);
  };
  wheel.set(0, 10);
  wheel.advance(HOUR_MS, again);
  t.equal(calls, 1);
  wheel.advance(HOUR_MS + 10, again);
  t.equal(calls, 2);
  t.end();
});

t.test('expire may clear an id that is due at the same tick', (t) => {
  const wheel = new DeadlineWheel(3, 0);
  for (const id of [0, 1, 2]) wheel.set(id, 10);
  const ids: number[] = [];
  wheel.advance(10, (id) => {
    ids.push(id);
    for (const other of [0, 1, 2]) wheel.clear(other);
  });
  t.equal(ids.length, 1);
  t.equal(wheel.nextMs(), Number.POSITIVE_INFINITY);
  t.end();
});

t.test('advancing to nextMs again and again reaches every deadline', (t) => {
  const wheel = new DeadlineWheel(1, 0.5);
  wheel.set(0, 3 * WEEK_MS + 0.25);
  let calls = 0;
  let due = 0;
  while (due === 0 && calls < 100) {
    calls++;
    const nextMs = wheel.nextMs();
    wheel.advance(nextMs, () => {
      due = nextMs;
    });
  }
  t.ok(due >= 3 * WEEK_MS + 0.25 && due < 3 * WEEK_MS + 11, `due at ${due}`);
  t.ok(calls <= 8, `${calls} calls`);
  t.end();
});

t.test(`the wheel agrees with a naive model (SEED=${seed})`, (t) => {
  for (let round = 0; round < 60; round++) {
    const problem = play(seededRandom(seed + round));
    if (problem !== null) t.fail(`round ${round}: ${problem}`);
  }
  t.pass('60 rounds');
  t.end();
});

/** One random life of a wheel; a sentence on the first difference to the model, or null. */
function play(random: Random): string | null {
  const capacity = 1 + below(random, 60);
  const resolutionMs = [1, 7, 10, 100][below(random, 4)] ?? 1;
  const horizonMs = [50, 5000, HOUR_MS, WEEK_MS, 20 * WEEK_MS][below(random, 5)] ?? 50;
  let nowMs = random.next() * WEEK_MS;
  const wheel = new DeadlineWheel(capacity, nowMs, resolutionMs);
  const model = new Map<number, number>();
  let problem: string | null = null;

  const change = (): void => {
    const id = below(random, capacity);
    const atMs = nowMs + (random.next() ** 3 - 0.02) * horizonMs;
    if (random.next() < 0.2) {
      wheel.clear(id);
      model.delete(id);
    } else {
      wheel.set(id, atMs);
      model.set(id, Math.max(atMs, nowMs));
    }
  };
  for (let step = 0; step < 400; step++) {
    for (let count = below(random, 4); count > 0; count--) change();
    const earliestMs = Math.min(...model.values());
    if (wheel.nextMs() > earliestMs + resolutionMs) problem ??= `next is late at step ${step}`;
    nowMs = random.next() < 0.3 ? Math.max(nowMs, wheel.nextMs()) : nowMs + stride();
    if (nowMs === Number.POSITIVE_INFINITY) return problem;
    const seen = new Set<number>();
    wheel.advance(nowMs, (id) => {
      const atMs = model.get(id);
      if (atMs === undefined) problem ??= `${id} expires though not set`;
      else if (atMs > nowMs + 1e-6) problem ??= `${id} expires ${atMs - nowMs} ms early`;
      if (seen.has(id)) problem ??= `${id} expires twice in one call`;
      seen.add(id);
      model.delete(id);
      if (random.next() < 0.3) change();
    });
    for (const [id, atMs] of model) {
      if (atMs + resolutionMs <= nowMs) problem ??= `${id} is ${nowMs - atMs} ms late`;
    }
  }
  return problem;

  function stride(): number {
    return random.next() ** 4 * horizonMs;
  }
}
