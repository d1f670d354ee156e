/** A thread that rests says until when, and shows that it lives before it does anything. */
import t from 'tap';
import type { WorkerId } from '../../../src/core/brand.js';
import { MAX_TICK_GAP_MS } from '../../../src/engine/engine.js';
import { systemClock } from '../../../src/system/clock.js';
import { drivenUringEngine } from '../../support/uring_engine.js';

t.test('what ends a rest comes after a sign of life', async (t) => {
  const { engine, doorbell } = drivenUringEngine({ pairs: 4, flows: 4 });
  const calls: string[] = [];
  const startedMs = systemClock.nowMs();
  engine.start({
    tick: () => Number.POSITIVE_INFINITY,
    rung: () => calls.push('rung'),
    rests: (untilMs) => calls.push(untilMs > startedMs + MAX_TICK_GAP_MS ? 'rests' : 'lives'),
  });
  engine.turn(0);
  doorbell.ring(0 as WorkerId);
  engine.turn(10 * MAX_TICK_GAP_MS);
  t.same(calls, ['rests', 'lives', 'rung']);
  engine.turn(0);
  t.same(calls, ['rests', 'lives', 'rung'], 'a short wait is not announced');
  engine.stop();
  while (engine.turn(0) === 'running');
});
