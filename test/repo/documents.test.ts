/** Documents say what is there: links lead somewhere, commands exist, no machine is named. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../support/repository.js';
import { filesEnding, readText, sources } from './support/tree.js';

const pages = filesEnding('.md').map((path) => ({ path, text: readText(path) }));
/** Documents of others that comments cite as their source. */
const CITED = new Set(['xxhash_spec.md']);
const BLOCKS = /^```[\s\S]*?^```/gm;
const pageNames = new Set(pages.map(({ path }) => basename(path)));

t.test('links between documents lead to files and headings that exist', async (t) => {
  const broken = pages.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^(https?|mailto):/.test(target) && !leads(path, target))
      .map((target) => `${path}: ${target}`),
  );
  t.same(broken, []);
});

t.test('scripts that documents name are in package.json', async (t) => {
  const { scripts } = JSON.parse(readText('package.json'));
  const unknown = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test|start)\b)/g)]
      .map(([, run, short]) => run ?? short ?? '')
      .filter((name) => !(name in scripts))
      .map((name) => `${path}: npm run ${name}`),
  );
  t.same(unknown, []);
});

t.test('a document that is named is there', async (t) => {
  const texts = [...pages, ...sources];
  const missing = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w/:.-])[\w./-]*?([\w-]+\.md)\b/g)]
      .map(([, name = '']) => name)
      .filter((name) => !pageNames.has(name) && !CITED.has(name))
      .map((name) => `${path}: ${name}`),
  );
  t.same(missing, []);
});

t.test('files and names of the code that the map and the recipes name are there', async (t) => {
  const files = filesEnding('.ts');
  const words = new Set(sources.flatMap(({ text }) => text.match(/[A-Za-z_]\w*/g) ?? []));
  const scripts = readText('.ci/run');
  const named = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((path) =>
    [
      ...readText(path)
        .replace(BLOCKS, '')
        .matchAll(/`([^`\n]+)`/g),
    ].map(([, code = '']) => ({
      path,
      code,
    })),
  );
  const missing = named.filter(({ code }) => {
    if (/^[\w/.-]+\.ts$/.test(code)) return !files.some((file) => `/${file}`.endsWith(`/${code}`));
    // Letters of both cases, or capitals and low lines: an identifier. Others may be plain words.
    const identifiers = code.match(/\b(?:[A-Za-z]+[a-z][A-Z]\w*|[A-Z][a-z]+\w*|[A-Z]+_\w+)\b/g);
    const isCode = /^[\w#.(){}<>…,:'\s=-]+$/.test(code);
    return isCode && identifiers?.some((name) => !words.has(name) && !scripts.includes(name));
  });
  t.ok(named.length > 300, 'names are found');
  t.same(
    missing.map(({ path, code }) => `${path}: ${code}`),
    [],
  );
});

t.test('each decision has a number of its own, which its heading repeats', async (t) => {
  const decisions = pages.filter(({ path }) => /\/adr\/\d{4}-/.test(path));
  const numbers = decisions.map(({ path }) => Number(basename(path).slice(0, 4)));
  t.same(
    numbers.filter((number, at) => numbers.indexOf(number) !== at),
    [],
  );
  const misnamed = decisions.filter(({ text }, at) => !text.startsWith(`# ${numbers[at]}. `));
  t.same(
    misnamed.map(({ path }) => path),
    [],
  );
});

t.test('no file names a place on the machine that it was written on', async (t) => {
  const place = /(?<![\w.])\/(?:home|root|Users|work|tmp\/w)\//;
  const found = [...pages, ...sources].filter(({ text }) => place.test(text));
  t.same(
    found.map(({ path }) => path),
    [],
  );
});

function leads(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : posix.join(dirname(from), decodeURI(file));
  if (!existsSync(join(repositoryRoot, path))) return false;
  if (anchor === undefined || statSync(join(repositoryRoot, path)).isDirectory()) return true;
  return anchors(readText(path)).has(anchor);
}

/** Anchors of headings as GitHub makes them. */
function anchors(text: string): Set<string> {
  const headings = [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(BLOCKS, '').replace(/`[^`\n]*`/g, '');
}
