import t from 'tap';
import { Spin } from '../../../src/engine/uring/spin.js';

const SHORT_MS = 0.02;
const LONG_MS = 0.05;

function after(waits: readonly number[]): Spin {
  const spin = new Spin();
  for (const waitedMs of waits) spin.slept(waitedMs);
  return spin;
}

const times = (count: number, waitedMs: number): number[] => Array(count).fill(waitedMs);

t.test('spinning begins after a run of short waits, which one long wait breaks', async (t) => {
  t.equal(after(times(31, SHORT_MS)).pays, false);
  t.equal(after(times(32, SHORT_MS)).pays, true);
  t.equal(after([...times(31, SHORT_MS), LONG_MS, ...times(31, SHORT_MS)]).pays, false);
});

t.test('it goes on while four of five spins find something', async (t) => {
  const spin = after(times(32, SHORT_MS));
  for (let round = 0; round < 100; round++) {
    for (let hit = 0; hit < 4; hit++) spin.spun('hit');
    spin.spun('miss');
  }
  t.equal(spin.pays, true);
});

t.test('it ends soon when fewer do, and must be earned again', async (t) => {
  const spin = after(times(32, SHORT_MS));
  for (let round = 0; round < 20; round++) {
    spin.spun('hit');
    spin.spun('miss');
  }
  t.equal(spin.pays, false);
  spin.slept(SHORT_MS);
  t.equal(spin.pays, false);
});

t.test('without a single hit it ends after four spins', async (t) => {
  const spin = after(times(32, SHORT_MS));
  for (let miss = 0; miss < 3; miss++) spin.spun('miss');
  t.equal(spin.pays, true);
  spin.spun('miss');
  t.equal(spin.pays, false);
});
