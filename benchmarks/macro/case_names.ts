/** The names of the cases, for options and for reports of samples that were taken earlier. */

/** Load and backends are ours (benchmarks/load). */
export const SYNTHETIC = [
  'rr64',
  'rr16k',
  'connect',
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
export const REAL = ['redis', 'pgbench', 'wrk', 'iperf3-up', 'iperf3-down'] as const;

export const CASE_NAMES = [...SYNTHETIC, ...REAL] as const;
export type CaseName = (typeof CASE_NAMES)[number];
