/** What the log says when nothing went on: for how long, and what the process did meanwhile. */
import t from 'tap';
import { tellingStandstills } from '../../src/control/standstills.js';
import type { Log } from '../../src/observe/log.js';

function bench() {
  const told: unknown[] = [];
  const now = { ms: 0, stillMs: 0, cpuMs: 5_000 };
  const log: Log = {
    event: (...words) => void told.push(words),
    access: () => {},
    configure: () => {},
    flush: async () => {},
  };
  const base = { nowMs: () => now.ms, stillMs: () => now.stillMs, wallMs: () => 0 };
  const clock = tellingStandstills(base, () => now.cpuMs, log);
  clock.nowMs();
  return { now, told, clock };
}

t.test('a process that was stopped computed nothing meanwhile', async (t) => {
  const { now, told, clock } = bench();
  now.ms += 200;
  now.cpuMs += 10;
  clock.nowMs();
  now.stillMs += 6_000;
  clock.nowMs();
  clock.nowMs();
  t.same(told, [['stood-still', { duration_ms: 6_000, cpu_ms: 10 }]]);
});

t.test('one that was busy by itself says so', async (t) => {
  const { now, told, clock } = bench();
  for (let turn = 0; turn < 100; turn++) {
    now.ms += 100;
    now.cpuMs += 100;
    clock.nowMs();
  }
  now.stillMs += 3_000;
  now.cpuMs += 2_990;
  clock.nowMs();
  t.match(told, [['stood-still', { duration_ms: 3_000 }]]);
  const [, fields] = told[0] as [string, { cpu_ms: number }];
  t.ok(fields.cpu_ms >= 2_990 && fields.cpu_ms <= 3_250, `${fields.cpu_ms} ms`);
});
