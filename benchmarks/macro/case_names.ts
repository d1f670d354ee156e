/** The names of the cases, for options and for reports of samples that were taken earlier. */

/** Load and backends are ours (benchmarks/load). */
export const SYNTHETIC = [
  'rr64',
  'rr16k',
  'connect',
  'sni',
  'refuse',
  'listed',
  'bulk-up',
  'bulk-down',
  'bulk-both',
  'udp64',
  'latency1',
  'p999',
  'rest',
  'held',
] as const;

/** Real clients and real servers. */
export const REAL = ['redis', 'pgbench', 'pgbench-c', 'wrk', 'iperf3-up', 'iperf3-down'] as const;

/** Cases that compare the same peers with each other, one sample each turn. */
export const PEER_CASES = [...SYNTHETIC, ...REAL] as const;
export type CaseName = (typeof PEER_CASES)[number];

/** `growth` compares policies and sizes of pools as well. */
export const CASE_NAMES = [...PEER_CASES, 'growth'] as const;
export type AnyCaseName = (typeof CASE_NAMES)[number];
