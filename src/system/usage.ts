/** What this process uses, for its metrics. */
export interface ProcessUsage {
  /** Of all threads, user and kernel. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Seconds since 1970. */
  readonly startedAtSeconds: number;
}

const startedAtSeconds = Date.now() / 1000 - process.uptime();

export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds,
  };
}
