/** Sessions and rates of clients, exact over threads, in a table that does not grow. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedInvariantError } from '../../src/core/assert.js';
import type { ListenerId, WorkerId } from '../../src/core/brand.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { rateOf } from '../../src/pool/cell_rate.js';
import {
  type ClientRule,
  ClientTable,
  createClientMemory,
  NOT_COUNTED,
  TOO_FAST,
  TOO_MANY,
} from '../../src/pool/client_table.js';
import { seed } from '../support/seed.js';
import type { ClientHammerReport, ClientHammerStart } from './client_hammer.js';

const LISTENER = 3 as ListenerId;
const [w0, w1] = [0 as WorkerId, 1 as WorkerId];
const THREE: ClientRule = { sessions: 3, rate: null, ipv6PrefixBits: 64 };
const WAYS = 32;

const ipv4 = (client: number): Uint8Array => Uint8Array.of(10, 0, client >> 8, client & 255);

function ipv6(network: number, host = 1): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x2001_0db8);
  view.setUint32(4, network);
  view.setUint32(12, host);
  return bytes;
}

function fresh(sets = 4, workers = 2): ClientTable {
  return new ClientTable(createClientMemory(workers, seededRandom(seed), sets));
}

t.test('a client has its sessions over all workers and no more, and its place again', async (t) => {
  const table = fresh();
  const enter = (worker: WorkerId): number => table.enter(LISTENER, ipv4(1), THREE, 0, worker);
  const rows = [enter(w0), enter(w1), enter(w0)];
  t.same(rows, [rows[0], rows[0], rows[0]]);
  t.equal(enter(w1), TOO_MANY);
  t.ok(table.enter(LISTENER, ipv4(2), THREE, 0, w0) >= 0, 'another client has its own');
  t.ok(table.enter(4 as ListenerId, ipv4(1), THREE, 0, w0) >= 0, 'and so has another listener');
  table.leave(rows[0] ?? -1, w1);
  t.ok(enter(w0) >= 0);
  t.equal(enter(w0), TOO_MANY);
});

t.test('addresses of one prefix are one client; an address of IPv4 is one', async (t) => {
  const table = fresh();
  const rule = { ...THREE, sessions: 1 };
  const enter = (client: Uint8Array, bits: number): number =>
    table.enter(LISTENER, client, { ...rule, ipv6PrefixBits: bits }, 0, w0);
  t.ok(enter(ipv6(1, 1), 64) >= 0);
  t.equal(enter(ipv6(1, 2), 64), TOO_MANY);
  t.ok(enter(ipv6(2, 2), 64) >= 0);
  t.ok(enter(ipv6(3, 1), 128) >= 0);
  t.ok(enter(ipv6(3, 2), 128) >= 0);
  t.ok(enter(ipv6(0x1000_0000), 33) >= 0);
  t.equal(enter(ipv6(0x2000_0000), 33), TOO_MANY);
  t.ok(enter(ipv6(0x8000_0000), 33) >= 0);
  t.ok(enter(ipv4(1), 1) >= 0);
  t.ok(enter(ipv4(2), 1) >= 0, 'the prefix is of IPv6');
});

t.test('a client may come so fast, whichever worker it meets', async (t) => {
  const table = fresh();
  const rule = { ...THREE, sessions: 0, rate: rateOf(20, 1_000, 2) };
  const enter = (nowMs: number, worker: WorkerId): number =>
    table.enter(LISTENER, ipv4(1), rule, nowMs, worker);
  t.ok(enter(1_000, w0) >= 0);
  t.ok(enter(1_000, w1) >= 0);
  t.equal(enter(1_000, w0), TOO_FAST);
  t.equal(enter(1_049.9, w1), TOO_FAST);
  t.ok(enter(1_050, w1) >= 0);
  t.equal(enter(1_050, w0), TOO_FAST);
});

t.test('what a lost worker had is given back, and no more', async (t) => {
  const table = fresh();
  for (const worker of [w0, w1, w1]) table.enter(LISTENER, ipv4(1), THREE, 0, worker);
  table.forgetWorker(w1);
  const enter = (): number => table.enter(LISTENER, ipv4(1), THREE, 0, w0);
  t.ok(enter() >= 0);
  const row = enter();
  t.ok(row >= 0);
  t.equal(enter(), TOO_MANY);
  let thrown: unknown = null;
  try {
    table.leave(row, w1);
  } catch (error) {
    thrown = error;
  }
  t.ok(thrown instanceof SharedInvariantError, 'what was given back is not given back again');
  t.equal(enter(), TOO_MANY);
});

t.test("a listener's row that is another one's has no clients", async (t) => {
  const table = fresh();
  const rule = { ...THREE, rate: rateOf(1, 3_600_000, 1) };
  const row = table.enter(LISTENER, ipv4(1), rule, 1_000, w0);
  const other = table.enter(4 as ListenerId, ipv4(1), rule, 1_000, w0);
  t.ok(table.tryBegin(LISTENER, rateOf(1, 60_000, 1), 1_000));
  table.leave(row, w0);
  table.leave(other, w0);
  t.equal(table.enter(LISTENER, ipv4(1), rule, 1_000, w0), TOO_FAST);
  table.forgetListener(LISTENER);
  t.ok(table.enter(LISTENER, ipv4(1), rule, 1_000, w0) >= 0);
  t.equal(table.enter(4 as ListenerId, ipv4(1), rule, 1_000, w0), TOO_FAST);
  t.ok(table.tryBegin(LISTENER, rateOf(1, 60_000, 1), 1_000));
});

t.test('a full table lets new clients pass, and those that it knows are exact', async (t) => {
  const table = fresh(1);
  const rule = { ...THREE, sessions: 1 };
  const enter = (client: number): number => table.enter(LISTENER, ipv4(client), rule, 0, w0);
  const rows = Array.from({ length: WAYS }, (_, client) => enter(client));
  t.equal(new Set(rows).size, WAYS);
  t.equal(table.size, WAYS);
  for (let client = WAYS; client < 1_000; client++) t.equal(enter(client), NOT_COUNTED);
  for (let client = 0; client < WAYS; client++) t.equal(enter(client), TOO_MANY);
  table.leave(rows[7] ?? -1, w0);
  t.equal(enter(1_000), rows[7], 'a client that is at rest gives way');
  t.equal(enter(7), NOT_COUNTED);
});

t.test('a million clients come once, and no other client is hurt or let off', async (t) => {
  const memory = createClientMemory(2, seededRandom(seed), 1_024);
  const table = new ClientTable(memory);
  const rate = rateOf(20, 1_000, 20);
  const rule = { ...THREE, rate };
  for (let n = 0; n < 3; n++) t.ok(table.enter(LISTENER, ipv4(9), rule, 1_000, w0) >= 0);
  let uncounted = 0;
  for (let client = 0; client < 1_000_000; client++) {
    const row = table.enter(LISTENER, ipv6(client), rule, 1_000 + client / 100, w1);
    if (row >= 0) table.leave(row, w1);
    else if (row === NOT_COUNTED) uncounted++;
    else t.fail(`client ${client} is refused`);
    if (client % 100_000 === 0) {
      t.equal(table.enter(LISTENER, ipv4(9), rule, 1_000 + client / 100, w1), TOO_MANY);
    }
  }
  t.ok(table.size <= 1_024 * WAYS);
  t.equal(uncounted, 0, '100,000 per second, each with a rate that rests after 50 ms');
  t.ok(createClientMemory(2, seededRandom(1)).byteLength < 16 * 2 ** 20);
});

t.test(`it says what a model without a limit of room says (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  for (let history = 0; history < 60; history++) liveAlone(random);
});

interface Known {
  sessions: number[];
  /** When the next one would come of a client that keeps to the rate. */
  timeMs: number;
}

/** One thread, in three workers' names. */
function liveAlone(random: Random): void {
  const table = fresh(1 + below(random, 3), 3);
  const burst = 1 + below(random, 3);
  const intervalMs = 50;
  const rate = below(random, 2) === 0 ? rateOf(20, 1_000, burst) : null;
  const rule: ClientRule = { sessions: below(random, 4), rate, ipv6PrefixBits: 64 };
  const clients: Known[] = Array.from({ length: 120 }, () => ({ sessions: [], timeMs: 0 }));
  const owners = new Map<number, number[]>();
  let nowMs = 1_000;
  for (let step = 0; step < 1_500; step++) {
    nowMs += below(random, 3) * 10;
    const index = below(random, below(random, 3) === 0 ? clients.length : 8);
    const client = clients[index] ?? { sessions: [], timeMs: 0 };
    const worker = below(random, 3) as WorkerId;
    if (below(random, 2) === 0) {
      const row = client.sessions.pop();
      if (row !== undefined) table.leave(row, owners.get(row)?.pop() as WorkerId);
      continue;
    }
    const row = table.enter(LISTENER, ipv4(index), rule, nowMs, worker);
    const isFull = rule.sessions > 0 && client.sessions.length >= rule.sessions;
    const isEarly = rate !== null && client.timeMs - (burst - 1) * intervalMs > nowMs;
    const isKnown = client.sessions.length > 0 || client.timeMs > nowMs;
    const told = isFull ? TOO_MANY : isEarly ? TOO_FAST : 0;
    const isRight = row === NOT_COUNTED ? !isKnown : Math.min(row, 0) === told;
    if (!isRight) throw new Error(`${row} where ${told} is right, step ${step}, SEED=${seed}`);
    if (row < 0) continue;
    client.sessions.push(row);
    owners.set(row, [...(owners.get(row) ?? []), worker]);
    if (rate !== null) client.timeMs = Math.max(client.timeMs, nowMs) + intervalMs;
  }
}

/** While `work` runs, `between` is called around each access to shared memory. */
function stepped(between: () => void, work: () => void): void {
  const names = ['load', 'store', 'add', 'sub', 'compareExchange', 'exchange'] as const;
  const real = names.map((name) => [name, Atomics[name]] as const);
  const all = Atomics as unknown as Record<string, unknown>;
  for (const [name, act] of real) {
    all[name] = (...args: unknown[]) => {
      between();
      return (act as (...all: unknown[]) => unknown)(...args);
    };
  }
  try {
    work();
  } finally {
    for (const [name, act] of real) all[name] = act;
  }
}

t.test(`no interleaving lets a client have one more (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const met = new Set<number>();
  for (let history = 0; history < 200; history++) interleave(random, met);
  t.same([...met].sort(), [TOO_FAST, TOO_MANY, NOT_COUNTED, 0].sort());
});

const THREADS = 4;

/** Threads that interrupt each other anywhere, more clients than rows, one of which is popular. */
function interleave(random: Random, met: Set<number>): void {
  const memory = createClientMemory(THREADS, seededRandom(below(random, 1_000_000)), 1);
  const tables = Array.from({ length: THREADS }, () => new ClientTable(memory));
  const burst = 2 + below(random, 3);
  const rate = below(random, 2) === 0 ? rateOf(1, 1_000, burst) : null;
  const rule: ClientRule = { sessions: 1 + below(random, 3), rate, ipv6PrefixBits: 64 };
  const begun = new Array<number>(60).fill(0);
  const live = new Array<number>(60).fill(0);
  /** With sessions that are about to begin or have not quite ended. */
  const all = new Array<number>(60).fill(0);
  /** Of sessions that are about to begin: the most of `all` meanwhile. */
  const calls: { client: number; most: number }[] = [];
  const change = (client: number, by: number): void => {
    all[client] = (all[client] ?? 0) + by;
    for (const call of calls) {
      if (call.client === client) call.most = Math.max(call.most, all[client] ?? 0);
    }
  };
  const held: { client: number; row: number; thread: number }[][] = tables.map(() => []);
  let depth = 0;
  const act = (): void => {
    const thread = depth - 1;
    const table = tables[thread];
    const mine = held[thread] ?? [];
    if (table === undefined) return;
    if (below(random, 5) < 2) {
      const [one] = mine.splice(below(random, mine.length), 1);
      if (one === undefined) return;
      live[one.client] = (live[one.client] ?? 0) - 1;
      table.leave(one.row, thread as WorkerId);
      change(one.client, -1);
      return;
    }
    const client = below(random, 2) === 0 ? below(random, 60) : below(random, 2);
    const call = { client, most: 0 };
    calls.push(call);
    change(client, 1);
    const row = table.enter(LISTENER, ipv4(client), rule, 1_000, thread as WorkerId);
    calls.pop();
    met.add(Math.min(row, 0));
    if (row === TOO_MANY && call.most - 1 < rule.sessions) {
      throw new Error(`a client is refused that has a place, SEED=${seed}`);
    }
    if (row < 0) return change(client, -1);
    live[client] = (live[client] ?? 0) + 1;
    begun[client] = (begun[client] ?? 0) + 1;
    mine.push({ client, row, thread });
    if ((live[client] ?? 0) > rule.sessions) throw new Error(`one too many, SEED=${seed}`);
    if (rate !== null && (begun[client] ?? 0) > burst) throw new Error(`too fast, SEED=${seed}`);
  };
  const between = (): void => {
    if (depth >= THREADS || below(random, 12) > 0) return;
    depth++;
    act();
    depth--;
  };
  depth = 1;
  stepped(between, () => {
    for (let step = 0; step < 150; step++) act();
  });
  for (const [thread, mine] of held.entries()) {
    for (const { row } of mine) tables[thread]?.leave(row, thread as WorkerId);
  }
  const [table] = tables;
  const later = { ...rule, rate: null };
  for (let n = 0; n < rule.sessions; n++) {
    const row = table?.enter(LISTENER, ipv4(0), later, 1e9, w0) ?? NOT_COUNTED;
    if (row < 0) throw new Error(`something is left: ${row}, SEED=${seed}`);
  }
}

async function hammered(rule: ClientRule, clients: number): Promise<ClientHammerReport[]> {
  const threads = 3;
  const common = {
    memory: createClientMemory(threads, seededRandom(seed), 1),
    gate: new SharedArrayBuffer(4),
    live: new SharedArrayBuffer(4 * clients),
    threads,
    rounds: 30_000,
    clients,
    rule,
    seed,
  };
  const reports = await Promise.all(
    Array.from({ length: threads }, async (_, worker) => {
      const start: ClientHammerStart = { ...common, worker };
      const thread = new Worker(new URL('./client_hammer.js', import.meta.url), {
        workerData: start,
      });
      const [report] = (await once(thread, 'message')) as [ClientHammerReport];
      return report;
    }),
  );
  const table = new ClientTable(common.memory);
  for (let n = 0; n < rule.sessions; n++) {
    const row = table.enter(0 as ListenerId, ipv4(0), { ...rule, rate: null }, 1e9, w0);
    t.ok(row >= 0, 'nothing is left');
  }
  return reports;
}

t.test('threads that hammer it never give a client one session more', async (t) => {
  for (const clients of [3, 60]) {
    const reports = await hammered({ ...THREE, sessions: 2 }, clients);
    const sum = (of: (report: ClientHammerReport) => number): number =>
      reports.reduce((all, report) => all + of(report), 0);
    t.equal(Math.max(...reports.map(({ most }) => most)), 2);
    t.ok(sum(({ refused }) => refused) > 100, 'they met at the limit');
    if (clients < WAYS)
      t.equal(
        sum(({ uncounted }) => uncounted),
        0,
      );
  }
});

t.test('threads that hammer it let a client come exactly as often as its rate says', async (t) => {
  const rule = { sessions: 0, rate: rateOf(1, 3_600_000, 500), ipv6PrefixBits: 64 };
  const reports = await hammered(rule, 3);
  for (let client = 0; client < 3; client++) {
    t.equal(
      reports.reduce((sum, { begun }) => sum + (begun[client] ?? 0), 0),
      500,
    );
  }
});
