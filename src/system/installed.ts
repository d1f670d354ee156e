/** Whether the program that is installed is still the one that this process was started from. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installedProgram, type Program } from './successor.js';

/** What an installation replaces, below the folder of the package. */
const PARTS = ['package.json', 'bin', 'dist/src'] as const;
/** Files that are looked at together. */
const AT_ONCE = 64;

export class Installed {
  readonly #program: Program;
  readonly #first: Promise<string | null>;

  /** To be made at the start: what is there then is what runs. */
  constructor(program: Program = installedProgram()) {
    this.#program = program;
    this.#first = markOf(program);
  }

  /** What cannot be read is another one, or will be: it is being installed. */
  async isAnother(): Promise<boolean> {
    const [first, now] = [await this.#first, await markOf(this.#program)];
    return first === null || now === null || first !== now;
  }
}

/** Differs where a file was replaced or written; links are followed. null: it cannot be read. */
async function markOf({ command, script }: Program): Promise<string | null> {
  try {
    const root = await packageOf(await realpath(script));
    const below = await Promise.all(PARTS.map((part) => filesBelow(join(root, part))));
    const files = [await realpath(command), ...below.flat()].sort();
    const marks: string[] = [];
    for (let from = 0; from < files.length; from += AT_ONCE) {
      marks.push(...(await Promise.all(files.slice(from, from + AT_ONCE).map(fileMark))));
    }
    return marks.join('\n');
  } catch {
    return null;
  }
}

/** The nearest folder above `file` that is a package with what is looked at. */
async function packageOf(file: string): Promise<string> {
  const folder = dirname(file);
  const isThere = await stat(join(folder, 'dist/src')).then(
    () => true,
    () => false,
  );
  return isThere || folder === file ? folder : packageOf(folder);
}

async function filesBelow(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(pathOf);
}

/** Node.js 20.12 has renamed `path`. */
function pathOf(entry: { readonly name: string; readonly parentPath?: string }): string {
  return join(entry.parentPath ?? '', entry.name);
}

async function fileMark(path: string): Promise<string> {
  const { dev, ino, size, mtimeMs } = await stat(path);
  return `${path} ${dev} ${ino} ${size} ${mtimeMs}`;
}
