import t from 'tap';
import {
  parseCores,
  parseTicks,
  processTree,
  readUsage,
  residentBytes,
  spentBetween,
  threadSeconds,
} from '../../benchmarks/load/watch.js';

t.test('a process whose name holds anything is read', async (t) => {
  const stat = '4 (a) b (c) S 1 4 4 0 -1 4194560 900 0 1 0 123 45 0 0 20 0 1 0 6 1 2 3';
  t.same(parseTicks(stat), { user: 123, system: 45 });
});

t.test('cores are read without the sum of all', async (t) => {
  const stat = 'cpu  9 9 9 9\ncpu0 10 2 3 100 5 0 7 1 4 0\ncpu1 0 0 0 50 0 0 0 0 0 0\nintr 1\n';
  t.same(parseCores(stat), [
    { idle: 105, stolen: 1, total: 128 },
    { idle: 50, stolen: 0, total: 50 },
  ]);
});

t.test('what was spent is the difference', async (t) => {
  const core = (idle: number, total: number) => ({ idle, stolen: 0, total });
  const before = {
    atMs: 1000,
    cpuSeconds: 2,
    userTicks: 10,
    systemTicks: 10,
    cores: [core(100, 200)],
  };
  const after = {
    atMs: 3000,
    cpuSeconds: 3.5,
    userTicks: 40,
    systemTicks: 130,
    cores: [core(150, 400)],
  };
  t.same(spentBetween(before, after), {
    seconds: 2,
    cpuSeconds: 1.5,
    userShare: 0.2,
    busy: [0.75],
    stolen: [0],
  });
});

t.test('this very process is seen at work', { skip: process.platform !== 'linux' }, async (t) => {
  const pids = processTree(process.pid);
  t.equal(pids[0], process.pid);
  const before = readUsage([process.pid]);
  const endMs = performance.now() + 50;
  while (performance.now() < endMs);
  const spent = spentBetween(before, readUsage([process.pid]));
  t.ok(spent.cpuSeconds > 0);
  t.ok(spent.seconds >= 0.05);
  t.ok(residentBytes([process.pid]) > 1e6);
  t.ok((threadSeconds([process.pid]).get(String(process.pid)) ?? 0) >= 0.04, 'its main thread');
});
