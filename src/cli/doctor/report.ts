/**
 * What `sluice doctor` says about a machine: each limit with what it allows, and for what stands in
 * the way its cause and its remedy. Pure.
 */

import { divideDescriptors } from '../../control/descriptor_budget.js';
import type { MachineSurvey } from '../../control/machine.js';
import { SHARING_REMEDY } from '../../control/port_sharing.js';
import { LOCKED_BYTES_PER_WORKER, WANTED_DESCRIPTORS } from '../../control/sizing.js';
import type { EngineName, Spec } from '../../core/spec.js';
import { examinePools, type PoolFinding } from './pools.js';

export interface Advice {
  /** What is in the way: one sentence. */
  readonly cause: string;
  readonly remedy: string;
}

export interface EngineFinding {
  readonly engine: EngineName;
  readonly usable: 'yes' | 'no';
  /** Of a usable one, how it works here. */
  readonly note: string | null;
  /** Why not, or what it has to do without, and what to do about it. */
  readonly advice: Advice | null;
}

export interface LimitFinding {
  readonly name: string;
  /** Where it is set. */
  readonly setting: string;
  /** For people; "unknown" where the kernel does not say. */
  readonly value: string;
  /** The same for programs; null: unlimited, or unknown. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** What it means for sluice. */
  readonly allows: string;
  readonly advice: Advice | null;
}

export interface DoctorReport {
  readonly version: string;
  readonly machine: string;
  /** Can a daemon run here at all? */
  readonly verdict: 'good' | 'bad';
  /** What `engine = "auto"` takes. */
  readonly auto: EngineName | null;
  /** Best first. */
  readonly engines: readonly EngineFinding[];
  readonly limits: readonly LimitFinding[];
  /** Of the file that was named; null: none was, or the kernel lists no ports. */
  readonly pools: readonly PoolFinding[] | null;
}

/** The default of `backlog`: a smaller bound of the kernel is worth a word. */
const USUAL_BACKLOG = 4_096;
/** Fewer sessions than this to one backend address are few for a busy server. */
const WANTED_PORTS = 10_000;

export function examineMachine(
  machine: MachineSurvey,
  version: string,
  spec: Spec | null = null,
): DoctorReport {
  const { node, platform, release, architecture, auto } = machine;
  return {
    version,
    machine: `Node.js ${node} on ${platform} ${release} (${architecture})`,
    verdict: auto === null ? 'bad' : 'good',
    auto,
    engines: machine.engines.map(engineFinding),
    limits: [
      workers(machine),
      descriptors(machine),
      ports(machine),
      backlog(machine),
      memory(machine),
    ],
    pools: spec === null || machine.ports === null ? null : examinePools(spec, machine.ports),
  };
}

function engineFinding(check: MachineSurvey['engines'][number]): EngineFinding {
  const { engine } = check;
  if (check.state === 'usable') {
    return { engine, usable: 'yes', note: check.note, advice: check.lacks ?? null };
  }
  const { cause, remedy } = check;
  return { engine, usable: 'no', note: null, advice: { cause, remedy } };
}

function workers({ cores, workers: threads, portSharing }: MachineSurvey): LimitFinding {
  const lone: Advice = {
    cause: 'Neither foreign calls nor node:net can let several workers listen on one port.',
    remedy: SHARING_REMEDY,
  };
  return {
    name: 'CPU cores',
    setting: 'daemon.workers',
    value: String(cores),
    numbers: { cores, workers: threads },
    allows: `"auto" starts ${count(threads, 'worker thread')}`,
    advice: portSharing === 'impossible' ? lone : null,
  };
}

function descriptors({ descriptors: limit, workers, auto }: MachineSurvey): LimitFinding {
  const about = { name: 'open files', setting: 'RLIMIT_NOFILE' };
  if (limit === null) return unknown(about);
  const { sessions } = divideDescriptors(limit.soft, workers, auto);
  const low: Advice = {
    cause: `The limit of open files is below ${WANTED_DESCRIPTORS}.`,
    remedy: `Raise LimitNOFILE in the unit, or run \`ulimit -n ${WANTED_DESCRIPTORS}\` first.`,
  };
  return {
    ...about,
    value: amount(limit.soft),
    numbers: { soft: finite(limit.soft), hard: finite(limit.hard), sessions },
    allows: `${count(sessions, 'TCP session')} at the same time (max_sessions = 0)`,
    advice: limit.soft < WANTED_DESCRIPTORS ? low : null,
  };
}

function ports({ ports: range }: MachineSurvey): LimitFinding {
  const about = { name: 'source ports', setting: 'net.ipv4.ip_local_port_range' };
  if (range === null) return unknown(about);
  const dials = range.last - range.first + 1;
  const few: Advice = {
    cause: `Fewer than ${WANTED_PORTS} source ports are left for dials to one backend address.`,
    remedy:
      'Widen it: `sysctl -w net.ipv4.ip_local_port_range="10240 65535"`; or give pools several ' +
      'addresses to dial from (`source`), each of which has as many.',
  };
  return {
    ...about,
    value: `${range.first} to ${range.last}`,
    numbers: { first: range.first, last: range.last, dials },
    allows: `${count(dials, 'session')} at the same time to one backend address`,
    advice: dials < WANTED_PORTS ? few : null,
  };
}

function backlog({ acceptBacklog: most }: MachineSurvey): LimitFinding {
  const about = { name: 'accept backlog', setting: 'net.core.somaxconn' };
  if (most === null) return unknown(about);
  const short: Advice = {
    cause: `The kernel cuts the default backlog of ${USUAL_BACKLOG} to ${most}.`,
    remedy: `Raise it: \`sysctl -w net.core.somaxconn=${USUAL_BACKLOG}\`, and restart.`,
  };
  return {
    ...about,
    value: amount(most),
    numbers: { most },
    allows: `${count(most, 'connection')} may wait at each worker's listening socket`,
    advice: most < USUAL_BACKLOG ? short : null,
  };
}

/** Counted for all processes of a user but those with CAP_IPC_LOCK (setrlimit(2)). */
function memory({ lockedMemory: limit, workers: threads }: MachineSurvey): LimitFinding {
  const about = { name: 'locked memory', setting: 'RLIMIT_MEMLOCK' };
  if (limit === null) return unknown(about);
  const rings = Math.floor(limit.soft / LOCKED_BYTES_PER_WORKER);
  const low: Advice = {
    cause: `The limit of locked memory is too low for the rings of ${count(threads, 'worker')}.`,
    remedy: 'Raise LimitMEMLOCK in the unit, or run `ulimit -l` with more KiB first.',
  };
  return {
    ...about,
    value: limit.soft === Number.POSITIVE_INFINITY ? 'unlimited' : `${limit.soft / 1024} KiB`,
    numbers: { soft: finite(limit.soft), hard: finite(limit.hard), rings: finite(rings) },
    allows: `the rings of ${Number.isFinite(rings) ? rings : 'any number of'} uring workers`,
    advice: rings < threads ? low : null,
  };
}

function unknown(about: { readonly name: string; readonly setting: string }): LimitFinding {
  const allows = 'the kernel does not say; is /proc mounted?';
  return { ...about, value: 'unknown', numbers: {}, allows, advice: null };
}

/** JSON has no Infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function amount(value: number): string {
  return Number.isFinite(value) ? String(value) : 'unlimited';
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
