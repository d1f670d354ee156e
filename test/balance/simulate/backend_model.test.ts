import t from 'tap';
import { BackendModel } from '../../../src/balance/simulate/backend_model.js';

const SPEC = { name: 'b0', weight: 1, speed: 2, maxConnections: 0 };

t.test('as many sessions as slots are served at once, the others in order', async (t) => {
  const backend = new BackendModel(SPEC, 2);
  t.same(
    [0, 1, 2, 3].map((session) => backend.admit(session)),
    [true, true, false, false],
  );
  t.equal(backend.active, 4);
  t.equal(backend.release(), 2);
  t.equal(backend.release(), 3);
  t.equal(backend.release(), null);
  t.equal(backend.active, 1);
});

t.test('a long line stays in order', async (t) => {
  const backend = new BackendModel(SPEC, 1);
  for (let session = 0; session <= 5000; session++) backend.admit(session);
  for (let session = 1; session <= 5000; session++) {
    if (backend.release() !== session) t.fail(`session ${session} is next`);
    if (backend.active !== 5001 - session) t.fail(`${backend.active} after ${session}`);
  }
  t.equal(backend.release(), null);
  t.equal(backend.active, 0);
});

t.test('no slots means no line', async (t) => {
  const backend = new BackendModel(SPEC, 0);
  t.ok([...Array(1000).keys()].every((session) => backend.admit(session)));
});

t.test('speed and slowness scale the work', async (t) => {
  const backend = new BackendModel(SPEC, 1);
  t.equal(backend.serviceMs(10), 5);
  backend.slowness = 4;
  t.equal(backend.serviceMs(10), 20);
});

t.test('a backend that dies loses all and begins another life', async (t) => {
  const backend = new BackendModel(SPEC, 1);
  for (const session of [0, 1, 2]) backend.admit(session);
  t.equal(backend.die(), 3);
  t.equal(backend.active, 0);
  t.equal(backend.life, 1);
  t.notOk(backend.isAlive);
  t.ok(backend.admit(3), 'the place is free again');
});

t.test('latency peaks at once and fades; failures come and go', async (t) => {
  const backend = new BackendModel(SPEC, 1);
  t.equal(backend.latencyMs(99), 0, 'unknown');
  backend.observeLatency(100, 1000);
  t.equal(backend.latencyMs(1000), 100);
  t.ok(backend.latencyMs(11_000) < 40);
  backend.observeOutcome('failed', 1000);
  t.equal(backend.failureRate(1000), 0.1);
  t.ok(backend.failureRate(11_000) < 0.04, 'by time');
  backend.observeOutcome('served', 1000);
  t.ok(backend.failureRate(1000) < 0.1, 'by sessions');
});
