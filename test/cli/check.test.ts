/** `sluice check`: every problem, and the exit code. */
import { join } from 'node:path';
import t from 'tap';
import { check } from '../../src/cli/check.js';

const dir = t.testdir({
  'good.toml':
    '[listeners.a]\nbind = "127.0.0.1:0"\npool = "p"\n[[pools.p.backends]]\naddress = "a:1"\n[[pools.p.backends]]\naddress = "b:1"\n',
  'bad.toml': '[daemon]\nworkers = 0\nenigne = "auto"\n',
});

const run = async (path: string) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await check(
    path,
    { write: (text) => out.push(text) },
    { write: (text) => err.push(text) },
  );
  return { code, out: out.join(''), err: err.join('') };
};

t.test('a good file is summed up on standard output, with exit code 0', async (t) => {
  const path = join(dir, 'good.toml');
  t.strictSame(await run(path), {
    code: 0,
    out: `${path}: good: 1 listener, 1 pool, 2 backends\n${path}: names that were not looked up: a, b\n`,
    err: '',
  });
});

t.test('all problems of a bad file are on standard error, with exit code 1', async (t) => {
  const path = join(dir, 'bad.toml');
  t.strictSame(await run(path), {
    code: 1,
    out: '',
    err: `${path}:1:1: listeners: no listener, so nothing would be served (expected at least one table [listeners.NAME]; got none)
${path}:2:1: daemon.workers: too small (expected "auto" or an integer from 1 to 64; got 0)
${path}:3:1: daemon.enigne: unknown key (expected engine; got "enigne")
`,
  });
});

t.test('a file that is not there is a problem like any other', async (t) => {
  const { code, err } = await run(join(dir, 'missing.toml'));
  t.equal(code, 1);
  t.match(err, 'cannot be read');
});
