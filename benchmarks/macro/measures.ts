/** What is read from a sample: names, units, and which way is better. */

export interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly digits: number;
}

export const MEASURES = {
  rate: { title: 'rate', unit: 'exchanges/s', better: 'more', digits: 0 },
  megabytes: { title: 'rate', unit: 'MB/s', better: 'more', digits: 0 },
  cpu: { title: 'CPU of the proxy', unit: 'µs per exchange', better: 'less', digits: 2 },
  cpuMegabyte: { title: 'CPU of the proxy', unit: 'µs per MB', better: 'less', digits: 0 },
  p50: { title: 'median latency', unit: 'µs', better: 'less', digits: 1 },
  p99: { title: 'p99 latency', unit: 'µs', better: 'less', digits: 0 },
  p999: { title: 'p99.9 latency', unit: 'µs', better: 'less', digits: 0 },
  memory: { title: 'memory per session', unit: 'bytes', better: 'less', digits: 0 },
  idle: { title: 'CPU at rest', unit: '% of a core', better: 'less', digits: 3 },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof MEASURES;

/** Values of one sample; a peer without a process of its own has no CPU time. */
export type Values = Readonly<Partial<Record<MeasureName, number>>>;
