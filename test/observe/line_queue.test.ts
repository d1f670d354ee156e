/** Lines on their way to readers of every kind: whole, in order, bounded, and counted when lost. */
import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { LineQueue, MAX_HELD_BYTES, type Write } from '../../src/observe/line_queue.js';
import { FakeTime } from '../support/fake_time.js';
import { seed } from '../support/seed.js';

const READERS = ['quick', 'slow', 'stuck', 'full'] as const;

t.test(`each line is written whole and in order, or counted (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 30; round++) {
    const time = new FakeTime();
    let reader: (typeof READERS)[number] = 'quick';
    let text = '';
    let told = 0;
    const write: Write = (bytes) => {
      if (reader === 'stuck') return { kind: 'busy' };
      if (reader === 'full') return { kind: 'failed', errno: 'ENOSPC' };
      const most = reader === 'slow' ? 1 + Math.floor(random.next() * 5000) : bytes.length;
      const taken = Math.min(most, bytes.length);
      text += Buffer.from(bytes.subarray(0, taken)).toString('latin1');
      return { kind: 'written', bytes: taken };
    };
    const recovered = (lines: number): void => {
      told += lines;
    };
    const queue = new LineQueue({ write, timers: time, recovered });
    let lost = 0;
    const kept: string[] = [];
    for (let step = 0; step < 60; step++) {
      reader = READERS[Math.floor(random.next() * READERS.length)] ?? 'slow';
      for (let i = Math.floor(random.next() * 40); i > 0; i--) {
        const line = `${step}.${i} ${'x'.repeat(Math.floor(random.next() * 20_000))}\n`;
        if (queue.push(line)) kept.push(line);
        else lost++;
      }
      await time.pass(random.next() * 300);
    }
    reader = 'quick';
    await time.pass(2_000);
    t.ok(text === kept.join(''), `round ${round}: ${kept.length} lines, ${lost} lost`);
    t.equal(told, lost, 'the number of lost lines is reported');
  }
});

t.test('it holds up to its limit, and asks a full disk once per second', async (t) => {
  const time = new FakeTime();
  let asked = 0;
  const write: Write = () => {
    asked++;
    return { kind: 'failed', errno: 'ENOSPC' };
  };
  const queue = new LineQueue({ write, timers: time, recovered: () => {} });
  const line = `${'x'.repeat(1023)}\n`;
  let held = 0;
  while (queue.push(line)) held += line.length;
  t.equal(held, MAX_HELD_BYTES);
  await time.pass(10_500);
  t.equal(asked, 11);
});

t.test('a flush ends when all is written, when nothing can be, and at its limit', async (t) => {
  for (const [outcome, longestMs] of [
    [{ kind: 'written', bytes: 5 }, 0],
    [{ kind: 'failed', errno: 'EPIPE' }, 0],
    [{ kind: 'busy' }, 500],
  ] as const) {
    const time = new FakeTime();
    const queue = new LineQueue({ write: () => outcome, timers: time, recovered: () => {} });
    queue.push('line\n');
    let ended = false;
    void queue.flush(500).then(() => {
      ended = true;
    });
    await time.pass(longestMs - 10);
    t.equal(ended, longestMs === 0, outcome.kind);
    await time.pass(20);
    t.ok(ended, outcome.kind);
  }
});
