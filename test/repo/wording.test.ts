/** The texts that users read are about backends, clients and settings: plain, and never riddles. */
import t from 'tap';
import ts from 'typescript';
import { below, filesEnding, nodes, place, readText, sources } from './support/tree.js';

/** A rate, or a number for each of several things. */
const RATE: readonly [RegExp, string] = [
  new RegExp(
    '\\b(?:times|once|twice|sessions|connections|datagrams|exchanges|requests|questions|calls|probes' +
      '|looks|lines|tries|attempts|bytes|steps|MB|ns) an? (?:second|minute|hour|backend|pool|listener' +
      '|worker|session|turn|thread|kind|round|exchange|choice|look|entry|event)\\b',
    'i',
  ),
  'per second, per backend',
];
/** What a first reader stops at, and what says it better. */
const BETTER: readonly (readonly [RegExp, string])[] = [
  RATE,
  [/\b(?:whoever|whom)\b/i, 'a client that …, everybody who …'],
  [/\b(?:nobody|somebody)\b/i, 'no client, no backend, nothing; an operator, something'],
  [/\bso many (?:at|are|equal|bits|lines|new|that|of)\b/i, 'how many, this many'],
  [/\b(?:is|are|be|was|not) told\b|\btells? (?:of|it)\b/i, 'reported, shown, known'],
];
/** Rooms whose sentences reach users: of an API, a reference, a command, the log, metrics. */
const ROOMS = [
  'src/config',
  'src/observe',
  'src/cli',
  'src/control/api',
  'src/admin',
  'src/import',
];
const PAGES = [
  'README.md',
  'docs/operating.md',
  'docs/why.md',
  'docs/library.md',
  'docs/import.md',
  'docs/several-machines.md',
  'systemd/README.md',
  'conf/observability/README.md',
  'conf/container/README.md',
  'CONTRIBUTING.md',
  ...filesEnding('.toml').filter((path) => path.startsWith('conf/')),
];
/** Of things in code: a person may be somebody, a backend, a thread and a function are not. */
const THINGS: readonly (readonly [RegExp, string])[] = [
  RATE,
  [
    /\b(?:nobody|somebody|everybody|anybody|whoever|whom)\b/i,
    'no client, a thread that …, every …',
  ],
  [/(?<!\b(?:operators?|users?|people|persons?) )\bwho\b/i, 'which, that, the caller'],
  [/\bhears? (?:of|that|how|when|why)\b/i, 'is called for, gets, learns'],
  [/\btells? (?:of|which|when|how|whether|more|apart|them|by)\b/i, 'reports, shows, distinguishes'],
  [/\bso many (?:of|at|a|an|that|are|in)\b/i, 'this many, as many as, a limited number'],
];
/** About persons, about the user of that name, and questions of a report as it was made. */
const ALLOWED = new Set([
  '/** `sluice ctl overrides`: what deviates from the file, who changed it, and until when. */',
  '/** The caller with the user id `user`; null: the kernel does not say who it is. */',
  "'it runs by the default seccomp profile, as nobody, and says why it is slower',",
  "'A long tail (Pareto) at 70 % load over 10 equal backends: who gets stuck behind one?',",
  "'One of 10 dies for 10 s, and health notices after 3 s, at 60 % load: who keeps trying it?',",
]);
/** In names of files and of code too. */
const PERSONS = /nobody|somebody|everybody|anybody|whoever/i;
/** A line of a comment, or the name of a test. */
const SPOKEN = /^\s*(?:\/\/|\/\*|\*|(?:await )?t\.test\(['`]|['`][^'`]* [^'`]*['`],$)/;
/** This file names what it forbids. */
const SELF = 'test/repo/wording.test.ts';
/** What stands for itself in a rule or a script is no sentence. */
const MIN_LENGTH = 12;

const faultsOf = (text: string, rules = BETTER): string[] =>
  rules.flatMap(([word, better]) => {
    const found = word.exec(text)?.[0];
    return found === undefined ? [] : [`"${found}": rather ${better}`];
  });

t.test('the sentences of the reference, the commands, the log and the API are plain', async (t) => {
  let sentences = 0;
  const found = ROOMS.flatMap((room) => below(room)).flatMap((source) =>
    [...nodes(source.tree)].flatMap((node) => {
      const text = textOf(node);
      if (text.length < MIN_LENGTH || !text.includes(' ') || text.includes('\n')) return [];
      sentences++;
      return faultsOf(text).map((fault) => `${place(source, node)}: ${fault}`);
    }),
  );
  t.ok(sentences > 1_000, 'sentences are found');
  t.same(found, []);
});

t.test('the pages for users are plain', async (t) => {
  const found = PAGES.flatMap((page) =>
    readText(page)
      .replace(/```[\s\S]*?```/g, (code) => code.replace(/[^\n]/g, ''))
      .split('\n')
      .flatMap((line, at) => faultsOf(line).map((fault) => `${page}:${at + 1}: ${fault}`)),
  );
  t.same(found, []);
});

t.test('comments and names of tests call a thing a thing', async (t) => {
  const code = sources.filter(({ path }) => /^(?:src|test|benchmarks)\//.test(path));
  const found = code.flatMap(({ path, lines }) =>
    lines.flatMap((line, at) => {
      if (path === SELF || !SPOKEN.test(line) || ALLOWED.has(line.trim())) return [];
      // Names of code stand in backquotes.
      const text = line.replace(/`[^`]*`/g, '');
      return faultsOf(text, THINGS).map((fault) => `${path}:${at + 1}: ${fault}`);
    }),
  );
  t.ok(code.length > 1_500, 'code is found');
  t.same(found, []);
});

t.test('no name in src is of a person that is meant to be a thing', async (t) => {
  const found = sources
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap(({ path, lines }) => [path, ...lines].filter((line) => PERSONS.test(line)));
  t.same(found, []);
});

/** IN_A_ROW and AT_A_TIME are no rates. */
const NO_RATE = /^(?:\w+_)?(?:IN_A_ROW|AT_A_TIME)$/;

t.test('a constant per second or per worker has PER in its name', async (t) => {
  const found = sources.flatMap(({ path, lines }) =>
    lines.flatMap((line) =>
      [...line.matchAll(/\b[A-Z0-9_]+_AN?_[A-Z0-9_]+\b/g)]
        .map(([name]) => name)
        .filter((name) => !NO_RATE.test(name))
        .map((name) => `${path}: ${name}`),
    ),
  );
  t.same(found, []);
});

function textOf(node: ts.Node): string {
  const isText =
    ts.isStringLiteralLike(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node);
  return isText ? node.text : '';
}
