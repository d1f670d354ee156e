/**
 * How the open files that this process may have (RLIMIT_NOFILE, soft) are divided: a reserve for
 * what must go on whatever clients do, pipes for bulk data, listening sockets, and the rest for
 * sessions and flows of all listeners together. Pure.
 */
import type { EngineName } from '../core/spec.js';
import { DESCRIPTORS_PER_PIPE } from '../engine/engine.js';
import { DESCRIPTORS_PER_SESSION } from '../pool/descriptor_ledger.js';

/** Measured at rest without listeners: 24 for the process and 6 a worker (ring, bell, loop). */
const AT_REST = 24;
const AT_REST_PER_WORKER = 8;
/** Probes, admin connections, files, names, a reload's sockets, what closes a moment late. */
const AT_WORK = 768;
/** With a low limit at most this share of what is left. */
const AT_WORK_SHARE = 0.25;
/** Of what is at work. */
const PROBES_SHARE = 1 / 3;
/** Of the port and of the socket, each of which has half of it. */
const ADMIN_SHARE = 1 / 3;
/** That part of what a reload opens, before sessions have given back what it takes, is here. */
const RELOAD_SHARE = 1 / 8;
/** Connections that hand on cancels. The last eighth is for files and names. */
const CANCEL_SHARE = 1 / 12;
const PIPES_SHARE = 0.125;
const MAX_PIPES_PER_WORKER = 256;
/** In each worker: control's descriptor, the worker's own, and a client that it may hold. */
export const DESCRIPTORS_PER_SOCKET = 3;
/** Listening sockets may have this share of what they and sessions have together. */
const SOCKETS_SHARE = 0.5;
/** Open before the workers start, and in each of their threads while it reads its modules. */
const AT_START = 48;
const AT_THREAD_START = 96;
/** Rows are laid out at start: a limit of "unlimited" must not take all memory. */
export const MAX_SESSIONS = 262_144;

export interface DescriptorBudget {
  /** RLIMIT_NOFILE, soft. */
  readonly limit: number;
  /** Listening sockets, sessions and flows together. */
  readonly shared: number;
  /** What `max_sessions = 0` means; 1 or more. */
  readonly sessions: number;
  readonly pipesAWorker: number;
  /** At the same time. */
  readonly probes: number;
  /** At the same time, at the port and at the socket together, with those that wait. */
  readonly adminConnections: number;
  /** Descriptors that a reload may open although sessions have everything else. */
  readonly reload: number;
  /** Connections that hand on cancels, at the same time. */
  readonly cancels: number;
  /** Worker threads that may start at the same time; 1 or more. */
  readonly startsAtOnce: number;
}

export function divideDescriptors(
  limit: number,
  workers: number,
  engine: EngineName | null,
): DescriptorBudget {
  const rest = Math.max(0, limit - AT_REST - AT_REST_PER_WORKER * workers);
  const atWork = Math.min(AT_WORK, Math.floor(rest * AT_WORK_SHARE));
  const served = rest - atWork;
  const pipes = Math.floor((served * PIPES_SHARE) / DESCRIPTORS_PER_PIPE / workers);
  const pipesAWorker = engine === 'uring' ? Math.min(MAX_PIPES_PER_WORKER, pipes) : 0;
  const most = MAX_SESSIONS * DESCRIPTORS_PER_SESSION;
  const shared = Math.max(
    DESCRIPTORS_PER_SESSION,
    Math.min(most, served - pipesAWorker * DESCRIPTORS_PER_PIPE * workers),
  );
  return {
    limit,
    shared,
    sessions: Math.floor(shared / DESCRIPTORS_PER_SESSION),
    pipesAWorker,
    probes: Math.max(1, Math.floor(atWork * PROBES_SHARE)),
    adminConnections: Math.max(1, Math.floor(atWork * ADMIN_SHARE)),
    reload: Math.floor(atWork * RELOAD_SHARE),
    cancels: Math.max(1, Math.floor(atWork * CANCEL_SHARE)),
    startsAtOnce: Math.max(1, Math.floor((limit - AT_START) / AT_THREAD_START)),
  };
}

/** What `addresses` that are listened on take in all workers. */
export function listeningDescriptors(addresses: number, workers: number): number {
  return addresses * workers * DESCRIPTORS_PER_SOCKET;
}

/** Left for sessions and flows beside `listening`; enough for one session whatever happens. */
export function sessionDescriptors({ shared }: DescriptorBudget, listening: number): number {
  return Math.max(DESCRIPTORS_PER_SESSION, shared - listening);
}

export interface Demand {
  /** Descriptors of the listening sockets: of those that are open, and with the new ones. */
  readonly open: number;
  readonly wanted: number;
  /** Of sessions and flows. */
  readonly used: number;
}

/** Why these listening sockets must not be opened, with the numbers and the remedy; null: do. */
export function tooManySockets(
  budget: DescriptorBudget,
  { open, wanted, used }: Demand,
): string | null {
  if (wanted <= open) return null;
  const most = Math.floor(budget.shared * SOCKETS_SHARE);
  const raise = 'raise LimitNOFILE in the unit (or `ulimit -n`) and restart';
  if (wanted > most) {
    return [
      `too few open files for the listeners: with all workers they would take ${wanted}`,
      `and may take ${most} of the ${budget.limit} that are allowed`,
    ]
      .join(', ')
      .concat(`; bind fewer addresses, run fewer workers, or ${raise}`);
  }
  const lacking = used + wanted - budget.shared;
  if (lacking <= budget.reload) return null;
  return [
    `too few open files are free for the new listeners: they take ${wanted - open}`,
    `sessions and flows have ${used} of the ${budget.limit} that are allowed`,
  ]
    .join(', ')
    .concat(`; reload again when ${lacking - budget.reload} are closed, or ${raise}`);
}
