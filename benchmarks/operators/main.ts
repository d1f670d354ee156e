/**
 * What operators cost clients: the 64-byte case of `npm run bench` with 50 open pages and 100
 * questions per second to the control API, beside itself without them. How it is measured stands in
 * benchmarks/README.md.
 *
 *   node dist/benchmarks/operators/main.js [--engine uring|node] [--rounds 9] [--seconds 2]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child } from '../../test/support/process.js';
import { repositoryRoot } from '../../test/support/repository.js';
import type { Measured, Ready } from '../load/protocol.js';
import { SYNTHETIC_CASES } from '../macro/cases.js';
import { LOAD_CORE } from '../macro/cores.js';
import { LoadProcess } from '../macro/load_process.js';
import { OPEN_FILES, type Serving, startServing } from '../macro/peers.js';
import { fillIn } from '../macro/template.js';
import { type Endings, withEndings } from '../support/endings.js';
import { describeMachine } from '../support/machine.js';
import { estimate } from '../support/statistics.js';

const PAGES = 50;
const CALLS_PER_SECOND = 100;
/**
 * Of a turn, before it counts: V8 compiles the worker's loops anew for what the turn before had
 * not, or had, and a daemon that is asked all the time pays that once.
 */
const WARM_MS = 3_000;
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

/** What the daemon's threads took. */
interface Threads {
  readonly main: number;
  /** The one that has most: there is one worker. */
  readonly worker: number;
  /** All others: V8's, which compile and collect for both. */
  readonly helpers: number;
}

interface Round {
  /** Of the turn with operators, in parts of that without. */
  readonly rate: number;
  /**
   * What the daemon spent on operators, in parts of its core: at a rate that fills the core, as
   * much of the rate is missing.
   */
  readonly core: number;
  /** The same, by its threads. */
  readonly threads: Threads;
}

interface Turn {
  readonly rate: number;
  /** Per exchange, in microseconds. */
  readonly cpu: Threads;
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
const told = (what: string, figure: (round: Round) => number): string => {
  const { median, interval } = estimate(rounds.map(figure));
  const spread =
    interval === null ? '' : ` (${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})`;
  return `${what.padEnd(66)}${median.toFixed(3)}${spread}\n`;
};
process.stdout.write(
  `${describeMachine()}\n` +
    `${PAGES} open pages and ${CALLS_PER_SECOND} questions per second, engine ${values.engine}, ` +
    `${rounds.length} rounds:\n` +
    told('what the daemon spends on them, in parts of its core', ({ core }) => core) +
    told('of that its main thread', ({ threads }) => threads.main) +
    told('its worker', ({ threads }) => threads.worker) +
    told('and threads of V8 that compile and collect', ({ threads }) => threads.helpers) +
    told('exchanges per second of the load, which has their core as well', ({ rate }) => rate),
);
process.exit();

async function measureAll(scope: Endings): Promise<readonly Round[]> {
  const load = await LoadProcess.start(scope);
  const subject = await start(scope, load.ready);
  await withEndings(async (own) => operators(own, subject, CALLS_BEFORE));
  await turn(load, subject, 'alone', COMPILE_MS);
  await turn(load, subject, 'with operators', SETTLE_MS);
  const rounds: Round[] = [];
  for (let round = -ROUNDS_BEFORE; round < Number(values.rounds); round++) {
    const order = ['alone', 'with operators'] as const;
    const figures = new Map<string, Turn>();
    for (const how of round % 2 === 0 ? order : order.toReversed()) {
      figures.set(how, await turn(load, subject, how, 1_000 * Number(values.seconds)));
    }
    const [without, operated] = order.map((how) => figures.get(how));
    if (without === undefined || operated === undefined) throw new Error('both had their turn');
    const taken = compared(without, operated);
    if (round >= 0) rounds.push(taken);
    const { core, threads } = taken;
    process.stderr.write(
      `${without.rate.toFixed(0)} alone, ${operated.rate.toFixed(0)} with; in % of the core: ` +
        `${percent(core)}, main thread ${percent(threads.main)}, ` +
        `worker ${percent(threads.worker)}, helpers ${percent(threads.helpers)}\n`,
    );
  }
  return rounds;
}

/** What an exchange costs more with operators, times the exchanges of that turn. */
function compared(without: Turn, operated: Turn): Round {
  const part = (thread: keyof Threads): number =>
    (operated.rate * (operated.cpu[thread] - without.cpu[thread])) / 1_000_000;
  const threads = { main: part('main'), worker: part('worker'), helpers: part('helpers') };
  const core = threads.main + threads.worker + threads.helpers;
  return { rate: operated.rate / without.rate, core, threads };
}

function percent(part: number): string {
  return (100 * part).toFixed(2);
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
    const span = { warmMs: WARM_MS, measureMs };
    const measured = await load.measure({ target, work, ...span, pids, perThread: true });
    return turnOf(measured, pids);
  });
}

function turnOf({ count, seconds, threads = {} }: Measured, [pid]: readonly number[]): Turn {
  const micros = (of: number): number => (of / count) * 1_000_000;
  const all = Object.values(threads).reduce((sum, its) => sum + its, 0);
  const worker = Math.max(...Object.values(threads));
  const main = threads[String(pid)] ?? 0;
  const helpers = all - main - worker;
  return {
    rate: count / seconds,
    cpu: { main: micros(main), worker: micros(worker), helpers: micros(helpers) },
  };
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
