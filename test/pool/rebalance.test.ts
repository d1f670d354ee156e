import t from 'tap';
import type { BackendId } from '../../src/core/brand.js';
import { type Load, Rebalance } from '../../src/pool/rebalance.js';

const MINUTE_MS = 60_000;

/** Loads that follow the moves: what is moved goes where there is least. */
class Pool {
  readonly plan = new Rebalance();
  readonly active: number[];
  readonly weights: readonly number[];
  readonly caps: readonly number[];
  moved = 0;
  nowMs = 0;

  constructor(active: number[], weights = active.map(() => 1), caps = active.map(() => Infinity)) {
    this.active = active;
    this.weights = weights;
    this.caps = caps;
  }

  get loads(): Load[] {
    return this.active.map((active, index) => ({
      backend: index as BackendId,
      active,
      weight: this.weights[index] ?? 1,
      room: (this.caps[index] ?? Infinity) - active,
    }));
  }

  /** Looks once per second; answers how many were moved in each. */
  pass(ms: number, percent: number, clients: 'follow' | 'return' = 'follow'): number[] {
    const counts: number[] = [];
    for (let passed = 0; passed < ms; passed += 1000) {
      this.nowMs += 1000;
      let count = 0;
      for (const move of this.plan.look(this.nowMs, percent, this.loads)) {
        count += move.count;
        if (clients === 'return') continue;
        this.active[move.backend] = (this.active[move.backend] ?? 0) - move.count;
        for (let one = 0; one < move.count; one++) this.#come();
      }
      this.moved += count;
      counts.push(count);
    }
    return counts;
  }

  #come(): void {
    const load = (index: number): number =>
      (this.active[index] ?? 0) < (this.caps[index] ?? Infinity)
        ? ((this.active[index] ?? 0) + 1) / (this.weights[index] ?? 1)
        : Infinity;
    const least = this.active.map((_, index) => index).sort((a, b) => load(a) - load(b))[0] ?? 0;
    this.active[least] = (this.active[least] ?? 0) + 1;
  }
}

t.test('nothing moves before a backend came back, nor before its time', async (t) => {
  const pool = new Pool([100, 0]);
  t.equal(
    pool.pass(MINUTE_MS, 100).some((count) => count > 0),
    false,
  );
  pool.plan.returned(pool.nowMs + 10_000);
  t.same(pool.pass(10_000, 100), Array(10).fill(0));
  t.ok(pool.pass(2000, 100).some((count) => count > 0));
});

t.test('the share of a minute is never passed, and spread over it', async (t) => {
  const pool = new Pool([300, 300, 0]);
  pool.plan.returned(0);
  for (let minute = 0; minute < 3; minute++) {
    const counts = pool.pass(MINUTE_MS, 10);
    t.ok(counts.reduce((a, b) => a + b, 0) <= 60);
    t.ok(Math.max(...counts) <= 2, `${counts}`);
  }
  t.ok(pool.moved >= 170, `${pool.moved}`);
});

t.test('it ends when the load is level by weight', async (t) => {
  const pool = new Pool([300, 100, 0], [2, 1, 1]);
  pool.plan.returned(0);
  pool.pass(10 * MINUTE_MS, 50);
  t.ok(pool.plan.isLevel);
  const [a = 0, b = 0, c = 0] = pool.active;
  // Within 5 % of its part and one session all are level.
  t.ok(a <= 211 && a >= 189 && b >= 89 && c >= 89, `${pool.active}`);
});

t.test('a level pool is left alone', async (t) => {
  const pool = new Pool([100, 98, 101]);
  pool.plan.returned(0);
  pool.pass(MINUTE_MS, 100);
  t.equal(pool.moved, 0);
  t.ok(pool.plan.isLevel);
});

t.test('clients that return to where they were are not sent away for ever', async (t) => {
  const pool = new Pool([100, 0]);
  pool.plan.returned(0);
  pool.pass(30 * MINUTE_MS, 100, 'return');
  t.equal(pool.moved, 50);
  t.ok(pool.plan.isLevel);
});

t.test('no more is moved than others have room for', async (t) => {
  const pool = new Pool([100, 0], [1, 1], [Infinity, 10]);
  pool.plan.returned(0);
  pool.pass(10 * MINUTE_MS, 100);
  t.same(pool.active, [90, 10]);
});

t.test('a backend alone, and a pool without sessions, have nothing to move', async (t) => {
  for (const active of [[50], [0, 0], []]) {
    const pool = new Pool(active);
    pool.plan.returned(0);
    pool.pass(MINUTE_MS, 100);
    t.equal(pool.moved, 0);
    t.ok(pool.plan.isLevel);
  }
});

t.test('a small pool moves, too, however small its share', async (t) => {
  const pool = new Pool([6, 0]);
  pool.plan.returned(0);
  pool.pass(60 * MINUTE_MS, 5);
  t.ok(pool.moved >= 2, `${pool.active}`);
});
