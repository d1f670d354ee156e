/** Engine contract: when the loop calls the session. */
import type { Test } from 'tap';
import { within } from '../../support/deadline.js';
import { type MakeEngine, settled, withEngine } from './bench.js';

/** Hooks that can be waited for, and whose deadline can be moved. */
class Hooks {
  dueMs = Number.POSITIVE_INFINITY;
  ticks = 0;
  rings = 0;
  lastTickMs = 0;
  #wake: () => void = () => {};

  tick(nowMs: number): number {
    this.ticks++;
    this.lastTickMs = nowMs;
    if (nowMs >= this.dueMs) this.dueMs = Number.POSITIVE_INFINITY;
    this.#wake();
    return this.dueMs;
  }

  rung(): void {
    this.rings++;
    this.#wake();
  }

  until(what: string, reached: () => boolean): Promise<void> {
    const came = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (reached()) resolve();
      };
    });
    this.#wake();
    return within(what, came);
  }
}

export function loopContract(t: Test, make: MakeEngine): void {
  const ticking = new Hooks();
  withEngine(
    t,
    make,
    'a tick follows each edge',
    async (bench, t) => {
      await settled(() => ticking.ticks);
      const before = ticking.ticks;
      await bench.connect();
      await bench.driver.next('accepted');
      await ticking.until('a tick', () => ticking.ticks > before);
      t.ok(ticking.ticks > before);
    },
    { hooks: ticking },
  );

  const due = new Hooks();
  withEngine(
    t,
    make,
    'a deadline that was set at an edge is called at its time',
    async (bench, t) => {
      const { clock } = bench.under.engine;
      const dueMs = clock.nowMs() + 50;
      bench.driver.answers = {
        accepted: () => {
          due.dueMs = dueMs;
        },
      };
      await bench.connect();
      await bench.driver.next('accepted');
      await settled(() => due.ticks);
      await bench.under.pass(50);
      await due.until('the deadline', () => due.lastTickMs >= dueMs);
      t.ok(due.dueMs > dueMs);
    },
    { hooks: due },
  );

  const rung = new Hooks();
  withEngine(
    t,
    make,
    'the doorbell wakes the loop, and a tick follows',
    async (bench, t) => {
      for (let ring = 1; ring <= 3; ring++) {
        const before = rung.ticks;
        bench.under.ring();
        await rung.until('a ring', () => rung.rings >= ring);
        await rung.until('a tick', () => rung.ticks > before);
      }
      t.equal(rung.rings, 3);
    },
    { hooks: rung },
  );
}
