import t from 'tap';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Weights } from '../../src/pool/weights.js';
import { backendSpec, inventory, poolSpec, resolved, spec } from '../control/fixtures.js';

function setUp(slowStartMs: number) {
  const ledger = new Ledger(createLedgerMemory());
  const backends = [backendSpec('b1', { weight: 10, maxConnections: 100 })];
  const pool = poolSpec('pg', { slowStartMs, backends });
  const [entry] = inventory().apply(spec([pool]), resolved).arrived;
  if (entry === undefined) throw new Error('a backend arrives');
  const weights = new Weights(ledger);
  const at = (nowMs: number) => {
    const ramp = weights.write(entry, nowMs) ? 'rises' : 'is whole';
    return [ledger.weight(entry.id), ledger.cap(entry.id), ramp];
  };
  return { entry, weights, at };
}

t.test('at the start of the process a backend serves in full', async (t) => {
  const { at } = setUp(10_000);
  t.same(at(0), [10, 100, 'is whole']);
});

t.test('after a return weight and cap rise with time', async (t) => {
  const { at, weights, entry } = setUp(10_000);
  weights.returned(entry.id, 1000);
  t.same(at(1000), [1, 10, 'rises']);
  t.same(at(6000), [5, 50, 'rises']);
  t.same(at(11_000), [10, 100, 'is whole']);
  t.same(at(2000), [10, 100, 'is whole'], 'a ramp that is over does not begin again');
});

t.test(
  'a degraded backend has its share of the weight, of the ramp too, and its whole cap',
  async (t) => {
    const { at, weights, entry } = setUp(10_000);
    weights.degraded(entry.id, 0.5);
    t.same(at(0), [5, 100, 'is whole']);
    weights.returned(entry.id, 0);
    t.same(at(5000), [2.5, 50, 'rises']);
    weights.forget(entry.id);
    t.same(at(5000), [10, 100, 'is whole']);
  },
);

t.test('without slow start a return changes nothing', async (t) => {
  const { at, weights, entry } = setUp(0);
  weights.returned(entry.id, 500);
  t.same(at(500), [10, 100, 'is whole']);
});
