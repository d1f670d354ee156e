/**
 * Which rooms may touch what: clock, timers and entropy in src/system only, each library in one
 * file.
 */
import t from 'tap';
import ts from 'typescript';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { below, nodes, place, readText, type Source, sources } from './support/tree.js';

/** Reading the clock, waiting for it, or drawing entropy, as expressions in the source. */
const CLOCK = [
  'setTimeout',
  'setInterval',
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'process.hrtime.bigint',
  'process.uptime',
  'AbortSignal.timeout',
  'Math.random',
  'randomBytes',
  'randomInt',
  'randomUUID',
  'randomFillSync',
  'crypto.getRandomValues',
];

/** Time limits need a timer: a test that waits for an event in vain must end. */
const TIME_LIMITS = 'test/support/deadline.ts';

/** Where each library is known: one file, or one room. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'ansi-escapes': 'src/cli/top/screen.ts',
  commander: 'src/cli/',
  'dns-packet': 'src/discovery/dns/wire.ts',
  koffi: 'src/kernel/foreign.ts',
  pino: 'src/observe/log.ts',
  'prom-client': 'src/observe/metrics.ts',
  toml: 'src/config/toml.ts',
  yaml: 'src/discovery/kubeconfig.ts',
  zod: 'src/config/',
};
/** Where a backend's health is read: for a verdict, to see it change, and to say it. */
const VERDICTS = new Set([
  'src/pool/eligibility.ts',
  'src/control/backend_board.ts',
  'src/control/ejections.ts',
  'src/library/active_health.ts',
]);
/** By a plan. V8 leaves a table behind at each clear(), which keeps the next one alive. */
const CLEARED_SELDOM = new Set(['src/session/tcp/listener.ts', 'src/session/udp/listeners.ts']);
const SEVERAL_FILES = new Set(['zod']);

t.test('only src/system reads clock, timers and entropy', async (t) => {
  const others = below('src').filter(({ path }) => !path.startsWith('src/system/'));
  t.same(others.flatMap(clockReads), []);
});

t.test(
  'no test sleeps: timers are for time limits only, and those stand in one file',
  async (t) => {
    const found = below('test')
      .filter(({ path }) => path !== TIME_LIMITS)
      .flatMap((source) => uses(source, ['setTimeout', 'setInterval', 'AbortSignal.timeout']));
    t.same(found, []);
  },
);

t.test('the text of an address is read in one place', async (t) => {
  const parsers = ['isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'];
  t.same(
    below('src').flatMap((source) => uses(source, parsers)),
    [],
  );
});

t.test('nothing imports timers, which would hide a sleep', async (t) => {
  const found = sources.flatMap(({ path, imports }) =>
    imports.filter(({ specifier }) => /^(node:)?timers/.test(specifier)).map(() => path),
  );
  t.same(found, []);
});

t.test('what threads share says so when it breaks: no wall may contain it', async (t) => {
  const found = below('src/pool').flatMap((source) => uses(source, ['assert', 'present']));
  t.same(found, []);
});

t.test(
  'only the Spec, the configuration, the importer and balance know a policy by its name',
  async (t) => {
    const names: readonly string[] = POLICY_NAMES;
    const strangers = below('src').filter(
      ({ path }) => !/^src\/(balance|config|import)\/|^src\/core\/spec\.ts$/.test(path),
    );
    const found = strangers.flatMap((source) =>
      [...nodes(source.tree)]
        .filter((node) => ts.isStringLiteralLike(node) && names.includes(node.text))
        .map((node) => place(source, node)),
    );
    t.same(found, []);
  },
);

t.test('every verdict on a backend is made where all of them are', async (t) => {
  const read = /\bledger\.(health|closed)$/;
  const found = below('src')
    .filter(({ path }) => !VERDICTS.has(path))
    .flatMap((source) =>
      [...nodes(source.tree)]
        .filter((node) => ts.isCallExpression(node) && read.test(node.expression.getText()))
        .map((node) => place(source, node)),
    );
  t.same(found, []);
});

t.test('only one file knows a library', async (t) => {
  for (const [name, where] of Object.entries(LIBRARIES)) {
    const users = below('src')
      .filter(({ imports }) => imports.some(({ specifier }) => packageOf(specifier) === name))
      .map(({ path }) => path);
    t.ok(users.length <= 1 || SEVERAL_FILES.has(name), `${name}: ${users}`);
    for (const path of users) t.ok(path.startsWith(where), `${path} imports ${name}`);
  }
});

t.test('no set or map is cleared with each session', async (t) => {
  const found = ['src/session', 'src/engine/uring', 'src/pool', 'src/balance']
    .flatMap((room) => below(room))
    .filter(({ text }) => text.includes('.clear()'))
    .map(({ path }) => path);
  t.same(new Set(found), CLEARED_SELDOM);
});

t.test('every package that src imports is a dependency, and one with a place', async (t) => {
  const { dependencies, optionalDependencies } = JSON.parse(readText('package.json'));
  const allowed = new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
  t.same([...allowed].sort(), Object.keys(LIBRARIES).sort());
  const found = below('src').flatMap(({ path, imports }) =>
    imports
      .filter(({ file, specifier }) => file === null && !specifier.startsWith('node:'))
      .filter(({ specifier }) => !allowed.has(packageOf(specifier)))
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
  t.same(found, []);
});

function packageOf(specifier: string): string {
  return specifier.split('/')[0] ?? '';
}

function clockReads(source: Source): string[] {
  const found = uses(source, CLOCK);
  for (const node of nodes(source.tree)) {
    // `new Date()` is now; `new Date(x)` only formats x.
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date') {
      if (!node.arguments?.length) found.push(`${place(source, node)}: new Date()`);
    }
  }
  return found;
}

/**
 * Where `names` are called or handed on; a property of another object with the same name is not.
 */
function uses(source: Source, names: readonly string[]): string[] {
  const found: string[] = [];
  for (const node of nodes(source.tree)) {
    if (!ts.isIdentifier(node) && !ts.isPropertyAccessExpression(node)) continue;
    if (isPartOfName(node)) continue;
    const text = node.getText().replace(/^globalThis\./, '');
    if (names.includes(text)) found.push(`${place(source, node)}: ${text}`);
  }
  return found;
}

/** `x` in `a.x`, in `{ x: 1 }`, in the name of a method: no reference to a global. */
function isPartOfName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent))
    return parent.name === node;
  return ts.isPropertySignature(parent) || ts.isMethodSignature(parent);
}
