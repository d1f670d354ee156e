/** The files of the repository, for the checks of the house: sources parsed once, and documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from '../../support/repository.js';

/** Not ours, or made from what is. */
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.tap']);

export interface Source {
  /** From the root, with slashes: `src/core/brand.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written: `./brand.js`, `node:fs`, `pino`. */
  readonly specifier: string;
  /** The file of the repository that it names; null for packages and Node.js. */
  readonly file: string | null;
  /** `type`: gone when compiled. */
  readonly kind: 'value' | 'type';
}

/** All paths below the root whose name ends in `ending`, sorted. */
export function filesEnding(ending: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(repositoryRoot, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile() && entry.name.endsWith(ending)) found.push(path);
    }
  };
  walk('.');
  return found.sort();
}

export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

export const sources: readonly Source[] = filesEnding('.ts').map((path) => {
  const text = readText(path);
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, lines: text.split('\n'), tree, imports: importsOf(path, tree) };
});

/** The sources below `folder` (`src`, `src/kernel`). */
export function below(folder: string): readonly Source[] {
  return sources.filter(({ path }) => path.startsWith(`${folder}/`));
}

/** Every node of the file, in order. */
export function* nodes(node: ts.Node): IterableIterator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodes(child);
}

/** `src/core/brand.ts:12`, for the message of a failed check. */
export function place(source: Source, node: ts.Node): string {
  const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart());
  return `${source.path}:${line + 1}`;
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = [];
  for (const node of nodes(tree)) {
    const specifier = specifierOf(node);
    if (specifier === null) continue;
    found.push({ specifier, file: resolve(path, specifier), kind: kindOf(node) });
  }
  return found;
}

/** What `node` imports, if it does: statements, `import('x')`, `require('x')` and their like. */
function specifierOf(node: ts.Node): string | null {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return literal(node.moduleSpecifier);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return literal(node.argument.literal);
  }
  if (!ts.isCallExpression(node)) return null;
  const callee = node.expression.getText();
  const loads = /^(import|require|createRequire\(.*\))$/.test(callee);
  return loads ? literal(node.arguments[0]) : null;
}

function kindOf(node: ts.Node): Import['kind'] {
  if (ts.isImportTypeNode(node)) return 'type';
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? 'type' : 'value';
  return ts.isImportDeclaration(node) && node.importClause?.isTypeOnly ? 'type' : 'value';
}

function literal(node: ts.Node | undefined): string | null {
  return node && ts.isStringLiteral(node) ? node.text : null;
}

function resolve(path: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.join(dirname(path), specifier).replace(/\.js$/, '.ts');
}
