import t, { type Test } from 'tap';
import { Backend } from '../../benchmarks/load/backend.js';
import { Clients } from '../../benchmarks/load/clients.js';
import { LoadLoop } from '../../benchmarks/load/loop.js';
import { measure } from '../../benchmarks/load/measure.js';
import type { Measured, Task, Work } from '../../benchmarks/load/protocol.js';
import { checkEngines } from '../../src/engine/checks.js';
import { freePort } from '../support/places.js';
import { startChild } from '../support/process.js';
import { available } from '../support/require_server.js';

const MEASURE_MS = 60;

t.test('the load generator against its own backends', async (t) => {
  const ring = checkEngines().some(({ engine, state }) => engine === 'uring' && state === 'usable');
  if (!available(t, [['io_uring is not allowed here', ring]])) return;
  const loop = new LoadLoop();
  const backend = new Backend(loop, 2, await freePort());
  const load = { loop, backend, clients: new Clients(loop) };
  const span = { warmMs: 10, measureMs: MEASURE_MS, pids: [process.pid] };
  const run = (work: Work, over: Partial<Task> = {}): Measured => {
    const target = { protocol: 'tcp', ports: backend.tcpPorts } as const;
    return measure(load, { target, work, ...span, ...over });
  };
  const emptyAfterwards = (t: Test): void => {
    t.equal(backend.open, 0, 'no session is left');
  };

  for (const bytes of [64, 16_384]) {
    t.test(`exchanges of ${bytes} bytes come back and are timed`, async (t) => {
      const measured = run({ kind: 'exchanges', connections: 4, bytes, waiting: 'blocks' });
      t.ok(measured.count > 4);
      t.equal(measured.failures, 0);
      t.ok(measured.seconds >= MEASURE_MS / 1000);
      t.ok((measured.latencyNs?.p50 ?? 0) > 0);
      t.ok((measured.proxyCpuSeconds ?? 0) > 0);
      emptyAfterwards(t);
    });
  }

  t.test('short connections come and go', async (t) => {
    const measured = run({ kind: 'short', connections: 4, bytes: 64 });
    t.ok(measured.count > 4);
    t.equal(measured.failures, 0);
    emptyAfterwards(t);
  });

  t.test('short connections may come from many addresses, and go to any', async (t) => {
    const target = { protocol: 'tcp', ports: [backend.anywherePort] } as const;
    const measured = run({ kind: 'short', connections: 4, bytes: 64, sources: 300 }, { target });
    t.ok(measured.count > 4);
    t.equal(measured.failures, 0);
    emptyAfterwards(t);
  });

  t.test('short connections may say a TLS hello of a given size', async (t) => {
    const serverName = 'bench.example';
    const measured = run({ kind: 'short', connections: 4, bytes: 517, serverName });
    t.ok(measured.count > 4);
    t.equal(measured.failures, 0);
    emptyAfterwards(t);
  });

  t.test('refusals are counted, whether they come as an end or as a reset', async (t) => {
    for (const act of ['end()', 'resetAndDestroy()']) {
      const code = `const net = require('node:net');
        const s = net.createServer((c) => c.on('error', () => {}).${act});
        s.listen(0, '127.0.0.1', () => console.log(s.address().port));`;
      const server = startChild(t, process.execPath, ['-e', code]);
      const port = Number(await server.stdout.first('its port', () => true));
      const target = { protocol: 'tcp', ports: [port] } as const;
      const work = { kind: 'refused', connections: 4 } as const;
      const measured = run(work, { target, measureMs: 300 });
      t.ok(measured.count > 4, act);
      t.equal(measured.failures, 0, act);
    }
    const work = { kind: 'refused', connections: 1 } as const;
    t.throws(() => run(work), /nothing came back/, 'no server refuses here');
    emptyAfterwards(t);
  });

  t.test('an offered load is what was asked for', async (t) => {
    const work = { kind: 'offered', connections: 4, bytes: 64, perSecond: 1000, seed: 1 } as const;
    const { count, seconds } = run(work, { measureMs: 300 });
    // Poisson: a standard deviation of 17 in 300.
    t.ok(Math.abs(count - 1000 * seconds) < 150, `${count} in ${seconds} s`);
    emptyAfterwards(t);
  });

  for (const direction of ['up', 'down', 'both'] as const) {
    t.test(`bulk transfer flows ${direction}`, async (t) => {
      t.ok(run({ kind: 'bulk', connections: 2, direction }).count > 1e6);
      emptyAfterwards(t);
    });
  }

  t.test('held sessions are counted and rest', async (t) => {
    const measured = run({ kind: 'held', few: 10, sessions: 100, settleMs: 0 });
    t.equal(measured.count, 0, 'nothing is sent any more');
    t.ok((measured.memory?.allBytes ?? 0) >= 1e6);
    emptyAfterwards(t);
  });

  t.test('datagrams come back', async (t) => {
    const work = { kind: 'exchanges', connections: 4, bytes: 64, waiting: 'blocks' } as const;
    const target = { protocol: 'udp', ports: [backend.udpPort] } as const;
    t.ok(run(work, { target }).count > 4);
    t.equal(run(work, { target, pids: [] }).proxyCpuSeconds, null, 'there is no proxy');
  });

  t.test('a target that refuses is reported as a sentence', async (t) => {
    const target = { protocol: 'tcp', ports: [1] } as const;
    const work = { kind: 'exchanges', connections: 1, bytes: 64, waiting: 'blocks' } as const;
    t.throws(() => run(work, { target }), /connect of a lasting connection: -\d+/);
    emptyAfterwards(t);
  });
});
