/**
 * `npm test [-- PATTERN …]`: runs the compiled test files, each in a process of its own, and those
 * of the real binary once for each engine that works on this machine (or that SLUICE_TEST_ENGINES
 * names, such as `node,uring`), but for those that `support/schedule.ts` lists.
 * Those of test/system/both start a daemon for each engine, in front of servers that are slow to
 * start, and run once. A pattern is a part of a file's path below test/. The last line printed is
 * `N passed, N failed, N skipped` (tests at the top of a file), and the exit code is 0 only if none
 * failed. SLUICE_FORBID_SKIP=1 makes a skipped test a failure.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { enginesUnderTest } from './support/engines.js';
import { repositoryRoot } from './support/repository.js';
import {
  ALONE,
  enginesFor,
  isSystemTest,
  LOADED,
  longestFirst,
  requireScheduled,
  secondsOf,
  sideBySide,
} from './support/schedule.js';
import { type FileReport, TapReader, type TestReport } from './support/tap_reader.js';

/** Generous: a machine under load must not fail a test, a hang still ends. */
const FILE_TIMEOUT_SECONDS = 150;
/** tap ends a file by itself and says what hangs; this is for one that cannot. */
const KILL_AFTER_MS = (FILE_TIMEOUT_SECONDS + 30) * 1000;
/** Kept of a file's standard error, which is printed only when it fails. */
const MAX_COMPLAINTS = 200;
const COMPILED = 'dist/test/';

interface Job {
  readonly file: string;
  /** What the real binary is started with; null where no test starts it. */
  readonly engine: string | null;
}

const patterns = process.argv.slice(2);
const files = compiledTests(patterns);
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`);
  process.exit(2);
}
requireScheduled();
const cores = availableParallelism();
const system = files.filter((file) => isSystemTest(shortName(file)));
const engines = system.length === 0 ? [] : enginesUnderTest();
const units = files.filter((file) => !system.includes(file));
const jobs: readonly Job[] = [
  ...units.map((file) => ({ file, engine: null })),
  ...system.flatMap((file) =>
    enginesFor(shortName(file), engines).map((engine) => ({ file, engine })),
  ),
];
const named = (names: ReadonlySet<string>): readonly Job[] =>
  jobs.filter(({ file }) => names.has(shortName(file)));
const [loaded, alone] = [named(LOADED), named(ALONE)];
const others = jobs.filter((job) => !loaded.includes(job) && !alone.includes(job));
const [waiting, working] = [true, false].map((isSystem) =>
  inOrder(others.filter(({ engine }) => (engine !== null) === isSystem)),
);
const reports = [
  // They wait more than they work: for real clocks, other processes, answers that do not come.
  ...(await runAll(
    sideBySide(waiting ?? [], working ?? [], ({ file }) => secondsOf(shortName(file))),
    2 * cores,
  )),
  ...(await runAll(inOrder(loaded), cores)),
  ...(await runAll(inOrder(alone), 1)),
];
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

function inOrder(jobs: readonly Job[]): readonly Job[] {
  return longestFirst(jobs, ({ file }) => shortName(file));
}

/**
 * Runs `jobs` in at most `atOnce` processes at a time, in their order, and no file beside itself;
 * prints a line when one is over.
 */
async function runAll(jobs: readonly Job[], atOnce: number): Promise<FileReport[]> {
  const left = [...jobs];
  const running = new Set<string>();
  const reports: FileReport[] = [];
  const failed: { job: Job; report: FileReport }[] = [];
  const work = async (): Promise<void> => {
    for (let job = take(left, running); job !== null; job = take(left, running)) {
      running.add(job.file);
      const report = await timed(job);
      running.delete(job.file);
      if (report.failed.length === 0) reports.push(report);
      else failed.push({ job, report });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  for (const { job, report } of failed) reports.push(await secondRun(report, job));
  return reports.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The next one whose file does not run now; the last ones may run beside it. */
function take(left: Job[], running: ReadonlySet<string>): Job | null {
  const at = left.findIndex(({ file }) => !running.has(file));
  return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
}

/** Runs a file and prints its line. */
async function timed(job: Job, remark = ''): Promise<FileReport> {
  const began = performance.now();
  const report = await run(job);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${oneLine(report)} (${seconds} s)${remark}`);
  return report;
}

/**
 * Real servers, real clocks and other work on the machine: a file that fails is run once more, with
 * no other beside it, and the second run counts. The first failure is printed all the same, for
 * people who look for its cause.
 */
async function secondRun(first: FileReport, job: Job): Promise<FileReport> {
  for (const { name, lines } of first.failed) {
    console.log(`FAILED AT FIRST: ${shortName(first.file)}: ${name}\n${lines.join('\n')}`);
  }
  return timed(job, ' (second run)');
}

async function run({ file, engine }: Job): Promise<FileReport> {
  const reader = new TapReader();
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: repositoryRoot,
    env: {
      ...process.env,
      TAP: '1',
      TAP_TIMEOUT: String(FILE_TIMEOUT_SECONDS),
      ...(engine === null ? {} : { SLUICE_TEST_ENGINE: engine }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: KILL_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  const exited = once(child, 'exit');
  const complaints = lastLines(createInterface({ input: child.stderr }));
  for await (const line of createInterface({ input: child.stdout })) reader.line(line);
  const [code, signal] = await exited;
  const name = engine === null ? file : file.replace(/\.test\.js$/, ` on ${engine}`);
  return reader.end(name, { code, signal, complaints: await complaints });
}

async function lastLines(input: Interface): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of input) {
    lines.push(line);
    if (lines.length > MAX_COMPLAINTS) lines.shift();
  }
  return lines;
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
