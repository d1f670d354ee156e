/** The node engine's loop: when it ticks, and that it holds its thread. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { WorkerId } from '../../../src/core/brand.js';
import { createDoorbellMemory, Doorbell } from '../../../src/core/doorbell.js';
import { MAX_TICK_GAP_MS } from '../../../src/engine/engine.js';
import { Loop } from '../../../src/engine/node/loop.js';
import { systemClock } from '../../../src/system/clock.js';
import { systemTimers } from '../../../src/system/timers.js';
import { within } from '../../support/deadline.js';
import { FakeTime } from '../../support/fake_time.js';

const WORKER = 0 as WorkerId;
const systemTime = { clock: systemClock, timers: systemTimers };

/** A loop over fake time whose next deadline is `due`; `ticks` are the times at which it ticked. */
function started(): { loop: Loop; time: FakeTime; ticks: number[]; due: { atMs: number } } {
  const time = new FakeTime();
  const doorbell = new Doorbell(createDoorbellMemory(), () => {});
  const loop = new Loop({
    clock: time,
    timers: time,
    doorbell,
    worker: WORKER,
    isIdle: () => false,
  });
  const ticks: number[] = [];
  const due = { atMs: Number.POSITIVE_INFINITY };
  loop.start({
    tick: (nowMs) => {
      ticks.push(nowMs);
      if (nowMs >= due.atMs) due.atMs = Number.POSITIVE_INFINITY;
      return due.atMs;
    },
    rung: () => {},
  });
  return { loop, time, ticks, due };
}

t.test('edges of one turn share a tick', async (t) => {
  const { loop, time, ticks } = started();
  await time.pass(0);
  ticks.length = 0;
  for (let edge = 0; edge < 5; edge++) loop.touch();
  await time.pass(0);
  t.same(ticks, [0]);
  loop.stop();
});

t.test('a deadline ticks at its time; without one there is a tick per second', async (t) => {
  const { loop, time, ticks, due } = started();
  due.atMs = 300;
  await time.pass(0);
  ticks.length = 0;
  due.atMs = Number.POSITIVE_INFINITY;
  await time.pass(300);
  for (let second = 0; second < 2; second++) await time.pass(MAX_TICK_GAP_MS);
  t.same(ticks, [300, 300 + MAX_TICK_GAP_MS, 300 + 2 * MAX_TICK_GAP_MS]);
  t.equal(time.pending, 1);
  loop.stop();
});

t.test('deadlines that move to later leave the timer alone, and cost one idle tick', async (t) => {
  const { loop, time, ticks, due } = started();
  due.atMs = 100;
  await time.pass(0);
  for (due.atMs = 200; due.atMs < 1_000; due.atMs += 100) {
    loop.touch();
    await time.pass(0);
    t.equal(time.pending, 1);
  }
  ticks.length = 0;
  await time.pass(1_000);
  t.same(ticks.slice(0, 2), [100, 1_000]);
  loop.stop();
});

t.test('a deadline that moves to earlier is kept', async (t) => {
  const { loop, time, ticks, due } = started();
  due.atMs = 1_000;
  await time.pass(0);
  due.atMs = 50;
  loop.touch();
  await time.pass(0);
  ticks.length = 0;
  due.atMs = Number.POSITIVE_INFINITY;
  await time.pass(60);
  t.same(ticks, [50]);
  t.equal(time.pending, 1);
  loop.stop();
});

t.test('with no session it rests after some idle ticks, and lives before it works', async (t) => {
  const time = new FakeTime();
  const memory = createDoorbellMemory();
  const doorbell = new Doorbell(memory, () => {});
  let isIdle = true;
  const loop = new Loop({
    clock: time,
    timers: time,
    doorbell,
    worker: WORKER,
    isIdle: () => isIdle,
  });
  const calls: unknown[] = [];
  loop.start({
    tick: (nowMs) => {
      calls.push(nowMs);
      return Number.POSITIVE_INFINITY;
    },
    rests: (untilMs) => calls.push(['rests', untilMs]),
    rung: () => calls.push('rung'),
  });
  await time.pass(0);
  for (let second = 0; second < 9; second++) await time.pass(MAX_TICK_GAP_MS);
  t.same(calls.splice(0), [0, 1_000, 2_000, 3_000, ['rests', 9_900]]);
  await time.pass(900);
  t.same(calls.splice(0), [['rests', 9_900], 9_900, ['rests', 19_900]]);
  await time.pass(100);
  isIdle = false;
  doorbell.ring(WORKER);
  await new Promise((resolve) => setImmediate(resolve));
  await time.pass(0);
  for (let second = 0; second < 2; second++) await time.pass(MAX_TICK_GAP_MS);
  t.same(calls, [['rests', 10_000], 'rung', 10_000, 11_000, 12_000], 'beside a session it is up');
  loop.stop();
});

t.test('what has happened comes before what is due', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const doorbell = new Doorbell(createDoorbellMemory(), () => {});
  const loop = new Loop({ ...systemTime, doorbell, worker: WORKER, isIdle: () => false });
  const order: string[] = [];
  let dueMs = Number.POSITIVE_INFINITY;
  const ticked = new Promise<void>((resolve) => {
    loop.start({
      tick: (nowMs) => {
        if (nowMs < dueMs) return dueMs;
        order.push('due');
        resolve();
        return Number.POSITIVE_INFINITY;
      },
      rung: () => {},
    });
  });
  // An edge of the first one wants a tick while those of the others are still to come.
  const sockets = Array.from({ length: 5 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('connect', () => {
      order.push('connected');
      loop.touch();
    });
  }
  dueMs = systemClock.nowMs() + 20;
  loop.touch();
  await Promise.resolve();
  // Before any event of the sockets is handled, the thread does not run until long after.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  await within('the tick', ticked);
  t.same(order, [...Array(5).fill('connected'), 'due']);
  for (const socket of sockets) socket.destroy();
  loop.stop();
  server.close();
});

t.test('after stop nothing ticks and no timer is left', async (t) => {
  const { loop, time, ticks, due } = started();
  due.atMs = 50;
  await time.pass(0);
  loop.touch();
  loop.stop();
  ticks.length = 0;
  await time.pass(100);
  t.same(ticks, []);
  t.equal(time.pending, 0);
});

t.test('a thread lives while its loop runs, and ends when it stops', async (t) => {
  const program = new URL('./loop_thread.js', import.meta.url);
  const memory = createDoorbellMemory();
  const worker = new Worker(program, { workerData: memory });
  const exited = once(worker, 'exit');
  const bell = new Doorbell(memory, () => {});
  t.same(await within('the thread', once(worker, 'message')), [0]);
  for (let ring = 1; ring <= 3; ring++) {
    const heard = once(worker, 'message');
    bell.ring(WORKER);
    t.same(await within('the ring', heard), [ring]);
  }
  bell.ring(WORKER);
  t.same(await within('the end of the thread', exited), [0]);
});
