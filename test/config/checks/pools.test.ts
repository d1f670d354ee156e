/** What one pool must have, and what does not go together in it. */
import t from 'tap';
import { problemsOf } from '../../support/config_problems.js';

t.test('a pool that is not used, and one without backends, are no problem', async (t) => {
  t.strictSame(problemsOf('[pools.p]'), []);
});

t.test('a backend needs an address', async (t) => {
  t.strictSame(problemsOf('[[pools.p.backends]]\nname = "a"\n[[pools.p.backends]]'), [
    '1:11: pools.p.backends[0].address: missing (expected where the backend is, as "10.0.0.1:5432"; got nothing)',
    '3:11: pools.p.backends[1].address: missing (expected where the backend is, as "10.0.0.1:5432"; got nothing)',
  ]);
});

t.test('a backend is not called *, since POOL/* is all of a pool', async (t) => {
  const named = (name: string): readonly string[] =>
    problemsOf(`[[pools.p.backends]]\naddress = "db:1"\nname = "${name}"`);
  t.match(named('*'), [/name: not a usable name: in commands it means all backends of a pool/]);
  t.strictSame(named('a*'), []);
});

t.test('names are unique in their pool, those by default too', async (t) => {
  const expected = 'a name that is unique in its pool; the default is the address';
  const pool = (lines: readonly string[]): string =>
    lines.map((line) => `[[pools.p.backends]]\n${line}\n`).join('');
  const a = 'address = "db:1"';
  t.strictSame(problemsOf(pool([a, 'address = "db:2"', a])), [
    `6:1: pools.p.backends[2].address: backends[0] is called db:1 too (expected ${expected}; got "db:1")`,
  ]);
  t.strictSame(problemsOf(pool([a, `address = "db:3"\nname = "db:1"`])), [
    `5:1: pools.p.backends[1].name: backends[0] is called db:1 too (expected ${expected}; got "db:1")`,
  ]);
  t.strictSame(problemsOf(pool([a, `${a}\nname = "other"`])), []);
  t.strictSame(problemsOf(`${pool([a])}[[pools.q.backends]]\n${a}`), [], 'another pool');
});

t.test('some backend has a weight', async (t) => {
  const backend = (weight: string): string =>
    `[[pools.p.backends]]\naddress = "db:${weight}1"\nweight = ${weight}\n`;
  t.strictSame(problemsOf(backend('0')), [
    '1:11: pools.p.backends: every backend has weight 0, so none would get a session (expected a weight above 0 in one of them; got 0 in 1)',
  ]);
  t.strictSame(problemsOf(backend('0') + backend('1')), []);
  t.equal(problemsOf(backend('0') + backend('1001')).length, 1, 'a broken weight may be above 0');
});

t.test('a queue needs a cap that makes it wait', async (t) => {
  const queue = '[pools.p]\nqueue_size = 5\n';
  const problem =
    '2:1: pools.p.queue_size: no backend has a cap, so none is ever full and no session waits (expected max_connections above 0 in the pool or a backend, or 0; got 5)';
  const backend = '[[pools.p.backends]]\naddress = "db:1"\n';
  t.strictSame(problemsOf(queue), [problem]);
  t.strictSame(problemsOf(queue + backend), [problem]);
  t.strictSame(problemsOf(`${queue}max_connections = 1\n${backend}max_connections = 0`), [problem]);
  t.strictSame(problemsOf(`${queue}max_connections = 1\n`), []);
  t.strictSame(problemsOf(`${queue}max_connections = 1\n${backend}`), []);
  t.strictSame(problemsOf(`${queue}${backend}max_connections = 1`), []);
});

t.test('the size of a maglev table is a prime that holds every backend', async (t) => {
  const hash = (keys: string): readonly string[] => problemsOf(`[pools.p.hash]\n${keys}`);
  t.strictSame(hash('table_size = 65536'), [
    '2:1: pools.p.hash.table_size: not a prime (expected a prime, such as 65537; got 65536)',
  ]);
  for (const prime of [3, 251, 65_537, 5_000_011]) t.strictSame(hash(`table_size = ${prime}`), []);
  for (const composite of [4, 9, 49, 5_000_010])
    t.equal(hash(`table_size = ${composite}`).length, 1);
  const backends = [1, 2, 3, 4].map((n) => `[[pools.p.backends]]\naddress = "db:${n}"\n`).join('');
  t.strictSame(problemsOf(`[pools.p.hash]\ntable_size = 3\n${backends}`), [
    '2:1: pools.p.hash.table_size: smaller than the number of backends, 4 (expected a prime above 100 times that number; got 3)',
  ]);
});

t.test('a bound on load is off or at least the mean', async (t) => {
  const factor = (value: string): readonly string[] =>
    problemsOf(`[pools.p.hash]\nbalance_factor = ${value}`);
  for (const good of ['0', '1', '1.25', '100']) t.strictSame(factor(good), []);
  t.strictSame(factor('0.99'), [
    '2:1: pools.p.hash.balance_factor: below the mean load, so some clients would have no backend (expected 0 for off, or 1 and more; got 0.99)',
  ]);
});

t.test('the longest ejection is not shorter than the first', async (t) => {
  const outlier = (keys: string): readonly string[] => problemsOf(`[pools.p.outlier]\n${keys}`);
  t.strictSame(outlier(''), []);
  t.strictSame(outlier('base_ejection = "1m"\nmax_ejection = "1m"'), []);
  t.strictSame(outlier('max_ejection = "29s"'), [
    '2:1: pools.p.outlier.max_ejection: shorter than base_ejection (expected the same or longer; got "29s")',
  ]);
  t.equal(outlier('max_ejection = "29s"\nbase_ejection = 5').length, 1, 'the base is unknown');
});

t.test('a factor of latency is off or above the median', async (t) => {
  const factor = (value: string): readonly string[] =>
    problemsOf(`[pools.p.outlier]\nlatency_factor = ${value}`);
  for (const good of ['0', '1.01', '3']) t.strictSame(factor(good), []);
  for (const bad of ['0.5', '1']) t.equal(factor(bad).length, 1, bad);
});
