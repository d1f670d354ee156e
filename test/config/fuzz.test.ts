/**
 * Whatever a file says, loadConfig answers: a Spec or issues, and never an exception. ROUNDS= makes
 * it longer.
 */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { diffSpecs, isUnchanged } from '../../src/config/diff.js';
import { confFile } from '../../src/config/generate/documents.js';
import { formatIssue, type Issue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 400);

const SEEDS: readonly string[] = [
  'annotated.toml',
  'minimal.toml',
  ...readdirSync(confFile('examples')).map((name) => `examples/${name}`),
].map((name) => readFileSync(confFile(name), 'utf8').replace(/^#.*\n/gm, ''));

const VALUES = [
  '0',
  '-1',
  '1.5',
  '1e99',
  'nan',
  '-inf',
  '9007199254740991',
  'true',
  '""',
  '"x"',
  '"5s"',
  '"0s"',
  '"\\u0000"',
  '"__proto__"',
  '"64KiB"',
  '"unix:/x"',
  '"0.0.0.0:80"',
  '"[::]:80"',
  '[]',
  '[1, "x"]',
  '["10.0.0.0/8"]',
  '[[[]]]',
  '{}',
  '{ a = 1 }',
  '{ __proto__ = 1 }',
  '[{ send = "x" }, {}]',
  '2026-01-01',
  '07:00:00',
  '"udp"',
  '"tcp"',
  '"dns"',
  '"send-expect"',
  '"epoll"',
  '[',
];

const KEYS = [
  '__proto__',
  'constructor',
  '""',
  'a.b.c',
  'bind',
  'health.probe',
  'hash',
  'steps',
  'é',
];

const pick = <T>(random: Random, items: readonly T[]): T | undefined =>
  items[below(random, items.length)];

/** One small change of the kind that people and editors make. */
function mutate(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = below(random, lines.length);
  const line = lines[at] ?? '';
  switch (below(random, 8)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n');
    case 1:
      return lines.toSpliced(at, 0, pick(random, lines) ?? '').join('\n');
    case 2:
      return lines.with(at, line.replace(/=.*/, `= ${pick(random, VALUES)}`)).join('\n');
    case 3:
      return lines.with(at, line.replace(/^\w+/, pick(random, KEYS) ?? '')).join('\n');
    case 4:
      return lines.toSpliced(at, 0, `${pick(random, KEYS)} = ${pick(random, VALUES)}`).join('\n');
    case 5:
      return lines.with(at, line.slice(0, below(random, line.length + 1))).join('\n');
    case 6: {
      const cut = below(random, text.length);
      return text.slice(0, cut) + String.fromCharCode(below(random, 128)) + text.slice(cut + 1);
    }
    default:
      return lines.with(at, line.replace(/[\w.]+\]/, `${pick(random, KEYS)}]`)).join('\n');
  }
}

/** Undefined when nothing is wrong with the issues themselves. */
function flaw(issues: readonly Issue[], text: string): string | undefined {
  const lines = text.split('\n');
  if (issues.length === 0) return 'a bad file without an issue';
  for (const [index, issue] of issues.entries()) {
    const { line, column, problem, expected, got } = issue;
    if (formatIssue(issue).includes('\n')) return `more than one line: ${formatIssue(issue)}`;
    if ([problem, expected, got].some((part) => part === '')) return 'an empty part';
    // One past the end is where something is missing.
    if (column > (lines[line - 1]?.length ?? -1) + 1) return `no such place: ${formatIssue(issue)}`;
    const before = issues[index - 1];
    if (before !== undefined && before.line > line) return 'not in the order of the file';
  }
  const all = issues.map(formatIssue);
  return new Set(all).size === all.length ? undefined : 'the same issue twice';
}

t.test(
  `mutated configurations never throw, and their issues are sound (SEED=${seed})`,
  async (t) => {
    const random = seededRandom(seed);
    const seen = { good: 0, bad: 0, syntax: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      let text = pick(random, SEEDS) ?? '';
      for (let i = below(random, 4); i >= 0; i--) text = mutate(random, text);
      const loaded = loadConfig(text, 'f');
      if (loaded.ok) {
        seen.good++;
        const { spec } = loaded.value;
        if (!isUnchanged(diffSpecs(spec, spec))) return t.fail('differs', { text });
      } else {
        seen[loaded.error[0]?.code === 'syntax' ? 'syntax' : 'bad']++;
        const found = flaw(loaded.error, text);
        if (found !== undefined) return t.fail(found, { text });
      }
    }
    return t.ok(Math.min(...Object.values(seen)) > ROUNDS / 50, JSON.stringify(seen));
  },
);
