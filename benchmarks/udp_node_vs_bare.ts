/**
 * Question: what does the node engine, with the whole life of its flows, cost a datagram beside a
 * bare relay of node:dgram (the least that could be written)? 50 clients in a closed loop, 64-byte
 * echo, relay and load in processes of their own (on cores of their own where taskset is there),
 * alternating rounds. Printed: exchanges per second and CPU time of the relay per exchange.
 *
 *   node dist/benchmarks/udp_node_vs_bare.js [rounds] [seconds per round]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './support/machine.js';
import { markdownTable, spread } from './support/markdown.js';
import { startNodeRelay } from './udp_node_vs_bare/engine.js';

const CLIENTS = 50;
const PAYLOAD_BYTES = 64;
const RELAYS = ['bare', 'sluice'] as const;
type Relay = (typeof RELAYS)[number];

interface Round {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

interface Usage {
  readonly user: number;
  readonly system: number;
}

const [role = '', argument = ''] = process.argv.slice(2);
if (role === 'bare') startBareRelay(Number(argument));
else if (role === 'sluice') await startSluice(Number(argument));
else if (role === 'load') await startLoad();
else await compare(Number(role) || 5, Number(argument) || 3);

async function compare(rounds: number, seconds: number): Promise<void> {
  const load = child(1, 'load');
  const { echo } = await message<{ echo: number }>(load);
  const relays = new Map<Relay, { process: ChildProcess; port: number }>();
  for (const name of RELAYS) {
    const process = child(0, name, String(echo));
    relays.set(name, { process, port: (await message<{ port: number }>(process)).port });
  }
  const results = new Map<Relay, Round[]>(RELAYS.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, relay] of relays) {
      const result = await measure(load, relay, seconds);
      // The first round warms up.
      if (round > 0) results.get(name)?.push(result);
    }
  }
  console.log(
    `${describeMachine()}; median (least–greatest) of ${rounds} rounds of ${seconds} s\n`,
  );
  console.log(table(results));
  load.kill();
  for (const { process } of relays.values()) process.kill();
}

async function measure(
  load: ChildProcess,
  relay: { process: ChildProcess; port: number },
  seconds: number,
): Promise<Round> {
  const usage = async (): Promise<Usage> => {
    relay.process.send('usage');
    return message<Usage>(relay.process);
  };
  const before = await usage();
  load.send({ port: relay.port, seconds });
  const { exchanges } = await message<{ exchanges: number }>(load);
  const after = await usage();
  const cpu = after.user + after.system - before.user - before.system;
  return { perSecond: exchanges / seconds, cpuMicros: cpu / exchanges };
}

function table(results: ReadonlyMap<Relay, readonly Round[]>): string {
  const rows = RELAYS.map((name) => {
    const rounds = results.get(name) ?? [];
    return [
      name,
      spread(
        rounds.map((round) => round.perSecond),
        0,
      ),
      spread(
        rounds.map((round) => round.cpuMicros),
        2,
      ),
    ];
  });
  return markdownTable([['relay', 'exchanges per second', 'CPU time each, µs'], ...rows]);
}

function child(core: number, ...args: string[]): ChildProcess {
  const self = [process.execPath, fileURLToPath(import.meta.url), ...args];
  const pinned = existsSync('/usr/bin/taskset') ? ['taskset', '-c', String(core), ...self] : self;
  const [program = '', ...rest] = pinned;
  return spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function message<T>(from: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the benchmark ended'));
    from.once('exit', ended);
    from.once('message', (value) => {
      from.off('exit', ended);
      resolve(value as T);
    });
  });
}

/** Reports its port, and its CPU time whenever asked. */
function serve(port: number): void {
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.send?.({ port });
}

/** Nothing but forwarding: no limits, no timeouts, no counters. */
function startBareRelay(echo: number): void {
  const listener = createSocket('udp4');
  const upstreams = new Map<string, Socket>();
  listener.on('message', (payload, from) => {
    const key = `${from.address}:${from.port}`;
    let upstream = upstreams.get(key);
    if (upstream === undefined) {
      const { address, port } = from;
      upstream = createSocket('udp4');
      upstream.on('message', (reply) => listener.send(reply, port, address));
      upstream.connect(echo, '127.0.0.1', () => upstream?.send(payload));
      upstreams.set(key, upstream);
      return;
    }
    upstream.send(payload);
  });
  listener.bind(0, '127.0.0.1', () => serve((listener.address() as AddressInfo).port));
}

async function startSluice(echo: number): Promise<void> {
  serve(await startNodeRelay('127.0.0.1', echo));
}

/** The echo backend, and clients that each wait for the reply before they send again. */
async function startLoad(): Promise<void> {
  const echo = createSocket('udp4');
  echo.on('message', (payload, from) => echo.send(payload, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
  let exchanges = 0;
  process.on('message', (order: { port: number; seconds: number }) => {
    exchanges = 0;
    const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
    const clients = Array.from({ length: CLIENTS }, () => {
      const client = createSocket('udp4');
      client.on('message', () => {
        exchanges++;
        client.send(payload);
      });
      client.connect(order.port, '127.0.0.1', () => client.send(payload));
      return client;
    });
    setTimeout(() => {
      for (const client of clients) client.close();
      process.send?.({ exchanges });
    }, order.seconds * 1000);
  });
  process.send?.({ echo: (echo.address() as AddressInfo).port });
}
