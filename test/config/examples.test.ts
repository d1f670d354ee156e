/** Every configuration in conf/ is good, on a machine where sluice has never run. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { confFile } from '../../src/config/generate/documents.js';
import { formatIssue } from '../../src/config/issue.js';
import { findBadPaths } from '../../src/config/socket_path.js';
import { poolsOf } from '../../src/core/routes.js';
import { loadSpec } from '../support/load_spec.js';

const examples = readdirSync(confFile('examples'));

t.ok(examples.length >= 10, 'there are examples');

for (const name of [
  'minimal.toml',
  'annotated.toml',
  ...examples.map((file) => `examples/${file}`),
]) {
  t.test(`${name} is good and serves clients`, async (t) => {
    const text = readFileSync(confFile(name), 'utf8');
    const spec = loadSpec(text);
    t.same(findBadPaths(text, name, spec).map(formatIssue), []);
    t.ok(spec.listeners.length > 0);
    const used = new Set(spec.listeners.flatMap(poolsOf));
    for (const pool of spec.pools) {
      t.ok(used.has(pool.name), `pool ${pool.name} is used`);
      t.ok(pool.backends.length > 0, `pool ${pool.name} has backends`);
    }
  });
}

t.test('the annotated file says what an empty one means', async (t) => {
  const annotated = loadSpec(readFileSync(confFile('annotated.toml'), 'utf8'));
  const plain = loadSpec(
    '[listeners.example]\nbind = "0.0.0.0:5432"\npool = "example"\n[[listeners.example.routes]]\npool = "example"\n[listeners.example.postgres]\n[pools.example.outlier]\n[[pools.example.backends]]\naddress = "10.0.0.11:5432"',
  );
  t.strictSame(annotated, plain, 'what it shows are the defaults');
});
