/** Running sessions whose latency is watched, from a thread that does nothing else. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import { within } from '../deadline.js';

export interface Latencies {
  /** The longest wait for an answer through the proxy. */
  readonly worstMs: number;
  /**
   * The most CPU time that one of the followed threads used while a session waited for its answer:
   * how long it did something else, whatever other programs did meanwhile.
   */
  readonly busyMs: number;
  /** The longest wait without a proxy: what the machine adds by itself. */
  readonly straightMs: number;
  /** Through the proxy. */
  readonly answers: number;
  /** Sessions that were ended, since the start. */
  readonly broken: number;
}

export class LatencyWatch {
  /** An echo server is there, at every address of this machine. */
  readonly echoPort: number;
  readonly #thread: Worker;

  private constructor(thread: Worker, echoPort: number) {
    this.#thread = thread;
    this.echoPort = echoPort;
  }

  static async start(t: Test): Promise<LatencyWatch> {
    const thread = new Worker(new URL('./latency_thread.js', import.meta.url));
    t.teardown(() => thread.terminate());
    const [{ echoPort }] = (await once(thread, 'message')) as [{ echoPort: number }];
    return new LatencyWatch(thread, echoPort);
  }

  /** Opens a session at each of `ports` and asks through it from now on. */
  async open(ports: readonly number[]): Promise<void> {
    this.#thread.postMessage({ ports });
    await within('sessions to watch', once(this.#thread, 'message'));
  }

  /** Looks at the CPU time of threads from now on; `paths`: each the schedstat of one. */
  async follow(paths: readonly string[]): Promise<void> {
    this.#thread.postMessage({ paths });
    await within('threads to follow', once(this.#thread, 'message'));
  }

  /** What was seen since the last call. */
  async take(): Promise<Latencies> {
    this.#thread.postMessage('take');
    const [seen] = (await within('latencies', once(this.#thread, 'message'))) as [Latencies];
    return seen;
  }
}
