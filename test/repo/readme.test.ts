/** What documents say to type and to write works, and what they say of the code is so. */
import t from 'tap';
import { COMMANDS } from '../../src/cli/commands.js';
import { CTL_OPTIONS } from '../../src/cli/ctl/ctl.js';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { PROBE_KINDS } from '../../src/config/schema/probe_keys.js';
import { BACKEND_STATES } from '../../src/core/backend_states.js';
import { CAUSES } from '../../src/core/outcome.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { EVENTS } from '../../src/observe/events.js';
import { filesEnding, readText } from './support/tree.js';

/** Without lines on what a later version will have. */
const pages = filesEnding('.md').map((path) => ({
  path,
  text: readText(path).replace(/^.*Not in this version.*$/gm, ''),
}));

/** Code blocks of `language`, without their fences. */
function blocks(text: string, language: string): string[] {
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...found].map(([, body = '']) => body);
}

t.test('every TOML block of a document is a configuration that loads', async (t) => {
  const snippets = pages.flatMap(({ path, text }) =>
    blocks(text, 'toml').map((body) => ({ path, body })),
  );
  t.ok(snippets.length >= 4);
  for (const { path, body } of snippets) {
    const loaded = loadConfig(body, path);
    t.same(loaded.ok ? [] : loaded.error.map(formatIssue), [], body.split('\n')[0] ?? path);
  }
});

t.test('every command of sluice that a document names exists, with its options', async (t) => {
  const names = COMMANDS.map(({ name }) => name);
  const uses = pages.flatMap(({ path, text }) => {
    const code = [...blocks(text, 'sh'), ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, c]) => c)];
    return code.flatMap((body = '') =>
      [...body.matchAll(/(?:^|[/\s])sluice ([a-z]+)((?: [^&|;#\n]*)?)/gm)].map(
        ([use, name = '', rest = '']) => ({ path, use, name, rest }),
      ),
    );
  });
  t.ok(uses.length >= 10);
  for (const { path, use, name, rest } of uses) {
    const line = COMMANDS[names.indexOf(name)];
    const below = /^(?: --socket \S+)? ([a-z-]+)/.exec(rest)?.[1];
    const command =
      line !== undefined && 'commands' in line && below !== undefined
        ? line.commands.find((one) => one.name === below)
        : line;
    const options =
      command === undefined || 'commands' in command
        ? []
        : [...command.options, ...(name === 'ctl' ? CTL_OPTIONS : [])];
    const flags = options.flatMap((option) => option.flags.match(/--?[a-z-]+/g) ?? []);
    const unknown = (rest.match(/(?<=\s)--?[a-z-]+/g) ?? []).filter(
      (flag) => flag !== '--help' && !flags.includes(flag),
    );
    t.ok(command !== undefined && unknown.length === 0, `${path}: ${use.trim()}`);
  }
});

t.test('README.md has a row for every command, and no other', async (t) => {
  const rows = [...readText('README.md').matchAll(/^\| `sluice (\w+)/gm)].map(([, name]) => name);
  t.same(
    rows,
    COMMANDS.map(({ name }) => name),
  );
});

t.test('README.md names every policy and every probe', async (t) => {
  const readme = readText('README.md');
  const names: readonly string[] = [...POLICY_NAMES, ...PROBE_KINDS];
  t.same(
    names.filter((name) => !readme.includes(`\`${name}\``)),
    [],
  );
});

t.test('events and metrics that README.md names are in the catalogues', async (t) => {
  const readme = readText('README.md');
  const metrics = readText('conf/metrics.md');
  for (const [name] of readme.matchAll(/\bsluice_\w+/g))
    t.ok(metrics.includes(`\`${name}\``), name);
  const isEvent = (word: string): boolean => word in EVENTS;
  for (const word of ['reload-failed', 'backend-down']) {
    t.ok(readme.includes(`\`${word}\``) && isEvent(word), word);
  }
});

t.test('docs/why.md has every cause of an end and every state of a backend', async (t) => {
  const page = readText('docs/why.md');
  const firstCells = [...page.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell);
  const told = firstCells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, w]) => w));
  t.same(told.toSorted(), [...CAUSES, ...BACKEND_STATES].toSorted());
});

t.test('ARCHITECTURE.md names every phase of a session and of a flow', async (t) => {
  const map = readText('ARCHITECTURE.md');
  for (const path of ['src/session/tcp/session.ts', 'src/session/udp/flow.ts']) {
    const arms = [...readText(path).matchAll(/\| \{ readonly at: '(\w+)'/g)].map(([, arm]) => arm);
    t.ok(arms.length >= 3, path);
    t.same(
      arms.filter((arm) => !map.includes(`\`${arm}\``)),
      [],
      path,
    );
  }
});

t.test('files and folders that a document names in code are there', async (t) => {
  const tracked = filesEnding('');
  const isThere = (path: string): boolean =>
    tracked.some((file) => file === path || file.startsWith(path.replace(/\/?$/, '/')));
  const missing = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|conf|docs|benchmarks|systemd|bin)\/[\w./-]+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !isThere(name))
      .map((name) => `${path}: ${name}`),
  );
  t.same(missing, []);
});
