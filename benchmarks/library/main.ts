/**
 * The library beside undici's own pools, and beside the daemon in between. What is asked, how it is
 * measured and how to read it stands in benchmarks/README.md.
 *
 *   node dist/benchmarks/library/main.js [--rounds 9] [--folder PATH] [--report]
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { present } from '../../src/core/assert.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { readUsage, spentBetween } from '../load/watch.js';
import { LOAD_CORE } from '../macro/cores.js';
import { orderOf } from '../macro/rounds.js';
import { type Endings, withEndings } from '../support/endings.js';
import { describeMachine } from '../support/machine.js';
import {
  type Delays,
  type Listening,
  message,
  type Order,
  type PeerName,
  type Report,
} from './messages.js';
import { runOutage } from './outage.js';
import { startDaemon, startProgram, stopProgram } from './processes.js';
import { renderReport } from './report.js';
import { BACKENDS, CASE_NAMES, CASES, type Case, type Results, type Sample } from './samples.js';
import { readSamples, writeSamples } from './samples_file.js';

const COMPILE_MS = 2_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    folder: { type: 'string', default: join(repositoryRoot, 'benchmarks/results') },
    report: { type: 'boolean', default: false },
  },
});
if (!values.report) writeSamples(values.folder, await measure(Number(values.rounds)));
const report = renderReport(readSamples(values.folder));
writeFileSync(join(values.folder, 'library.md'), report);
process.stdout.write(report);
process.exit();

async function measure(rounds: number): Promise<Results> {
  // Everything but applications and daemon has the other core.
  execFileSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
  const began = { date: new Date().toISOString().slice(0, 10), loadAverage: loadavg()[0] ?? 0 };
  const samples = await withEndings((scope) => measureAll(scope, rounds));
  process.stderr.write('outages\n');
  const outages = await Promise.all(
    (['balanced', 'execute'] as const).flatMap((peer) => [runOutage(peer, 1), runOutage(peer, 2)]),
  );
  return { ...began, machine: describeMachine(), rounds, samples, outages };
}

interface Peer {
  readonly name: PeerName;
  readonly child: ChildProcess;
  /** Of the daemon, where it is between. */
  readonly pids: readonly number[];
}

async function measureAll(scope: Endings, rounds: number): Promise<Sample[]> {
  const ports = Array.from({ length: BACKENDS }, () => '0');
  const { child: backends, told } = await startProgram<Listening>('backends', ports);
  scope.teardown(() => stopProgram(backends));
  const daemon = await startDaemon(scope, told.ports);
  const peers = new Map<PeerName, Peer>();
  const samples: Sample[] = [];
  for (const name of CASE_NAMES) {
    const one: Case = CASES[name];
    backends.send({ delaysMs: one.delaysMs } satisfies Delays);
    for (const peer of one.peers) {
      if (!peers.has(peer)) peers.set(peer, await startPeer(scope, peer, told.ports, daemon));
      await turn(present(peers.get(peer), 'it was started'), { ...one, measureMs: COMPILE_MS });
    }
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`${name}, round ${round + 1} of ${rounds}\n`);
      for (const [at, peer] of orderOf(one.peers, round).entries()) {
        const measured = await turn(present(peers.get(peer), 'it was started'), one);
        samples.push({ case: name, peer, round, turn: at, ...measured });
      }
    }
  }
  return samples;
}

async function startPeer(
  scope: Endings,
  name: PeerName,
  ports: readonly number[],
  daemon: { readonly port: number; readonly pids: readonly number[] },
): Promise<Peer> {
  const isBetween = name === 'daemon';
  const words = (isBetween ? [daemon.port] : ports).map(String);
  const { child } = await startProgram<Listening>('client', [name, ...words]);
  scope.teardown(() => stopProgram(child));
  return { name, child, pids: isBetween ? daemon.pids : [] };
}

async function turn(
  { child, pids }: Peer,
  { loop, warmUpMs, measureMs }: Order,
): Promise<Omit<Sample, 'case' | 'peer' | 'round' | 'turn'>> {
  child.send({ loop, warmUpMs, measureMs } satisfies Order);
  await message<Report>(child);
  const before = readUsage(pids);
  const report = await message<Report>(child);
  const spent = spentBetween(before, readUsage(pids));
  if (report.kind !== 'end') throw new Error('a turn begins once');
  const { count, failed, elapsedMs, cpuMicros, p50Ms, p99Ms } = report;
  return {
    perSecond: (1_000 * count) / elapsedMs,
    cpuMicros: (cpuMicros + 1e6 * spent.cpuSeconds) / count,
    p50Ms,
    p99Ms,
    failed,
  };
}
