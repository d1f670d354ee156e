/** Every example of docs/library.md runs, and ends by itself: nothing keeps its process alive. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mustRun } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { examplesOf } from './example_code.js';

/** Inside of the package, so that its name leads to itself. */
const FOLDER = join(repositoryRoot, 'dist/examples-of-docs');

t.test('each example runs to its end by itself', async (t) => {
  const examples = await examplesOf(t, 'docs/library.md');
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  t.ok(examples.length >= 5);
  for (const [index, code] of examples.entries()) {
    const file = join(FOLDER, `${index}.mjs`);
    writeFileSync(file, code);
    const output = await mustRun(process.execPath, [file]);
    t.notMatch(output, 'Error', `example ${index}`);
  }
});
