/** How long an override waits for a backend that sources do not find now. */
import t from 'tap';
import { Desires } from '../../../src/control/desired/desires.js';
import { order } from '../../../src/control/desired/orders.js';
import type { DiscoverySpec } from '../../../src/core/discovery_spec.js';
import { backendSpec, poolSpec, spec } from '../fixtures.js';

const SOURCE: DiscoverySpec = {
  source: { kind: 'file', path: '/x' },
  rules: { holdMs: 0, confirmMs: 0, maxRemovedPercent: 50, whenEmpty: 'keep', limit: 9 },
  maxConnections: 0,
};

t.test('it waits for ten minutes, whatever is done to the clock on the wall', async (t) => {
  const time = { nowMs: 0, wallMs: Date.parse('2026-11-29T12:00:00Z') };
  const file = (...names: readonly string[]) =>
    spec([
      poolSpec('pg', { backends: names.map((name) => backendSpec(name)), discovery: [SOURCE] }),
    ]);
  const ada = { by: 'ada', because: '', sinceWallMs: time.wallMs, untilWallMs: null };
  const wanted = { kind: 'drain', value: 'drained' } as const;
  const given = order({ configured: file('a', 'b'), overrides: [] }, ['pg/b'], wanted, ada);
  if (!given.ok) throw new Error(given.error);
  const desires = new Desires(file('a', 'b'), given.value.overrides, {
    clock: { nowMs: () => time.nowMs, wallMs: () => time.wallMs },
    log: { event: () => {} },
    keep: () => {},
  });
  desires.adopted(desires.with({ configured: file('a') }));
  for (const jumpMs of [3_600_000, -7_200_000]) {
    time.wallMs += jumpMs;
    t.notOk(desires.isDue, `the wall's clock goes by ${jumpMs} ms`);
    t.same(desires.with({}).ended, []);
  }
  time.nowMs += 600_001;
  t.ok(desires.isDue);
  t.match(desires.with({}).ended, [{ why: { kind: 'gone' } }]);
});
