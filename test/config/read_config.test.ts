/** Reading a configuration from disk. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { configHash, MAX_CONFIG_BYTES, readConfig } from '../../src/config/read_config.js';
import { systemTimers } from '../../src/system/timers.js';
import { BINARY } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';

const SERVED =
  '[pools.p]\nbackends = [{address = "10.0.0.1:1"}]\n[listeners.l]\nbind = "127.0.0.1:1"\npool = "p"\n';
const dir = t.testdir({
  'good.toml': SERVED,
  'bad.toml': `[pools.p]\nretries = -1\n${SERVED.replace('[pools.p]', '')}`,
  'latin1.toml': Buffer.from('# caf\xe9\n', 'latin1'),
  'mark.toml': `\uFEFF[pools.p]\nretries = -1\n${SERVED.replace('[pools.p]', '')}`,
  'empty.toml': '',
  'cut.toml': '[daemon]\nworkers = 1\n',
});

const problems = async (path: string): Promise<readonly string[]> => {
  const read = await readConfig(path, systemTimers);
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
    `${missing}:1:1: file: cannot be read (expected a file at this path; got ENOENT)`,
  ]);
  const option = await readConfig(missing, systemTimers, '-c');
  if (option.ok) return t.fail('there is no file');
  t.match(option.error[0]?.expected, 'a file at this path; -c FILE names another one');
  t.strictSame(await problems(dir), [
    `${dir}:1:1: file: cannot be read (expected a file, and this is a directory; got EISDIR)`,
  ]);
  t.match(await problems(join(dir, 'latin1.toml')), [/expected text in UTF-8/]);
  return t.match(await problems(join(dir, 'good.toml', 'x')), [
    /expected a readable file; got ENOTDIR/,
  ]);
});

t.test('a file has a limit', async (t) => {
  const path = join(dir, 'long.toml');
  writeFileSync(path, `${SERVED}#${'x'.repeat(MAX_CONFIG_BYTES - SERVED.length - 1)}`);
  t.strictSame(await problems(path), []);
  writeFileSync(path, `#${'x'.repeat(MAX_CONFIG_BYTES)}`);
  t.match(await problems(path), [/expected at most 16777216 bytes; got a longer file/]);
  t.match(await problems('/dev/zero'), [/expected a regular file or a pipe; got a device/]);
});

/** What this process has open of what was read. */
function openPaths(): readonly string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        // It was the descriptor of the listing itself.
        return [];
      }
    })
    .filter((path) => path === '/dev/zero' || path.startsWith(dir));
}

t.test('reading leaves no descriptor open', async (t) => {
  for (const path of ['/dev/zero', join(dir, 'good.toml'), dir, '/dev/zero']) await problems(path);
  await eventually('every file is closed', () => (openPaths().length === 0 ? true : undefined));
  t.same(openPaths(), []);
});

t.test('a hash distinguishes texts, in 12 hex digits', async (t) => {
  t.equal(configHash(''), 'e3b0c44298fc');
  t.match(configHash('a'), /^[0-9a-f]{12}$/);
  t.not(configHash('a'), configHash('b'));
});

t.test('a file without a listener is refused: it may be empty, or half written', async (t) => {
  for (const name of ['empty.toml', 'cut.toml']) {
    const path = join(dir, name);
    t.strictSame(await problems(path), [
      `${path}:1:1: listeners: no listener, so nothing would be served ` +
        '(expected at least one table [listeners.NAME]; got none)',
    ]);
  }
});

t.test('a path that is bound and can be no socket is a problem, with its place', async (t) => {
  const path = join(dir, 'paths.toml');
  symlinkSync(join(dir, 'good.toml'), join(dir, 'link'));
  const server = createServer().listen(join(dir, 'live.sock'));
  await once(server, 'listening');
  const binds = ['good.toml', '', 'link', 'live.sock', 'free.sock'];
  binds.push('good.toml/x.sock', 'gone/x.sock', 'good.toml/gone/x.sock');
  const list = binds.map((name) => JSON.stringify(`unix:${join(dir, name)}`)).join(', ');
  writeFileSync(path, `[listeners.l]\nbind = [${list}]\npool = "p"\n[pools.p]\n`);
  t.match(await problems(path), [
    /paths.toml:2:9: listeners.l.bind\[0\]: .*good.toml is a file, not a socket/,
    /:2:\d+: listeners.l.bind\[1\]: .* is a directory, not a socket/,
    /:2:\d+: listeners.l.bind\[2\]: .*link is a symbolic link, not a socket/,
    /:2:\d+: listeners.l.bind\[5\]: .*good.toml is not a folder \(expected a folder that is/,
    /:2:\d+: listeners.l.bind\[6\]: .*gone does not exist \(expected a folder that is there/,
    /:2:\d+: listeners.l.bind\[7\]: .*gone is in no folder/,
  ]);
  t.equal((await problems(path)).length, 6);
  server.close();
});

t.test('a pipe is read to its end, and one without a writer is given up', async (t) => {
  const path = join(dir, 'pipe');
  execFileSync('mkfifo', [path]);
  t.match(await problems(path), [/a pipe whose writer is done by then; got ETIMEDOUT/]);
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', `exec '${process.execPath}' '${BINARY}' check -c <(sleep 0.2; cat '${dir}/good.toml')`],
    { encoding: 'utf8' },
  );
  t.strictSame({ stderr, status }, { stderr: '', status: 0 });
});
