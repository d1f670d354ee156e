/** CPU time of threads of another process, as the kernel counts it: schedstat, in ticks. */
import { openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { pass } from '../deadline.js';

/** Three numbers of 20 digits at most. */
const MAX_BYTES = 64;

export class ThreadTimes {
  readonly #descriptors: readonly number[];
  readonly #buffer = Buffer.alloc(MAX_BYTES);

  /** `paths`: each the schedstat of one thread. */
  constructor(paths: readonly string[]) {
    this.#descriptors = paths.map((path) => openSync(path, 'r'));
  }

  /** Milliseconds since each thread began; 0 when it has ended. */
  usedMs(): number[] {
    return this.#descriptors.map((descriptor) => this.#read(descriptor));
  }

  #read(descriptor: number): number {
    try {
      const bytes = readSync(descriptor, this.#buffer, 0, MAX_BYTES, 0);
      return cpuMs(this.#buffer.toString('latin1', 0, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 0;
      throw error;
    }
  }
}

/** The `count` threads of process `pid`, but for its first one, that work most for `forMs`. */
export async function busiestThreads(pid: number, count: number, forMs: number): Promise<string[]> {
  const threads = readdirSync(`/proc/${pid}/task`)
    .filter((thread) => thread !== String(pid))
    .map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  const before = new Map(threads.map((path) => [path, cpuMs(readFileSync(path, 'latin1'))]));
  await pass(forMs);
  const used = threads.map((path) => ({
    path,
    ms: cpuMs(readFileSync(path, 'latin1')) - (before.get(path) ?? 0),
  }));
  return used
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ path }) => path);
}

function cpuMs(schedstat: string): number {
  return Number(schedstat.split(' ')[0]) / 1e6;
}
