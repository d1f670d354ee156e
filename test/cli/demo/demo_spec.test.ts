/** The demo's configuration. */
import t from 'tap';
import { demoSpec } from '../../../src/cli/demo/demo_spec.js';
import { formatAddress } from '../../../src/core/endpoint.js';

const BACKENDS = [
  { name: 'fast', address: '127.0.0.1:5001' },
  { name: 'slow', address: '127.0.0.1:5002' },
];

t.test('it is good for every engine, has its backends, and takes free ports only', async (t) => {
  for (const engine of ['auto', 'uring', 'node']) {
    const spec = demoSpec(engine, BACKENDS);
    t.ok(spec.ok, engine);
    if (!spec.ok) continue;
    t.equal(spec.value.daemon.engine, engine);
    t.equal(spec.value.admin.http?.port, 0);
    t.same(spec.value.listeners[0]?.bind.map(formatAddress), ['127.0.0.1:0']);
    t.same(
      spec.value.pools[0]?.backends.map(({ name, address }) => [name, formatAddress(address)]),
      BACKENDS.map(({ name, address }) => [name, address]),
    );
  }
});

t.test('an engine that is not there is one sentence', async (t) => {
  t.match(demoSpec('epoll', BACKENDS), { ok: false, error: /^not in this version \(expected / });
  t.match(demoSpec('steam', BACKENDS), { ok: false, error: /^unknown value \(expected "auto", / });
});
