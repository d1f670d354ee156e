/** Backends that are replaced by others while clients come and go, as an orchestrator does it. */
import type { Test } from 'tap';
import type { Daemon } from '../daemon.js';
import { atRate } from '../deadline.js';
import { freePort } from '../places.js';
import { EchoBackend } from './echo_backend.js';
import { exchangeOnce, type Failure, tally } from './short_connections.js';

/** Echoes at one port of 127.0.NET.1, 127.0.NET.2 … */
export class Hosts {
  readonly port: number;
  readonly #t: Test;
  readonly #net: number;
  readonly #running = new Map<number, EchoBackend>();

  constructor(t: Test, port: number, net: number) {
    this.#t = t;
    this.port = port;
    this.#net = net;
  }

  host(number: number): string {
    return `127.0.${this.#net}.${number}`;
  }

  at(number: number): string {
    return `${this.host(number)}:${this.port}`;
  }

  async start(...numbers: readonly number[]): Promise<void> {
    await Promise.all(
      numbers.map(async (number) => {
        const echo = new EchoBackend(this.port, { host: this.host(number) });
        this.#t.teardown(() => echo.kill());
        await echo.start();
        this.#running.set(number, echo);
      }),
    );
  }

  async kill(number: number): Promise<void> {
    await this.#running.get(number)?.kill();
  }

  /** Ends the server of one that has left, as an orchestrator does. */
  async leave(daemon: Daemon, number: number, name = this.at(number)): Promise<void> {
    await daemon.event('backend-drained', ({ backend }) => backend === name);
    await this.kill(number);
  }
}

export async function startHosts(
  t: Test,
  net: number,
  ...numbers: readonly number[]
): Promise<Hosts> {
  const hosts = new Hosts(t, await freePort(), net);
  await hosts.start(...numbers);
  return hosts;
}

export interface Traffic {
  readonly daemon: Daemon;
  readonly pool: string;
  readonly perSecond: number;
}

/** Clients come and go while `story` happens, and none of them fails. */
export async function underTraffic(
  t: Test,
  { daemon, pool, perSecond }: Traffic,
  story: () => Promise<void>,
): Promise<void> {
  const target = { port: await daemon.port(pool) };
  const told: { over: 'no' | 'yes' } = { over: 'no' };
  const running: Promise<Failure | null>[] = [];
  const load = async (): Promise<void> => {
    while (told.over === 'no') {
      await atRate(perSecond, 500, () => running.push(exchangeOnce(target)));
    }
  };
  const done = story().finally(() => {
    told.over = 'yes';
  });
  await Promise.all([load(), done]);
  const failures = (await Promise.all(running)).filter((one) => one !== null);
  t.comment(`${running.length} connections, ${perSecond} per second`);
  t.same(tally(failures), {});
  t.same(daemon.eventsNamed('backend-down'), []);
}
