import t from 'tap';
import { equalBackends, parseBackend, parseTrouble } from '../../src/cli/simulate_words.js';

const NAMES = ['pg1', '10.0.0.1:5432'];

t.test('a backend is a name with settings', async (t) => {
  t.same(parseBackend('pg1'), { name: 'pg1', weight: 1, speed: 1, maxConnections: 0 });
  t.same(parseBackend('10.0.0.1:5432,weight=2, speed=0.5,cap=100'), {
    name: '10.0.0.1:5432',
    weight: 2,
    speed: 0.5,
    maxConnections: 100,
  });
  for (const bad of [
    '',
    ',weight=1',
    'a,weight',
    'a,wait=1',
    'a,speed=0',
    'a,weight=1001',
    'a,cap=1.5',
  ]) {
    t.type(parseBackend(bad), 'string', bad);
  }
});

t.test('trouble has a backend, a span and, if slow, a factor', async (t) => {
  const span = { fromMs: 20_000, toMs: 60_000 };
  t.same(parseTrouble('down', 'pg1@20s-1m', NAMES), { kind: 'down', backend: 0, ...span });
  t.same(parseTrouble('slow', '10.0.0.1:5432@20s-1mx2.5', NAMES), {
    kind: 'slow',
    backend: 1,
    ...span,
    factor: 2.5,
  });
  for (const [kind, bad] of [
    ['down', 'pg1'],
    ['down', 'pg9@20s-40s'],
    ['down', 'pg1@40s-20s'],
    ['down', 'pg1@20-40'],
    ['down', 'pg1@20s-40sx5'],
    ['slow', 'pg1@20s-40s'],
    ['slow', 'pg1@20s-40sx0.5'],
  ] as const) {
    t.type(parseTrouble(kind, bad, NAMES), 'string', bad);
  }
});

t.test('equal backends are numbered', async (t) => {
  t.same(
    equalBackends(3).map((backend) => backend.name),
    ['b0', 'b1', 'b2'],
  );
});
