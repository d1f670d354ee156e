/**
 * What operators cost clients: the 64-byte case of `npm run bench` with 50 open pages and 100
 * questions per second to the control API, beside itself without them. How it is measured stands in
 * benchmarks/README.md.
 *
 *   node dist/benchmarks/operators/main.js [--engine uring|node] [--rounds 9] [--seconds 2]
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child } from '../../test/support/process.js';
import { repositoryRoot } from '../../test/support/repository.js';
import type { Ready } from '../load/protocol.js';
import { SYNTHETIC_CASES, valuesOf } from '../macro/cases.js';
import { LOAD_CORE } from '../macro/cores.js';
import { LoadProcess } from '../macro/load_process.js';
import { OPEN_FILES, type Serving, startServing } from '../macro/peers.js';
import { fillIn } from '../macro/template.js';
import { type Endings, withEndings } from '../support/endings.js';
import { describeMachine } from '../support/machine.js';
import { type Estimate, estimate } from '../support/statistics.js';

const PAGES = 50;
const CALLS_PER_SECOND = 100;
const WARM_MS = 500;
const COMPILE_MS = 3_000;
/** A daemon that is asked so often has been for longer than a minute. */
const CALLS_BEFORE = 8_000;
/**
 * With load and operators at their own pace: the worker meets what it was not compiled for, and the
 * garbage of the burst is collected.
 */
const SETTLE_MS = 20_000;
/** Not counted, for what happens as a turn begins and ends. */
const ROUNDS_BEFORE = 2;

interface Round {
  /** Of the turn with operators, in parts of that without. */
  readonly rate: number;
  /**
   * What the daemon spent on operators, in parts of its core: at a rate that fills the core, as
   * much of the rate is missing.
   */
  readonly core: number;
  /** What threads took, beside what they take without operators; in parts of the core. */
  readonly main: number;
  readonly helpers: number;
}

/** What the daemon's threads took, in parts of the core. */
interface Threads {
  readonly main: number;
  /** All but the main thread and the worker: V8's, which compile and collect for both. */
  readonly helpers: number;
}

interface Turn extends Threads {
  readonly rate: number;
  /** Per exchange, over all threads, in microseconds. */
  readonly cpu: number;
}

/** sluice with a port for pages and a socket for questions. */
interface Subject extends Serving {
  readonly admin: number;
  readonly socket: string;
}

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'uring' },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
  },
});
// Everything but the proxy has the other core.
execFileSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
const rounds = await withEndings((scope) => measureAll(scope));
const rate = estimate(rounds.map((one) => one.rate));
const core = estimate(rounds.map((one) => one.core));
const main = estimate(rounds.map((one) => one.main));
const helpers = estimate(rounds.map((one) => one.helpers));
process.stdout.write(
  `${describeMachine()}\n` +
    `${PAGES} open pages and ${CALLS_PER_SECOND} questions per second, engine ${values.engine}, ` +
    `${rounds.length} rounds:\n` +
    `what the daemon spends on them, in parts of its core          ${told(core)}\n` +
    `of that its main thread                                       ${told(main)}\n` +
    `and threads of V8 that compile and collect                    ${told(helpers)}\n` +
    `exchanges per second of the load, which has their core as well  ${told(rate)}\n`,
);
process.exit();

async function measureAll(scope: Endings): Promise<readonly Round[]> {
  const load = await LoadProcess.start(scope);
  const subject = await start(scope, load.ready);
  await withEndings(async (own) => operators(own, subject, CALLS_BEFORE));
  await turn(load, subject, 'alone', COMPILE_MS);
  await turn(load, subject, 'with operators', SETTLE_MS);
  const taken: Round[] = [];
  for (let round = -ROUNDS_BEFORE; round < Number(values.rounds); round++) {
    const order = ['alone', 'with operators'] as const;
    const figures = new Map<string, Turn>();
    for (const how of round % 2 === 0 ? order : order.toReversed()) {
      figures.set(how, await turn(load, subject, how, 1_000 * Number(values.seconds)));
    }
    const [without, operated] = order.map((how) => figures.get(how));
    if (without === undefined || operated === undefined) throw new Error('both had their turn');
    const rate = operated.rate / without.rate;
    const core = (operated.rate * (operated.cpu - without.cpu)) / 1_000_000;
    const main = operated.main - without.main;
    const helpers = operated.helpers - without.helpers;
    if (round >= 0) taken.push({ rate, core, main, helpers });
    process.stderr.write(
      `${without.rate.toFixed(0)} alone, ${operated.rate.toFixed(0)} with; CPU per exchange ` +
        `${without.cpu.toFixed(2)} alone, ${operated.cpu.toFixed(2)} with; main thread ` +
        `${(100 * main).toFixed(2)} %, helpers ${(100 * helpers).toFixed(2)} %\n`,
    );
  }
  return taken;
}

function turn(
  load: LoadProcess,
  subject: Subject,
  how: 'alone' | 'with operators',
  measureMs: number,
): Promise<Turn> {
  return withEndings(async (scope) => {
    const { port, pids } = subject;
    if (how === 'with operators') await operators(scope, subject, 0);
    const { work } = SYNTHETIC_CASES.rr64;
    const target = { protocol: 'tcp', ports: [port] } as const;
    const took = threadsOf(pids);
    const measured = await load.measure({ target, work, warmMs: WARM_MS, measureMs, pids });
    const { rate = Number.NaN, cpu = Number.NaN } = valuesOf(work, measured);
    return { rate, cpu, ...took() };
  });
}

/** From the call until the call of what it answers, by the kernel's account of each thread. */
function threadsOf([pid]: readonly number[]): () => Threads {
  const read = (): Map<string, number> => {
    const threads = readdirSync(`/proc/${pid}/task`);
    return new Map(threads.map((thread) => [thread, ranMsOf(`/proc/${pid}/task/${thread}`)]));
  };
  const [beganMs, before] = [performance.now(), read()];
  return () => {
    const spanMs = performance.now() - beganMs;
    const took = [...read()].map(([thread, ranMs]) => {
      return { thread, part: (ranMs - (before.get(thread) ?? 0)) / spanMs };
    });
    const main = took.find(({ thread }) => Number(thread) === pid)?.part ?? 0;
    const all = took.reduce((sum, { part }) => sum + part, 0);
    const worker = Math.max(...took.map(({ part }) => part));
    return { main, helpers: all - main - worker };
  };
}

function ranMsOf(place: string): number {
  const [ns = ''] = readFileSync(`${place}/schedstat`, 'utf8').split(' ');
  return Number(ns) / 1e6;
}

async function operators(
  scope: Endings,
  { admin, socket }: Subject,
  callsBefore: number,
): Promise<void> {
  const script = join(import.meta.dirname, 'program.js');
  const words = [admin, socket, PAGES, CALLS_PER_SECOND, callsBefore].map(String);
  const child = new Child(process.execPath, [script, ...words], { openFiles: OPEN_FILES });
  scope.teardown(async () => {
    if (!child.running) throw new Error(child.stderr.past.join(' | '));
    await child.stop('SIGTERM');
  });
  await child.stdout.first('the first look of every page', (line) => line === 'ready');
}

async function start(scope: Endings, backends: Ready): Promise<Subject> {
  const folder = tempFolder(scope);
  const [port, udp, admin] = [await freePort(), await freePort(), await freePort()];
  const socket = join(folder, 'admin.sock');
  const template = readFileSync(join(repositoryRoot, 'benchmarks/peers/sluice.toml'), 'utf8');
  const text = fillIn(template, {
    POOL: 'pool',
    FRONT: '',
    ENGINE: values.engine,
    TCP_PORT: String(port),
    UDP_PORT: String(udp),
    UDP_BACKEND: String(backends.udpPort),
    METRICS_PORT: String(admin),
    SERVERS: backends.tcpPorts
      .map((each) => `[[pools.pool.backends]]\naddress = "127.0.0.1:${each}"`)
      .join('\n'),
  });
  const file = join(folder, 'sluice.toml');
  writeFileSync(file, text.replace('socket = ""', `socket = "${socket}"`));
  const args = [join(repositoryRoot, 'bin/sluice'), 'run', '-c', file];
  return { ...(await startServing(scope, process.execPath, args, port)), admin, socket };
}

function told({ median, interval }: Estimate): string {
  const spread =
    interval === null ? '' : ` (${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})`;
  return `${median.toFixed(3)}${spread}`;
}
