/** The texts that users read are about backends, clients and settings: plain, and never riddles. */
import t from 'tap';
import ts from 'typescript';
import { below, filesEnding, nodes, place, readText } from './support/tree.js';

/** What a first reader stops at, and what says it better. */
const BETTER: readonly (readonly [RegExp, string])[] = [
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
/** What stands for itself in a rule or a script is no sentence. */
const MIN_LENGTH = 12;

const faultsOf = (text: string): string[] =>
  BETTER.flatMap(([word, better]) => {
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

function textOf(node: ts.Node): string {
  const isText =
    ts.isStringLiteralLike(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node);
  return isText ? node.text : '';
}
