import t from 'tap';
import { fitEngines } from '../../src/control/engine_fit.js';
import { LOCKED_BYTES_PER_WORKER } from '../../src/control/sizing.js';
import { type EngineCheck, selectEngine } from '../../src/engine/select.js';

const CHECKS: readonly EngineCheck[] = [
  { engine: 'uring', state: 'usable', note: '' },
  { engine: 'node', state: 'usable', note: '' },
];

t.test('with locked memory for all rings uring stays the best', async (t) => {
  t.same(fitEngines(CHECKS, 2, 2 * LOCKED_BYTES_PER_WORKER), CHECKS);
  t.same(fitEngines(CHECKS, 64, null), CHECKS, 'no limit binds');
});

t.test('with too little, auto takes the next engine and uring by name is refused', async (t) => {
  const checks = fitEngines(CHECKS, 3, 3 * LOCKED_BYTES_PER_WORKER - 1);
  const auto = selectEngine('auto', checks);
  t.match(auto, { ok: true, value: { engine: 'node', passedOver: [{ engine: 'uring' }] } });
  t.match(selectEngine('uring', checks), { ok: false, error: /LimitMEMLOCK/ });
});
