/** Reading a configuration from disk. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { configHash, MAX_CONFIG_BYTES, readConfig } from '../../src/config/read_config.js';

const dir = t.testdir({
  'good.toml': '[pools.p]\n',
  'bad.toml': '[pools.p]\nretries = -1\n',
  'latin1.toml': Buffer.from('# caf\xe9\n', 'latin1'),
  'mark.toml': '\uFEFF[pools.p]\nretries = -1\n',
});

const problems = async (path: string): Promise<readonly string[]> => {
  const read = await readConfig(path);
  return read.ok ? [] : read.error.map(formatIssue);
};

t.test('a good file is a Spec, a bad one its issues', async (t) => {
  const path = join(dir, 'bad.toml');
  t.strictSame(await problems(join(dir, 'good.toml')), []);
  t.strictSame(await problems(path), [
    `${path}:2:1: pools.p.retries: too small (expected an integer from 0 to 100; got -1)`,
  ]);
});

t.test('a byte order mark is no text', async (t) => {
  const path = join(dir, 'mark.toml');
  t.match(await problems(path), [`${path}:2:1: pools.p.retries`]);
});

t.test('a file that cannot be read is one issue with a remedy', async (t) => {
  const missing = join(dir, 'missing.toml');
  t.strictSame(await problems(missing), [
    `${missing}:1:1: file: cannot be read (expected a file at this path; -c FILE names another one; got ENOENT)`,
  ]);
  t.strictSame(await problems(dir), [
    `${dir}:1:1: file: cannot be read (expected a file, and this is a directory; got EISDIR)`,
  ]);
  t.match(await problems(join(dir, 'latin1.toml')), [/expected text in UTF-8/]);
  t.match(await problems(join(dir, 'good.toml', 'x')), [/expected a readable file; got ENOTDIR/]);
});

t.test('a file has a limit', async (t) => {
  const path = join(dir, 'long.toml');
  writeFileSync(path, `#${'x'.repeat(MAX_CONFIG_BYTES - 1)}`);
  t.strictSame(await problems(path), []);
  writeFileSync(path, `#${'x'.repeat(MAX_CONFIG_BYTES)}`);
  t.match(await problems(path), [/expected at most 4194304 bytes; got a longer file/]);
  t.match(await problems('/dev/zero'), [/got a longer file/]);
});

t.test('reading leaves no descriptor open', async (t) => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  for (const path of ['/dev/zero', join(dir, 'good.toml'), dir, '/dev/zero']) await problems(path);
  t.equal(open(), before);
});

t.test('a hash tells texts apart, in 12 hex digits', async (t) => {
  t.equal(configHash(''), 'e3b0c44298fc');
  t.match(configHash('a'), /^[0-9a-f]{12}$/);
  t.not(configHash('a'), configHash('b'));
});
