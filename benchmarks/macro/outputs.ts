/** What the real clients print, read. Each gives how much was done and how long it took. */

export interface Done {
  /** Requests, transactions, or bytes. */
  readonly count: number;
  readonly perSecond: number;
}

/** `redis-benchmark --csv`: a head, then `"GET","64935.06",…`; `count` was asked for by -n. */
export function readRedisBenchmark(text: string, count: number): Done {
  const rate = /^"[^"]*","([\d.]+)"/m.exec(text.slice(text.indexOf('\n') + 1))?.[1];
  return done('redis-benchmark', text, count, Number(rate));
}

/** pgbench: the number of transactions and `tps = … (without initial connection time)`. */
export function readPgbench(text: string): Done {
  const count = /number of transactions actually processed: (\d+)/.exec(text)?.[1];
  const rate = /^tps = ([\d.]+)/m.exec(text)?.[1];
  return done('pgbench', text, Number(count), Number(rate));
}

/** wrk: `123456 requests in 3.00s, …` and `Requests/sec: …`. */
export function readWrk(text: string): Done {
  const count = /(\d+) requests in /.exec(text)?.[1];
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  return done('wrk', text, Number(count), Number(rate));
}

/** `iperf3 --json`: what the receiving side counted. */
export function readIperf3(text: string): Done {
  const report = JSON.parse(text) as {
    readonly end?: { readonly sum_received?: Record<string, number> };
    readonly error?: string;
  };
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  const received = report.end?.sum_received ?? {};
  const bitsPerSecond = received['bits_per_second'] ?? Number.NaN;
  return done('iperf3', text, received['bytes'] ?? Number.NaN, bitsPerSecond / 8);
}

function done(program: string, text: string, count: number, perSecond: number): Done {
  if (count > 0 && perSecond > 0) return { count, perSecond };
  throw new Error(`${program} printed no result: ${text.slice(0, 200)}`);
}
