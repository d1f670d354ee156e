/**
 * `npm run bench`: sluice beside HAProxy, nginx and others. What is asked, how it is measured and
 * how to read it stands in benchmarks/README.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { repositoryRoot } from '../../test/support/repository.js';
import { LOAD_CORE } from './cores.js';
import { HELP, type Options, parseOptions } from './options.js';
import { withTable } from './readme_table.js';
import { renderReport } from './report.js';
import { run } from './run.js';
import type { Results } from './sample.js';
import { readSamples, writeSamples } from './samples_file.js';

const PUBLISHED = 'benchmarks/results';
const REPORT = 'report';

const options = parseOptions(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`${options}\n\n${HELP}`);
  process.exit(2);
}
// Children end with this process, by whatever it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main(options);

async function main(options: Options): Promise<void> {
  switch (options.task) {
    case 'help':
      process.stdout.write(HELP);
      return;
    case 'report':
      publish(readSamples(join(repositoryRoot, PUBLISHED)), PUBLISHED);
      return;
    case 'measure': {
      takeCore();
      const results = await run(options, (line) => process.stderr.write(`${line}\n`));
      const folder = options.folder ?? PUBLISHED;
      mkdirSync(resolve(repositoryRoot, folder), { recursive: true });
      writeSamples(resolve(repositoryRoot, folder), results);
      publish(results, folder);
      process.stdout.write(`${renderReport(results)}\nSamples and report: ${folder}\n`);
    }
  }
}

/** Everything that this process starts stays on its core, but for the proxies. */
function takeCore(): void {
  if (availableParallelism() < 2) {
    process.stderr.write('Two cores are needed: one for the proxy, one for all else.\n');
    process.exit(1);
  }
  execFileSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
}

/** Writes the report; published figures also stand in the README. */
function publish(results: Results, folder: string): void {
  writeFileSync(resolve(repositoryRoot, folder, `${REPORT}.md`), renderReport(results));
  if (folder !== PUBLISHED) return;
  const readme = join(repositoryRoot, 'README.md');
  const text = withTable(readFileSync(readme, 'utf8'), results);
  if (text !== null) writeFileSync(readme, text);
}
