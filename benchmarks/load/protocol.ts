/** What the benchmark asks of the load process, and what it answers: one JSON object a line. */

export interface Target {
  readonly protocol: 'tcp' | 'udp';
  /** On 127.0.0.1; connections take turns over them. */
  readonly ports: readonly number[];
}

export type Work =
  /** Each of `connections` sends `bytes`, awaits the echo, and again. */
  | {
      readonly kind: 'exchanges';
      readonly connections: number;
      readonly bytes: number;
      /** `polls`: the load never sleeps, so that its own waking up is not measured. */
      readonly waiting: 'blocks' | 'polls';
    }
  /** Connect, one exchange, reset; `connections` at a time. */
  | {
      readonly kind: 'short';
      readonly connections: number;
      readonly bytes: number;
      /** Addresses of 127.0.0.0/8 that clients come from, in turns; unless given 127.0.0.1 only. */
      readonly sources?: number;
      /** The message is a TLS hello that asks for this name, filled up to `bytes`. */
      readonly serverName?: string;
    }
  /** Connect, and await that the other side ends it without a word; `connections` at a time. */
  | {
      readonly kind: 'refused';
      readonly connections: number;
    }
  /** Exchanges begin when their time has come, at `perSecond`, whether or not others are done. */
  | {
      readonly kind: 'offered';
      readonly connections: number;
      readonly bytes: number;
      readonly perSecond: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'bulk';
      readonly connections: number;
      readonly direction: 'up' | 'down' | 'both';
    }
  /** First `few`, then all `sessions` (or none) are opened, used once and held. */
  | {
      readonly kind: 'held';
      readonly few: number;
      readonly sessions: number;
      /** Until the measurement begins. */
      readonly settleMs: number;
    };

/** One measurement: what to do, to which address, and for how long. */
export interface Task {
  readonly target: Target;
  readonly work: Work;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Processes of the proxy, whose use of the CPU is read at both ends of the measured time. */
  readonly pids: readonly number[];
  /** Whether the answer says what each of their threads used. */
  readonly perThread?: true;
}

export interface Command extends Task {
  /** Comes back in the answer. */
  readonly id: number;
}

/** A span of time: what was done, and what the proxy and the cores did meanwhile. */
export interface Measured {
  readonly seconds: number;
  /** Exchanges, connections, or bytes that arrived. */
  readonly count: number;
  /** Connections that failed, datagrams that were lost. */
  readonly failures: number;
  /** Null: there is no proxy. */
  readonly proxyCpuSeconds: number | null;
  /** Of `proxyCpuSeconds`, 0 to 1; by clock ticks. */
  readonly proxyUserShare: number;
  /** By core: the share of the time in which it was not idle, and in which it was stolen. */
  readonly busy: readonly number[];
  readonly stolen: readonly number[];
  readonly latencyNs?: Latencies;
  readonly memory?: HeldMemory;
  /** Seconds of CPU by the number of the thread, where that was asked for. */
  readonly threads?: Readonly<Record<string, number>>;
}

export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly greatest: number;
}

/** Resident memory of the proxy's processes. */
export interface HeldMemory {
  readonly fewBytes: number;
  readonly allBytes: number;
}

export interface Ready {
  readonly tcpPorts: readonly number[];
  readonly udpPort: number;
  /** One listener, at every address of this machine; below the range of source ports. */
  readonly anywherePort: number;
}

export type Answer =
  | { readonly kind: 'ready'; readonly ready: Ready }
  | { readonly kind: 'measured'; readonly id: number; readonly measured: Measured }
  | { readonly kind: 'failed'; readonly id: number; readonly sentence: string };
