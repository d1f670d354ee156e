/**
 * What processes and cores have used since boot, from /proc (proc(5)). The scheduler's own count
 * is exact (`schedstat`); how it divides into user and system is known by clock ticks.
 */
import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

export interface Usage {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly cores: readonly CoreTimes[];
}

/** Ticks since boot. */
export interface CoreTimes {
  readonly idle: number;
  readonly stolen: number;
  readonly total: number;
}

/** Reads all at one instant, as nearly as that goes. */
export function readUsage(pids: readonly number[]): Usage {
  const cores = parseCores(readFileSync('/proc/stat', 'utf8'));
  let userTicks = 0;
  let systemTicks = 0;
  let cpuSeconds = 0;
  for (const pid of pids) {
    const ticks = parseTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    userTicks += ticks.user;
    systemTicks += ticks.system;
  }
  for (const seconds of threadSeconds(pids).values()) cpuSeconds += seconds;
  return { atMs: performance.now(), cpuSeconds, userTicks, systemTicks, cores };
}

/** Resident memory of all `pids` (statm, field 2). */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return sum + pages * PAGE_BYTES;
  }, 0);
}

/** `pid` and all processes below it. */
export function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** The CPU time of each thread of `pids`, by its number. */
export function threadSeconds(pids: readonly number[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
      seconds.set(task, Number(text.split(' ')[0]) / 1e9);
    }
  }
  return seconds;
}

/** utime and stime of /proc/PID/stat; the name in the second field may hold anything. */
export function parseTicks(stat: string): { readonly user: number; readonly system: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]), system: Number(fields[12]) };
}

/** The lines `cpuN` of /proc/stat: user nice system idle iowait irq softirq steal guest … */
export function parseCores(stat: string): CoreTimes[] {
  return [...stat.matchAll(/^cpu\d+ (.*)$/gm)].map(([, line = '']) => {
    // Guest time is part of user time already.
    const ticks = line.split(' ').map(Number).slice(0, 8);
    const [, , , idle = 0, waiting = 0] = ticks;
    const total = ticks.reduce((sum, each) => sum + each, 0);
    return { idle: idle + waiting, stolen: ticks[7] ?? 0, total };
  });
}

export interface Spent {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly userShare: number;
  readonly busy: readonly number[];
  readonly stolen: readonly number[];
}

export function spentBetween(before: Usage, after: Usage): Spent {
  const user = after.userTicks - before.userTicks;
  const system = after.systemTicks - before.systemTicks;
  const shares = (pick: (core: CoreTimes) => number): number[] =>
    after.cores.map((core, at) => {
      const earlier = before.cores[at];
      if (earlier === undefined || core.total === earlier.total) return 0;
      return (pick(core) - pick(earlier)) / (core.total - earlier.total);
    });
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    userShare: user + system === 0 ? 0 : user / (user + system),
    busy: shares((core) => core.total - core.idle - core.stolen),
    stolen: shares((core) => core.stolen),
  };
}
