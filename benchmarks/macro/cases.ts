/** The cases: the question of each, the load that asks it, and what is read from the answer. */
import type { Latencies, Measured, Work } from '../load/protocol.js';
import type { CaseName, REAL } from './case_names.js';
import { type Front, SERVER_NAME } from './fronts.js';
import { MEASURES, type MeasureName, type Values } from './measures.js';
import type { PeerName } from './peers.js';

export interface Case {
  readonly question: string;
  /** What is counted; an exchange unless given. */
  readonly each?: 'connection' | 'request' | 'transaction';
  readonly peers: readonly PeerName[];
  readonly measures: readonly MeasureName[];
}

export interface SyntheticCase extends Case {
  readonly protocol: 'tcp' | 'udp';
  readonly work: Work;
  /** `fresh`: peers start anew for each turn, because memory that was used once stays. */
  readonly peersAre: 'kept' | 'fresh';
  /** What a client has to pass; nothing unless given. */
  readonly front?: Front;
  /** How many times longer than others a turn is; 1 unless given. */
  readonly stretch?: number;
  /** Fewer rounds than asked for, where a turn takes very long. */
  readonly mostRounds?: number;
}

type RealName = (typeof REAL)[number];
type SyntheticName = Exclude<CaseName, RealName>;

/** In `offered`: to be replaced by what the proxies can carry. */
export const RATE_TO_BE_FOUND = 0;

const TCP: readonly PeerName[] = ['direct', 'haproxy', 'nginx', 'uring', 'node', 'pipe', 'before'];
const BULK: readonly PeerName[] = [
  'direct',
  'haproxy',
  'haproxy-splice',
  'nginx',
  'uring',
  'node',
  'pipe',
  'before',
];
/** Where a turn takes long. */
const FEW: readonly PeerName[] = ['haproxy', 'nginx', 'uring', 'node', 'before'];
/** The pipe has no names and no lists. */
const FRONTS: readonly PeerName[] = ['haproxy', 'nginx', 'uring', 'node', 'before'];
/** HAProxy does not balance UDP. */
const UDP: readonly PeerName[] = ['direct', 'nginx', 'uring', 'node', 'pipe', 'before'];

/** What OpenSSL fills a hello up to. */
const HELLO_BYTES = 517;

const tcp = { protocol: 'tcp', peersAre: 'kept' } as const;

function bulk(direction: 'up' | 'down' | 'both'): Pick<SyntheticCase, 'work' | 'measures'> {
  return {
    work: { kind: 'bulk', connections: 4, direction },
    measures: ['megabytes', 'cpuMegabyte'],
  };
}

export const SYNTHETIC_CASES: Readonly<Record<SyntheticName, SyntheticCase>> = {
  rr64: {
    ...tcp,
    question: '50 connections, 64 bytes there and back',
    peers: TCP,
    work: { kind: 'exchanges', connections: 50, bytes: 64, waiting: 'blocks' },
    measures: ['rate', 'cpu', 'p50', 'p99'],
  },
  rr16k: {
    ...tcp,
    question: '50 connections, 16 KiB there and back',
    peers: TCP,
    work: { kind: 'exchanges', connections: 50, bytes: 16_384, waiting: 'blocks' },
    measures: ['rate', 'cpu'],
  },
  connect: {
    ...tcp,
    question: 'connect, exchange 64 bytes, reset; 50 at a time',
    each: 'connection',
    peers: TCP,
    work: { kind: 'short', connections: 50, bytes: 64 },
    measures: ['rate', 'cpu', 'p99'],
  },
  sni: {
    ...tcp,
    question:
      'connect, a TLS hello of 517 bytes that names its pool, its echo, reset; 50 at a time',
    each: 'connection',
    peers: FRONTS,
    front: 'sni',
    work: { kind: 'short', connections: 50, bytes: HELLO_BYTES, serverName: SERVER_NAME },
    measures: ['rate', 'cpu', 'p99'],
  },
  refuse: {
    ...tcp,
    question: 'connect, and be refused for the address; 50 at a time',
    each: 'connection',
    peers: FRONTS,
    front: 'refuse',
    work: { kind: 'refused', connections: 50 },
    measures: ['rate', 'cpu', 'p99'],
  },
  listed: {
    ...tcp,
    question: 'as `connect`, with and without a list of 1,000,000 blocks',
    each: 'connection',
    peers: ['uring', 'listed'],
    work: { kind: 'short', connections: 50, bytes: 64 },
    measures: ['cpu', 'rate', 'p99'],
  },
  'bulk-up': { ...tcp, ...bulk('up'), question: '4 connections send all they can', peers: BULK },
  'bulk-down': {
    ...tcp,
    ...bulk('down'),
    question: '4 connections receive all they can',
    peers: BULK,
  },
  'bulk-both': {
    ...tcp,
    ...bulk('both'),
    question: '4 connections send and receive all they can',
    peers: BULK,
  },
  udp64: {
    ...tcp,
    protocol: 'udp',
    question: '50 flows, datagrams of 64 bytes there and back',
    peers: UDP,
    work: { kind: 'exchanges', connections: 50, bytes: 64, waiting: 'blocks' },
    measures: ['rate', 'cpu', 'p99'],
  },
  latency1: {
    ...tcp,
    question: '1 connection, 64 bytes there and back',
    peers: TCP,
    work: { kind: 'exchanges', connections: 1, bytes: 64, waiting: 'polls' },
    measures: ['p50', 'p99', 'cpu'],
  },
  p999: {
    ...tcp,
    question: 'open loop at half the rate that the slower of HAProxy and sluice can carry',
    peers: FEW,
    // One exchange of a thousand has to come up often enough.
    stretch: 4,
    work: { kind: 'offered', connections: 50, bytes: 64, perSecond: RATE_TO_BE_FOUND, seed: 1 },
    measures: ['p999', 'p99', 'p50', 'cpu'],
  },
  rest: {
    ...tcp,
    question: 'no sessions',
    peers: FEW,
    // Threads of sluice that rest wake up every ten seconds: each turn has two of these.
    stretch: 20,
    mostRounds: 6,
    work: { kind: 'held', few: 0, sessions: 0, settleMs: 0 },
    measures: ['idle'],
  },
  held: {
    ...tcp,
    peersAre: 'fresh',
    question: '9,000 idle sessions, each used once',
    peers: ['haproxy', 'nginx', 'uring', 'before'],
    // As many as an interval needs, because each takes most of a minute.
    mostRounds: 6,
    stretch: 20,
    work: { kind: 'held', few: 1000, sessions: 9000, settleMs: 25_000 },
    measures: ['memory', 'idle'],
  },
};

const REAL_PEERS: readonly PeerName[] = TCP;

export const REAL_CASES: Readonly<Record<RealName, Case>> = {
  redis: {
    question: '`redis-benchmark -t get -c 50 -d 64`',
    each: 'request',
    peers: REAL_PEERS,
    measures: ['rate', 'cpu'],
  },
  pgbench: {
    question: '`pgbench -S -M prepared -c 16`',
    each: 'transaction',
    peers: REAL_PEERS,
    measures: ['rate', 'cpu'],
  },
  'pgbench-c': {
    question: '`pgbench -S -C -c 16`: a connection for each transaction',
    each: 'transaction',
    peers: [...REAL_PEERS, 'aware'],
    measures: ['rate', 'cpu'],
  },
  wrk: {
    question: '`wrk -t1 -c50`',
    each: 'request',
    peers: REAL_PEERS,
    measures: ['rate', 'cpu'],
  },
  'iperf3-up': {
    question: '`iperf3 -P 4`',
    peers: BULK,
    measures: ['megabytes', 'cpuMegabyte'],
  },
  'iperf3-down': {
    question: '`iperf3 -P 4 -R`',
    peers: BULK,
    measures: ['megabytes', 'cpuMegabyte'],
  },
};

export function caseOf(name: CaseName): Case {
  return isReal(name) ? REAL_CASES[name] : SYNTHETIC_CASES[name];
}

/** `µs per exchange`, `requests/s`, `MB/s`. */
export function unitOf(name: CaseName, measure: MeasureName): string {
  const { each = 'exchange' } = caseOf(name);
  return MEASURES[measure].unit.replace('exchange', each);
}

export function isReal(name: CaseName): name is RealName {
  return name in REAL_CASES;
}

/** What a sample says about each measure; no CPU time where there is no proxy. */
export function valuesOf(work: Work, measured: Measured): Values {
  const { seconds, count, proxyCpuSeconds, latencyNs, memory } = measured;
  const micros = proxyCpuSeconds === null ? null : proxyCpuSeconds * 1e6;
  if (work.kind === 'bulk') {
    const megabytes = count / 1e6;
    const cpu = micros === null ? {} : { cpuMegabyte: micros / megabytes };
    return { megabytes: megabytes / seconds, ...cpu };
  }
  if (work.kind === 'held') {
    const idle = micros === null ? {} : { idle: micros / 1e4 / seconds };
    if (memory === undefined || work.sessions === 0) return idle;
    return { memory: (memory.allBytes - memory.fewBytes) / (work.sessions - work.few), ...idle };
  }
  return {
    rate: count / seconds,
    ...(micros === null ? {} : { cpu: micros / count }),
    ...(latencyNs === undefined ? {} : latencyMicros(latencyNs)),
  };
}

function latencyMicros({ p50, p99, p999 }: Latencies): Values {
  return { p50: p50 / 1000, p99: p99 / 1000, p999: p999 / 1000 };
}
