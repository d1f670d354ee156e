/**
 * `npm test [-- PATTERN …]`: runs the compiled tests with tap, those of the real binary last and
 * one at a time. A pattern is a part of a file's path below test/. The last line printed is
 * `N passed, N failed, N skipped` (tests at the top of a file), and the exit code is 0 only if none
 * failed. SLUICE_FORBID_SKIP=1 makes a skipped test a failure.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './support/repository.js';
import { type FileReport, TapReader, type TestReport } from './support/tap_reader.js';

/** Generous: a machine under load must not fail a test, a hang still ends. */
const FILE_TIMEOUT_SECONDS = 300;
const COMPILED = 'dist/test/';

const files = compiledTests(process.argv.slice(2));
if (files.length === 0) {
  console.error(`no test file matches ${process.argv.slice(2).join(' ')}`);
  process.exit(2);
}
const system = files.filter((file) => file.startsWith(`${COMPILED}system/`));
const others = files.filter((file) => !system.includes(file));
const reports = [...(await run(others, availableParallelism())), ...(await run(system, 1))];
process.exitCode = summarize(reports);

/** Paths below the root. Left-overs of tests whose source is gone are not run. */
function compiledTests(patterns: readonly string[]): string[] {
  return readdirSync(join(repositoryRoot, COMPILED), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js') && !path.split('/').includes('support'))
    .filter((path) => existsSync(join(repositoryRoot, 'test', path.replace(/js$/, 'ts'))))
    .filter((path) => patterns.length === 0 || patterns.some((part) => path.includes(part)))
    .sort()
    .map((path) => COMPILED + path);
}

/**
 * Runs `paths` in at most `jobs` processes and prints a line for each; resolves to their reports.
 */
async function run(paths: readonly string[], jobs: number): Promise<FileReport[]> {
  if (paths.length === 0) return [];
  const found: FileReport[] = [];
  const reader = new TapReader((report) => {
    found.push(report);
    console.log(oneLine(report));
  });
  const flags = ['run', '--reporter=tap', `--jobs=${jobs}`, `--timeout=${FILE_TIMEOUT_SECONDS}`];
  const tap = spawn(process.execPath, ['node_modules/.bin/tap', ...flags, ...paths], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(tap, 'exit');
  for await (const line of createInterface({ input: tap.stdout })) reader.line(line);
  const [code] = await exited;
  for (const file of paths.filter((path) => !found.some((report) => report.file === path))) {
    found.push(alone(file, 'tap did not run this file'));
  }
  if (code !== 0 && found.every((report) => report.failed.length === 0)) {
    found.push(alone('tap', `tap itself failed with exit code ${code}`));
  }
  return found;
}

function alone(file: string, sentence: string): FileReport {
  return { file, passed: 0, failed: [{ name: file, reason: '', lines: [sentence] }], skipped: [] };
}

function oneLine({ file, passed, failed, skipped }: FileReport): string {
  const verdict = failed.length > 0 ? 'FAIL' : 'ok  ';
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  const failures = failed.length > 0 ? `, ${failed.length} failed` : '';
  return `${verdict} ${shortName(file)}: ${passed} passed${failures}${skips}`;
}

function shortName(file: string): string {
  return file.replace(COMPILED, '').replace(/\.test\.js$/, '');
}

/** Prints skips and failures in full, then the counts; returns the exit code. */
function summarize(reports: readonly FileReport[]): number {
  const named = (pick: 'failed' | 'skipped'): { file: string; test: TestReport }[] =>
    reports.flatMap((report) => report[pick].map((test) => ({ file: report.file, test })));
  const skipped = named('skipped');
  const failed = named('failed');
  const skipsFail = process.env['SLUICE_FORBID_SKIP'] === '1' && skipped.length > 0;
  for (const { file, test } of skipped) {
    console.log(`skipped: ${shortName(file)}: ${test.name}: ${test.reason}`);
  }
  for (const { file, test } of failed) {
    console.log(`\nFAILED: ${shortName(file)}: ${test.name}\n${test.lines.join('\n')}`);
  }
  if (skipsFail) console.log('\nFAILED: tests were skipped, and SLUICE_FORBID_SKIP=1 forbids it');
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length > 0 || skipsFail ? 1 : 0;
}
