/** What is measured of which peer, and the samples of a run. */

import type { Order, PeerName } from './messages.js';
import type { OutageRun } from './outage.js';

export interface Sample {
  readonly case: CaseName;
  readonly peer: PeerName;
  readonly round: number;
  readonly turn: number;
  readonly perSecond: number;
  /** Of the application and, where it is between, the daemon: microseconds a request. */
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly loadAverage: number;
  readonly rounds: number;
  readonly samples: readonly Sample[];
  readonly outages: readonly OutageRun[];
}

export interface Case {
  readonly question: string;
  readonly peers: readonly PeerName[];
  /** The peer that the others are compared with. */
  readonly reference: PeerName;
  readonly loop: Order['loop'];
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly delaysMs: readonly number[];
}

/** As many answer alike as an application has for a service. */
export const BACKENDS = 4;
const SLOW_MS = 50;

const UNIFORM = ['pool', 'balanced', 'connector', 'execute', 'daemon'] as const;

export const CASES = {
  throughput: {
    question: 'As fast as undici alone? 16 requests at a time, backends that answer at once',
    peers: UNIFORM,
    reference: 'pool',
    loop: { lanes: 16 },
    warmUpMs: 200,
    measureMs: 1_000,
    delaysMs: [0, 0, 0, 0],
  },
  latency: {
    question: 'What does one request wait for? One at a time',
    peers: UNIFORM,
    reference: 'pool',
    loop: { lanes: 1 },
    warmUpMs: 200,
    measureMs: 1_000,
    delaysMs: [0, 0, 0, 0],
  },
  slow: {
    question: `One of four takes ${SLOW_MS} ms, the others 1 ms; 1,000 requests per second by chance`,
    peers: [
      'balanced',
      'connector',
      'execute',
      'execute-latency',
      'execute-adaptive',
      'execute-hedge',
      'daemon',
    ],
    reference: 'balanced',
    loop: { perSecond: 1_000 },
    warmUpMs: 500,
    measureMs: 2_000,
    delaysMs: [1, 1, 1, SLOW_MS],
  },
} as const satisfies Readonly<Record<string, Case>>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as CaseName[];
