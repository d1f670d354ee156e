/**
 * Whatever stands in a configuration, each of its words stands in exactly one list of the report;
 * nothing is thrown, nothing hangs, and what is written passes check. ROUNDS= makes it longer.
 */
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import type { Capabilities } from '../../src/import/capabilities.js';
import { capabilities } from '../../src/import/capabilities.js';
import { readNodes, type StatementNode } from '../../src/import/nginx/words.js';
import type { ReportLine } from '../../src/import/statement.js';
import { seed } from '../support/seed.js';
import { FIXTURES, type Fixture, importFixture } from './fixtures.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 400);

const NONE: Capabilities = {
  access: 'not here',
  limits: 'not here',
  routes: 'not here',
  discovery: 'not here',
  source: 'not here',
  control: 'not here',
};

/** What a later version may have; what comes out is nothing that this one checks. */
const ALL: Capabilities = {
  access: 'here',
  limits: 'here',
  routes: 'here',
  discovery: 'here',
  source: 'here',
  control: 'here',
};

const pick = <T>(random: Random, items: readonly T[]): T | undefined =>
  items[below(random, items.length)];

const WORDS = [
  ...[
    'server',
    'listen',
    'defaults',
    'balance',
    'source',
    '127.0.0.1:80',
    ':::1',
    '0',
    '-1',
    '99d',
  ],
  ...[
    'no',
    'option',
    'check',
    '"',
    "'",
    '\\',
    `"$\{X}"`,
    '__proto__',
    'constructor',
    '*',
    '[::1]:5',
  ],
  ...[
    '9999999999999',
    'a'.repeat(300),
    '{',
    '}',
    ';',
    '$x',
    '#',
    'é',
    '\u0000',
    'if',
    'unless',
    '!',
  ],
  ...[
    'include',
    'upstream',
    'udp',
    'unix:/x',
    '1-2',
    'weight',
    'port',
    'hex:',
    '\\x80',
    '||',
    'on',
  ],
];

/** One small change of the kind that people and editors make. */
function mutate(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = below(random, lines.length);
  const words = (lines[at] ?? '').split(' ');
  const word = below(random, words.length);
  switch (below(random, 7)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n');
    case 1:
      return lines.toSpliced(at, 0, pick(random, lines) ?? '').join('\n');
    case 2:
      return lines.with(at, words.with(word, pick(random, WORDS) ?? '').join(' ')).join('\n');
    case 3:
      return lines.with(at, words.toSpliced(word, 1).join(' ')).join('\n');
    case 4: {
      const other = (pick(random, lines) ?? '').split(' ');
      return lines
        .with(at, words.toSpliced(word, 0, pick(random, other) ?? '').join(' '))
        .join('\n');
    }
    case 5:
      return lines.with(at, words.with(word, words[word]?.slice(1) ?? '').join(' ')).join('\n');
    default: {
      const cut = below(random, text.length);
      return text.slice(0, cut) + String.fromCharCode(below(random, 128)) + text.slice(cut + 1);
    }
  }
}

/** What is wrong with the answer; undefined: nothing. */
async function flaw(fixture: Fixture, has: Capabilities): Promise<string | undefined> {
  const result = await importFixture(fixture, has);
  if (!result.ok) {
    const { line, problem } = result.error;
    return line >= 1 && problem !== '' && !problem.includes('\n') ? undefined : 'a bad fault';
  }
  const { entries, toml } = result.value;
  const loaded = loadConfig(toml, 'toml');
  if (!loaded.ok && has !== ALL) return `check: ${loaded.error.map(formatIssue).join(' | ')}`;
  const silent = entries.find(({ notes, text }) => notes.length === 0 || text === '');
  if (silent !== undefined) return `says nothing: ${JSON.stringify(silent)}`;
  return unaccounted(expectedText(fixture), entries);
}

/** What nginx reads depends on where a quote stands, so that its own reader says the words. */
function expectedText({ kind, text }: Fixture): string {
  if (kind === 'haproxy') return withoutComments(text);
  const words = (nodes: readonly StatementNode[]): string =>
    nodes.map(({ statement, children }) => statement.text() + words(children ?? [])).join('');
  const nodes = readNodes({ file: '', text });
  return nodes.ok ? words(nodes.value) : '';
}

/**
 * Compares letters only: quotes, spaces and what holds a statement together are no
 * words.
 */
function unaccounted(text: string, entries: readonly ReportLine[]): string | undefined {
  const plain = (one: string): string => one.replace(/[^A-Za-z0-9]/g, '');
  const told = plain(entries.map((entry) => entry.text).join(' '));
  const wanted = plain(text);
  if (told === wanted) return undefined;
  let at = 0;
  while (told[at] === wanted[at]) at++;
  return `after ${JSON.stringify(wanted.slice(Math.max(0, at - 40), at))}: ${JSON.stringify(wanted.slice(at, at + 40))} became ${JSON.stringify(told.slice(at, at + 40))}`;
}

function withoutComments(text: string): string {
  return text.replace(/\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|#[^\n]*/g, (found) =>
    found.startsWith('#') ? '' : found,
  );
}

t.test('each word of a configuration stands in exactly one list', async (t) => {
  for (const fixture of FIXTURES) {
    t.equal(await flaw(fixture, capabilities()), undefined, fixture.name);
    t.equal(await flaw(fixture, NONE), undefined, `${fixture.name}, with the least`);
    t.equal(await flaw(fixture, ALL), undefined, `${fixture.name}, with the most`);
  }
});

t.test("the words of nginx' files are all of them but their comments", async (t) => {
  const letters = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '');
  for (const fixture of FIXTURES) {
    if (fixture.kind !== 'nginx') continue;
    t.equal(letters(expectedText(fixture)), letters(withoutComments(fixture.text)), fixture.name);
  }
});

t.test(`so does each word of a mutated one (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const fixture = pick(random, FIXTURES);
    if (fixture === undefined) return t.fail('no fixtures');
    let { text } = fixture;
    for (let i = below(random, 5); i >= 0; i--) text = mutate(random, text);
    const has = [capabilities(), NONE, ALL][round % 3] ?? NONE;
    const found = await flaw({ ...fixture, text }, has);
    if (found !== undefined) return t.fail(found, { name: fixture.name, text });
  }
  return t.pass(`${ROUNDS} rounds`);
});

t.test('what is beyond the limit of backends is dropped, and the rest passes check', async (t) => {
  const servers = (count: number, line: (address: string) => string): string =>
    Array.from({ length: count }, (_, at) => line(`10.0.${at >> 8}.${at & 255}:80`)).join('\n');
  const both = 'server { listen 1; proxy_pass u; } server { listen 1 udp; proxy_pass u; }';
  const pool = servers(8_193, (address) => `server ${address};`);
  const one = 'server { listen 2; proxy_pass 10.1.0.0:80; }';
  for (const fixture of [
    { kind: 'nginx', name: 'big.conf', text: `stream { upstream u {\n${pool} }\n${both} ${one} }` },
    {
      kind: 'haproxy',
      name: 'big.cfg',
      text: `listen a\n bind :1\n${servers(16_385, (address) => ` server s${address} ${address}`)}\n`,
    },
  ] as const) {
    t.equal(await flaw(fixture, NONE), undefined, fixture.name);
    const result = await importFixture(fixture, NONE);
    if (!result.ok) return t.fail(JSON.stringify(result.error));
    const full = result.value.entries.filter(({ notes }) => /16384 backends/.test(notes.join()));
    t.ok(full.length > 0 && full.every(({ verdict }) => verdict === 'dropped'), fixture.name);
  }
  return t.end();
});
