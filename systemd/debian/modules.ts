/** Which modules of node_modules sluice runs with, and which of their files. */
import { readdirSync } from 'node:fs';
import { basename, extname, join, posix } from 'node:path';

/** A line of package-lock.json: `dev` is there for what only builds and tests use. */
export interface Locked {
  readonly dev?: boolean;
}

/** What no program reads while it runs. */
const NOT_RUN = new Set('.md .html .map .ts .cts .mts .sh .c .cc .h .hh .def'.split(' '));
/** At the top of a module; further down they may be code (`yaml/dist/doc`). */
const NOT_RUN_FOLDERS = ['doc', 'docs', 'test', 'tests', 'benchmarks', 'examples', 'vendor'];
const LICENCE = /^(licen[cs]e|notice|copying)/i;

/** Folders (`node_modules/pino`) of what runs; `packages` as in package-lock.json. */
export function productionModules(packages: Readonly<Record<string, Locked>>): string[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true)
    .map(([path]) => path)
    .sort();
}

/** Whether a file of a module, by its path in there, is installed. */
export function isInstalled(path: string): boolean {
  const [top = '', ...below] = path.split('/');
  const name = basename(path);
  if (LICENCE.test(name)) return true;
  if (below.length > 0 && (top.startsWith('.') || NOT_RUN_FOLDERS.includes(top))) return false;
  // Debian's C library is glibc.
  if (top.startsWith('musl_')) return false;
  return !name.startsWith('.') && !NOT_RUN.has(extname(name)) && name !== 'CMakeLists.txt';
}

/** All files below `folder`, sorted, by their paths in there; none if it does not exist. */
export function filesBelow(folder: string, at = ''): string[] {
  let entries: ReturnType<typeof readFolder>;
  try {
    entries = readFolder(join(folder, at));
  } catch {
    return [];
  }
  return entries
    .flatMap((entry) => {
      const path = posix.join(at, entry.name);
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    })
    .sort();
}

function readFolder(path: string) {
  return readdirSync(path, { withFileTypes: true });
}
