/** Which addresses to dial from are here, as the main thread finds it. */
import t from 'tap';
import { SourceWatch } from '../../src/control/source_watch.js';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { PoolSpec } from '../../src/core/spec.js';
import type { EventName } from '../../src/observe/events.js';
import { FakeTime } from '../support/fake_time.js';
import { backendSpec, inventory, poolSpec, resolved, spec } from './fixtures.js';

const SIX = { address: ipEndpoint(6, '2001:db8::5', 5432) };
const A = ipEndpoint(4, '192.0.2.1', 0);
const B = ipEndpoint(4, '192.0.2.2', 0);

function bench(...pools: PoolSpec[]) {
  const time = new FakeTime();
  const all = inventory();
  const events: [EventName, object][] = [];
  let missing: readonly string[] = [];
  let changes = 0;
  const watch = new SourceWatch({
    inventory: all,
    timers: time,
    log: { event: (name, fields) => void events.push([name, fields]) },
    missingHosts: async (hosts) => new Set([...hosts].filter((host) => missing.includes(host))),
    changed: () => changes++,
    defect: (error) => t.fail(String(error)),
  });
  const follow = async (...next: PoolSpec[]): Promise<void> => {
    all.apply(spec(next, []), resolved);
    watch.follow();
    await time.pass(1);
  };
  const from = (name = 'p'): string | undefined => {
    const pool = present(all.pools.get(name), 'the pool');
    return watch.sourceFor(pool, A)?.host;
  };
  const lose = async (...hosts: string[]): Promise<void> => {
    missing = hosts;
    await time.pass(2_100);
  };
  return { watch, events, follow, from, lose, changes: () => changes, started: follow(...pools) };
}

t.test('the first address that is here is dialled from, and a missing one is named', async (t) => {
  const pool = poolSpec('p', { sources: [A, B] });
  const other = poolSpec('q', { sources: [A] });
  const { started, events, from, lose, changes } = bench(pool, other);
  await started;
  t.equal(from(), A.host);
  await lose(A.host);
  t.equal(from(), B.host);
  t.match(events, [['source-missing', { address: A.host, detail: 'p, q' }]]);
  await lose(A.host);
  t.equal(events.length, 1, 'it is reported once');
  await lose(A.host, B.host);
  t.equal(from(), A.host, 'without any, the failure says which one it is');
  await lose();
  t.equal(from(), A.host);
  t.same(
    events.map(([name]) => name),
    ['source-missing', 'source-missing', 'source-back', 'source-back'],
  );
  t.equal(changes(), 3);
});

t.test('nothing is looked at where no pool has an address, or after the end', async (t) => {
  const { started, watch, follow, events, lose } = bench(poolSpec('p'));
  await started;
  await lose(A.host);
  await follow(poolSpec('p', { sources: [A] }));
  t.match(events, [['source-missing', { address: A.host }]]);
  watch.stop();
  await lose();
  t.equal(events.length, 1);
});

t.test('a backend of a family without an address is reported once', async (t) => {
  const backends = [backendSpec('b1'), backendSpec('six', SIX), backendSpec('six2', SIX)];
  const { started, follow, events } = bench(poolSpec('p', { sources: [A], backends }));
  await started;
  const address = '[2001:db8::5]:5432';
  t.match(events, [['source-unfit', { pool: 'p', backend: 'six', address }]]);
  await follow(poolSpec('p', { sources: [A, B], backends }));
  t.equal(events.length, 1);
  await follow(poolSpec('p', { sources: [A] }));
  await follow(poolSpec('p', { sources: [A], backends }));
  t.equal(events.length, 2, 'again, after there was none');
});
