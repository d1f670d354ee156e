/** `sluice import`: what is written, what is reported, and the exit code. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { readIncluded } from '../../src/cli/import/included.js';
import { writeResult } from '../../src/cli/import/run.js';
import { readSource, readSources } from '../../src/cli/import/sources.js';
import { capabilities } from '../../src/import/capabilities.js';
import { importHaproxy } from '../../src/import/haproxy/import.js';
import { importNginx } from '../../src/import/nginx/import.js';

const GOOD = `defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
`;
const dir = t.testdir({
  'good.cfg': `${GOOD}listen a\n  bind 127.0.0.1:1\n  server s 127.0.0.1:2\n`,
  'less.cfg': `${GOOD}listen a\n  bind 127.0.0.1:1\n  server s 127.0.0.1:2 ssl\n`,
  'broken.cfg': `${GOOD}listen a\n  bind "127.0.0.1:1\n`,
  'time.cfg': `${GOOD}listen a\n  timeout queue soon\n`,
  'nothing.cfg': `${GOOD}`,
  parts: { '1.cfg': GOOD, '2.cfg': 'listen b\n  bind :3\n  server s 127.0.0.1:2\n', 'x.txt': '"' },
  none: { 'x.txt': '"' },
});

async function run(name: string, output?: string) {
  const sources = await readSources([join(dir, name)]);
  if (!sources.ok) return { code: -1, out: '', err: sources.error };
  const out: string[] = [];
  const err: string[] = [];
  const code = await writeResult(importHaproxy(sources.value, new Map(), capabilities()), {
    sources: sources.value,
    output,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  });
  return { code, out: out.join(''), err: err.join('') };
}

t.test(
  'a file of which everything is translated goes to standard output, exit code 0',
  async (t) => {
    const { code, out, err } = await run('good.cfg');
    t.equal(code, 0);
    t.match(out, '[listeners.a]');
    t.match(err, /8: server s 127\.0\.0\.1:2: a backend/);
    t.match(err, '0 changed in meaning, 0 dropped');
  },
);

t.test('what is dropped is reported, and makes the exit code 1; the rest is written', async (t) => {
  const output = join(dir, 'less.toml');
  const { code, out, err } = await run('less.cfg', output);
  t.equal(code, 1);
  t.equal(out, '');
  t.match(err, /dropped:\n {2}\S+less\.cfg:8: ssl: sluice does not originate TLS/);
  t.match(readFileSync(output, 'utf8'), '[listeners.a]');
  t.equal(statSync(output).mode & 0o007, 0, 'there may be passwords of probes in it');
});

t.test('a syntax error is one sentence with its place, and nothing is written', async (t) => {
  for (const [name, line, problem] of [
    ['broken.cfg', 7, 'a quote " that is not closed'],
    ['time.cfg', 7, 'timeout queue: "soon" is not a time (such as 500ms, 5s, 30m)'],
  ] as const) {
    const output = join(dir, `${name}.toml`);
    const { code, err } = await run(name, output);
    t.equal(code, 1);
    t.equal(err, `${join(dir, name)}:${line}: ${problem}; nothing is written\n`);
    t.notOk(existsSync(output));
  }
});

t.test('a folder without a file that HAProxy would read is said to be so', async (t) => {
  t.equal((await run('none')).err, `${join(dir, 'none')}: no file in this folder ends in .cfg`);
});

t.test('a file without anything to serve writes nothing', async (t) => {
  const { code, out, err } = await run('nothing.cfg');
  t.equal(code, 1);
  t.equal(out, '');
  t.match(err, 'no listener can be translated; nothing is written');
});

t.test('a folder is its .cfg files by name, and a missing file is a sentence', async (t) => {
  const { code, out } = await run('parts');
  t.equal(code, 0);
  t.match(out, 'idle_timeout = "1m"');
  t.match(out, '2.cfg:1');
  t.match(
    (await run('missing.cfg')).err,
    /missing\.cfg: cannot be read \(expected a file at this path; got ENOENT\)$/,
  );
});

t.test('a byte order mark at the start of a file is no word of it', async (t) => {
  const place = t.testdir({
    'good.cfg': `\uFEFF${readFileSync(join(dir, 'good.cfg'), 'utf8')}`,
    'nginx.conf': '\uFEFFstream { include d/*.conf; }\n',
    d: { 'a.conf': '\uFEFFserver { listen 2; proxy_pass 127.0.0.1:9; }\n' },
  });
  const marked = await run(relative(dir, join(place, 'good.cfg')));
  const plain = await run('good.cfg');
  const likePlain = (text: string): string => text.replaceAll(place, dir);
  t.same({ ...marked, out: likePlain(marked.out), err: likePlain(marked.err) }, plain);
  t.equal(plain.code, 0);

  const source = await readSource(join(place, 'nginx.conf'));
  if (!source.ok) return t.fail(source.error);
  const included = await readIncluded(source.value);
  if (!included.ok) return t.fail(included.error);
  const result = importNginx(source.value, included.value, capabilities());
  if (!result.ok) return t.fail(result.error.problem);
  t.match(result.value.toml, 'bind = "0.0.0.0:2"');
  return t.same(
    result.value.entries.filter(({ verdict }) => verdict === 'dropped'),
    [],
  );
});

t.test('the file that is translated is never written over', async (t) => {
  const path = join(dir, 'own.cfg');
  writeFileSync(path, readFileSync(join(dir, 'good.cfg')));
  const { code, err } = await run('own.cfg', path);
  t.equal(code, 1);
  t.match(err, 'it is the file that is translated');
  t.match(readFileSync(path, 'utf8'), 'listen a');
});

t.test('nginx includes what lies below its folder, and nothing else is read', async (t) => {
  const place = t.testdir({
    'nginx.conf': 'stream { include d/*.conf; include ../../outside.conf; include none/*.conf; }\n',
    d: {
      'b.conf': 'server { listen 2; proxy_pass up; }\n',
      'a.conf': 'upstream up { server 127.0.0.1:9; }\n',
      'c.txt': '"',
    },
  });
  const source = await readSource(join(place, 'nginx.conf'));
  if (!source.ok) return t.fail(source.error);
  const included = await readIncluded(source.value);
  if (!included.ok) return t.fail(included.error);
  t.same([...included.value.keys()], ['d/*.conf', 'none/*.conf']);
  const result = importNginx(source.value, included.value, capabilities());
  if (!result.ok) return t.fail(result.error.problem);
  t.match(result.value.toml, 'bind = "0.0.0.0:2"');
  const dropped = result.value.entries.filter(({ verdict }) => verdict === 'dropped');
  return t.same(
    dropped.map(({ text }) => text),
    ['include ../../outside.conf'],
  );
});
