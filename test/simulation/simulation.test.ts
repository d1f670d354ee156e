import t from 'tap';
import { runSeed, STEPS } from './runner.js';

const SEEDS = 100;
/** Ends that a hundred seeds must have met, or the simulation looks at less than it did. */
const MET = [
  'finished',
  'client-reset',
  'backend-reset',
  'idle-timeout',
  'max-age',
  'drained',
  'backend-down',
  'killed',
  'shutdown',
  'bad-proxy-header',
  'proxy-header-timeout',
  'untrusted-proxy',
  'all-down',
  'all-full',
  'queue-full',
  'queue-timeout',
  'dial-failed',
  'client-gone',
  'resource-limit',
  'backend-ejected',
  'backend-returned',
  'backend-drained',
  'backend-up',
  'backend-down',
  'worker-lost',
  'discovery-changed',
  'discovery-failed',
  'discovery-empty',
  'discovery-suspicious',
  'discovery-contradicted',
  'discovery-recovered',
];

t.test('what must hold holds in a hundred seeded lives of the whole balancer', async (t) => {
  const first = Number(process.env['SEED'] ?? 1);
  const met = new Set<string>();
  for (let seed = first; seed < first + SEEDS; seed++) {
    const { failure, counts } = await runSeed(seed, STEPS);
    for (const name of counts.keys()) met.add(name);
    if (failure !== null) t.fail(`${failure} (npm run simulate:test -- --seed ${seed})`);
  }
  t.same(
    MET.filter((name) => !met.has(name)),
    [],
    'everything that can happen has happened',
  );
});
