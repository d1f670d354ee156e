/** `sluice discover` shows what each source would get, and why one would get nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { discover } from '../../src/cli/discover.js';
import { tempFolder } from '../support/places.js';

async function run(t: Test, toml: string, words: Record<string, unknown> = {}) {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'a'), '10.0.0.1:1\n10.0.0.2:1\n');
  const file = join(folder, 'sluice.toml');
  const listener = '[listeners.l]\nbind = "127.0.0.1:0"\npool = "p"\n[pools.p]\n';
  writeFileSync(file, listener + toml.replaceAll('FOLDER', folder));
  const said: string[] = [];
  const sink = { write: (text: string) => said.push(text) };
  const code = await discover(file, words as never, sink, sink);
  return { code, text: said.join('').replaceAll(folder, 'FOLDER') };
}

const GOOD = '[[pools.p.discovery]]\nkind = "file"\npath = "FOLDER/a"\n';
const BAD = '[[pools.p.discovery]]\nkind = "file"\npath = "FOLDER/b"\n';

t.test('every source is asked once, and a failure is in the exit code', async (t) => {
  t.same(await run(t, GOOD), {
    code: 0,
    text: 'p: file FOLDER/a: 2 members\n  10.0.0.1:1 weight 1\n  10.0.0.2:1 weight 1\n',
  });
  const { code, text } = await run(t, GOOD + BAD);
  t.equal(code, 1);
  t.match(text, /p: file FOLDER\/b: unreachable: FOLDER\/b: no such file \(ENOENT\)\n$/);
  t.match(await run(t, `${GOOD}limit = 1\n`), { code: 1, text: /above the limit of 1/ });
  t.match(await run(t, ''), { code: 0, text: /no pool has a source/ });
  t.match(await run(t, 'policy = 7\n'), { code: 1, text: /unknown value/ });
});

t.test('however many are asked at once, Node.js sees no leak in it', async (t) => {
  const warnings: string[] = [];
  const note = ({ name, message }: Error): number => warnings.push(`${name}: ${message}`);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  const urls = Array.from({ length: 12 }, (_, n) => `"http://127.0.0.1:1/${n}"`).join();
  const patroni = `[[pools.p.discovery]]\nkind = "patroni"\nurls = [${urls}]\n`;
  const files = Array.from({ length: 12 }, (_, n) => GOOD.replace('/a', `${'/.'.repeat(n)}/a`));
  const { text } = await run(t, patroni + files.join(''));
  t.equal(text.match(/2 members/g)?.length, 12);
  t.match(text, /unreachable/);
  t.same(warnings, []);
});

t.test('programs get JSON', async (t) => {
  const { text } = await run(t, GOOD, { json: true });
  t.match(JSON.parse(text), {
    items: [
      { pool: 'p', source: 'file FOLDER/a', members: [{ address: '10.0.0.1:1', weight: 1 }] },
    ],
    next: null,
  });
});
