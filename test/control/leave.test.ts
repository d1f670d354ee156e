import t from 'tap';
import { Leave } from '../../src/control/leave.js';
import { FakeTime } from '../support/fake_time.js';

function scene(delayMs: number) {
  const time = new FakeTime();
  const told: string[] = [];
  const leave = new Leave({
    timers: time,
    delayMs: () => delayMs,
    leaving: (signal, ms) => told.push(`leaving ${signal} ${ms}`),
    stop: (signal) => told.push(`stop ${signal}`),
  });
  return { time, told, leave };
}

t.test('without a delay the first signal stops, and each further one is passed on', async (t) => {
  const { told, leave } = scene(0);
  leave.signal('SIGTERM');
  leave.signal('SIGINT');
  t.same(told, ['stop SIGTERM', 'stop SIGINT']);
});

t.test('the stop begins when the delay is over', async (t) => {
  const { time, told, leave } = scene(500);
  leave.signal('SIGTERM');
  t.same(told, ['leaving SIGTERM 500']);
  await time.pass(499);
  t.equal(told.length, 1);
  await time.pass(1);
  t.same(told, ['leaving SIGTERM 500', 'stop SIGTERM']);
  leave.signal('SIGINT');
  t.equal(told[2], 'stop SIGINT');
});

t.test('a second signal ends the delay, once', async (t) => {
  const { time, told, leave } = scene(500);
  leave.signal('SIGTERM');
  leave.signal('SIGINT');
  t.same(told, ['leaving SIGTERM 500', 'stop SIGINT']);
  await time.pass(1000);
  t.equal(told.length, 2);
});
