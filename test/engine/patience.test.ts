import t from 'tap';
import { Patience } from '../../src/engine/patience.js';
import { LINGER_MS, STANDSTILL_MS } from '../../src/session/tcp_port.js';

const MIB = 1_048_576;
const STEP_MS = 100;

/** After how many milliseconds patience is over with a target that has `takenBytes(ms)` then. */
function endMs(leftBytes: number, takenBytes: (ms: number) => number, stoodMs = 0): number {
  const patience = new Patience(7_000, stoodMs);
  for (let ms = 0; ; ms += STEP_MS) {
    if (patience.isOver(7_000 + ms, Math.max(0, leftBytes - takenBytes(ms)))) return ms;
  }
}

t.test('a target that takes nothing has STANDSTILL_MS', async (t) => {
  t.equal(
    endMs(MIB, () => 0),
    STANDSTILL_MS,
  );
  t.equal(
    endMs(MIB, (ms) => Math.min(ms, 300) * 1_000),
    300 + STANDSTILL_MS,
    'from the last byte',
  );
});

t.test('what a target has stood still before its source went counts', async (t) => {
  const nothing = (): number => 0;
  t.equal(endMs(MIB, nothing, STANDSTILL_MS), 0, 'nothing waits');
  t.equal(endMs(MIB, nothing, 3_600_000), 0, 'after an hour either');
  t.equal(endMs(MIB, nothing, 400), STANDSTILL_MS - 400);
  const late = endMs(MIB, (ms) => (ms < 500 ? 0 : MIB / 4), 400);
  t.equal(late, 500 + STANDSTILL_MS, 'it took something again');
  const once = endMs(MIB, (ms) => (ms < 300 ? 0 : MIB / 6), 600);
  t.ok(once <= 300 + STANDSTILL_MS, 'what a kernel takes once gives no more than that');
});

t.test('a target that is fast enough has until it has got everything', async (t) => {
  const rate = (2 * MIB) / LINGER_MS;
  t.ok(endMs(MIB, (ms) => ms * rate) > LINGER_MS / 2);
});

t.test('a target that could not end within LINGER_MS has STANDSTILL_MS', async (t) => {
  t.equal(
    endMs(MIB, (ms) => ms),
    STANDSTILL_MS,
    'a trickle',
  );
  const catchesUp = endMs(MIB, (ms) => (ms <= STANDSTILL_MS ? 0.12 : 0.3) * (ms / 1_000) * MIB);
  t.ok(catchesUp > 3_000, 'a target that is slow at first may catch up');
});

t.test('none has more than LINGER_MS', async (t) => {
  for (let share = 0; share < 1; share += 0.05) {
    t.ok(endMs(MIB, (ms) => Math.min(share, ms / LINGER_MS) * MIB) <= LINGER_MS);
    t.ok(endMs(MIB, (ms) => (share * ms * MIB) / LINGER_MS) <= LINGER_MS);
  }
});
