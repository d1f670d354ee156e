/**
 * Configurations of HAProxy and nginx as people write them, with what they become. UPDATE=1 writes
 * what they become now; look at the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkServed } from '../../src/config/checks/served.js';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import type { Capabilities } from '../../src/import/capabilities.js';
import { formatReport } from '../../src/import/report.js';
import { repositoryRoot } from '../support/repository.js';
import { FIXTURES, type Fixture, importFixture } from './fixtures.js';

/** Written down, so that a new key of sluice changes no expectation; whole.test.ts takes all. */
const CAPABLE: Capabilities = {
  access: 'here',
  limits: 'here',
  routes: 'here',
  discovery: 'here',
  source: 'here',
  control: 'here',
};

const folder = join(repositoryRoot, 'test/import');

const golden = (name: string, text: string): string => {
  const path = join(folder, name);
  if (process.env['UPDATE'] === '1') writeFileSync(path, text);
  return readFileSync(path, 'utf8');
};

const problems = (toml: string): readonly string[] => {
  const loaded = loadConfig(toml, 'toml', { further: [checkServed] });
  return loaded.ok ? [] : loaded.error.map(formatIssue);
};

for (const fixture of FIXTURES) {
  t.test(`${fixture.name} becomes what is expected, and passes check`, async (t) => {
    const result = await importFixture(fixture, CAPABLE);
    if (!result.ok) return t.fail(JSON.stringify(result.error));
    const { toml, entries } = result.value;
    t.same(problems(toml), [], toml);
    t.equal(toml, golden(`${base(fixture)}.toml`, toml));
    const report = formatReport(entries);
    return t.equal(report, golden(`${base(fixture)}.report`, report));
  });
}

t.test('no translation or report is left of a configuration that is gone', async (t) => {
  const bases = new Set(FIXTURES.map(base));
  const files = ['haproxy', 'nginx'].flatMap((kind) =>
    readdirSync(join(folder, kind)).map((name) => `${kind}/${name}`),
  );
  const left = files.filter((file) => !bases.has(file.replace(/\.\w+$/, '')));
  t.same(left, []);
});

function base({ kind, name }: Fixture): string {
  return `${kind}/${name.replace(/\.\w+$/, '')}`;
}
