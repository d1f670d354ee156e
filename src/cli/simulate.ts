/** `sluice simulate`: puts a workload through every policy and compares what comes out. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Arrivals, drawArrivals } from '../balance/simulate/arrivals.js';
import { comparePolicies, type PolicyReport } from '../balance/simulate/compare.js';
import { Recorder, type Recording } from '../balance/simulate/recorded.js';
import type { Scenario } from '../balance/simulate/scenario.js';
import { STANDARD_INPUT } from '../config/read_config.js';
import { seededRandom } from '../core/random.js';
import { err, ok, type Result } from '../core/result.js';
import { failedRead, failedReadOf, standardInput, unfit } from '../files/user_file.js';
import type { LineSink } from './check.js';
import { readSimulateWords, type SimulateRequest } from './simulate_options.js';
import type { Words } from './word_reader.js';

/**
 * Reads the words of `simulateOptions`, simulates, and writes a table or JSON to `stdout`; problems
 * go to `stderr`, one a line. The exit code: 0 good, 1 the log cannot be used, 2 wrong usage.
 */
export async function simulate(
  words: Words,
  stdout: LineSink = process.stdout,
  stderr: LineSink = process.stderr,
): Promise<0 | 1 | 2> {
  const request = readSimulateWords(words);
  if (!request.ok) {
    stderr.write(request.error.map((problem) => `${problem}\n`).join(''));
    return 2;
  }
  const sessions = await readSessions(request.value);
  if (!sessions.ok) {
    stderr.write(`${sessions.error}\n`);
    return 1;
  }
  const { pool, policies, seed, output } = request.value;
  const scenario: Scenario = { ...pool, arrivals: sessions.value.arrivals };
  const reports = comparePolicies(scenario, policies, seed);
  const { skippedLines } = sessions.value;
  if (output === 'json') {
    const sum = summarize(scenario);
    stdout.write(`${JSON.stringify({ seed, ...sum, skippedLines, policies: reports }, null, 2)}\n`);
  } else {
    stdout.write(`${headline(scenario, seed, skippedLines)}\n\n${table(reports)}\n`);
  }
  return 0;
}

async function readSessions({ source, seed }: SimulateRequest): Promise<Result<Recording, string>> {
  if (source.kind === 'drawn') {
    return ok({ arrivals: drawArrivals(source.spec, seededRandom(seed)), skippedLines: 0 });
  }
  const recorder = new Recorder(source.listener);
  try {
    const input = await openLog(source.path);
    if ('kind' in input) return unreadable(source.path, input.problem);
    for await (const line of createInterface({ input })) recorder.add(line);
  } catch (error) {
    return unreadable(source.path, failedReadOf(error).problem);
  }
  const recording = recorder.recording();
  if (recording.arrivals.count > 0) return ok(recording);
  return err(
    `${source.path} has no finished session${source.listener === null ? '' : ` of listener ${source.listener}`}: ` +
      'it takes the JSON lines that [log] access = "all" writes',
  );
}

/** As long as it may be: a log is not kept in memory. */
async function openLog(path: string): Promise<ReturnType<typeof standardInput>> {
  if (path === STANDARD_INPUT) return standardInput();
  const why = unfit(await stat(path));
  return why === null ? createReadStream(path) : failedRead(why);
}

function unreadable(path: string, why: string): Result<never, string> {
  return err(`${path} cannot be read: ${why}; name an access log with --log`);
}

interface Summary {
  readonly sessions: number;
  readonly backends: number;
  /** Work that comes, over what all backends can do in that time; null without slots. */
  readonly load: number | null;
}

function summarize({ arrivals, backends, slots }: Scenario): Summary {
  const speed = backends.reduce(
    (sum, backend) => sum + (backend.weight > 0 ? backend.speed : 0),
    0,
  );
  const load = slots === 0 ? null : workMs(arrivals) / (spanMs(arrivals) * speed * slots);
  return { sessions: arrivals.count, backends: backends.length, load };
}

function headline(scenario: Scenario, seed: number, skippedLines: number): string {
  const { sessions, backends, load } = summarize(scenario);
  const parts = [
    `${sessions} sessions over ${backends} backends`,
    ...(load === null ? [] : [`load ${load.toFixed(2)}`]),
    ...(skippedLines === 0 ? [] : [`${skippedLines} lines skipped`]),
  ];
  return `${parts.join(', ')} (seed ${seed}).`;
}

const COLUMNS: readonly (readonly [string, (report: PolicyReport) => string])[] = [
  ['policy', (report) => report.policy],
  ['p50 ms', (report) => report.p50Ms.toFixed(1)],
  ['p99 ms', (report) => report.p99Ms.toFixed(1)],
  ['imbalance', (report) => report.imbalance.toFixed(2)],
  ['moved', ({ movedShare }) => (movedShare === null ? '-' : `${(100 * movedShare).toFixed(1)} %`)],
  ['refused', (report) => String(report.refused)],
  ['failed dials', (report) => String(report.failedDials)],
  ['lost', (report) => String(report.lost)],
];

function table(reports: readonly PolicyReport[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...reports.map((report) => COLUMNS.map(([, cell]) => cell(report))),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

function workMs({ workMs: each }: Arrivals): number {
  return each.reduce((sum, work) => sum + work, 0);
}

function spanMs({ atMs }: Arrivals): number {
  return Math.max(atMs.at(-1) ?? 0, 1);
}
