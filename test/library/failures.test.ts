/**
 * Three real servers under load: one is killed, stopped, ten times slower, and back. No request
 * fails that a retry could save.
 */
import t, { type Test } from 'tap';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import { eventually } from '../support/deadline.js';
import { freePort } from '../support/places.js';
import { Child } from '../support/process.js';

const PROGRAM = `
let delayMs = 2;
process.on('SIGUSR2', () => { delayMs = delayMs === 2 ? 20 : 2; });
require('node:http')
  .createServer((_, response) => setTimeout(() => response.end('x'), delayMs))
  .listen(Number(process.argv[1]), '127.0.0.1', () => console.log('listening'));
`;

class Service {
  readonly port: number;
  #child: Child | null = null;

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    this.#child = new Child(process.execPath, ['-e', PROGRAM, String(this.port)], {});
    await this.#child.stdout.first('it listens', (line) => line === 'listening');
  }
  async kill(): Promise<void> {
    await this.#child?.kill();
  }
  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }
}

/** Requests one after the other in each of `lanes`, until told to end. */
class Load {
  readonly byPort = new Map<number, number>();
  readonly failures: string[] = [];
  readonly #lanes: Promise<void>[];
  #state: 'running' | 'over' = 'running';

  constructor(balancer: Balancer, lanes: number) {
    this.#lanes = Array.from({ length: lanes }, async () => {
      while (this.#state === 'running') {
        try {
          const port = await balancer.execute(ask, {
            tryTimeout: '2s',
            timeout: '15s',
            retryIf: () => true,
          });
          this.byPort.set(port, (this.byPort.get(port) ?? 0) + 1);
        } catch (error) {
          this.failures.push(String(error));
        }
      }
    });
  }

  async end(): Promise<void> {
    this.#state = 'over';
    await Promise.all(this.#lanes);
  }

  /** Until each of `ports` has answered `count` more. */
  async more(ports: readonly number[], count: number): Promise<void> {
    const from = new Map(this.byPort);
    const has = (port: number) => (this.byPort.get(port) ?? 0) - (from.get(port) ?? 0) >= count;
    await eventually('more answers', () => (ports.every(has) ? true : undefined));
  }
}

async function ask({ address, port }: { address: string; port: number }, about: object) {
  const { signal } = about as { readonly signal: AbortSignal };
  const response = await fetch(`http://${address}/`, { signal });
  await response.text();
  return port;
}

async function bed(t: Test) {
  const services = [];
  for (let n = 0; n < 3; n++) services.push(new Service(await freePort()));
  for (const service of services) t.teardown(() => service.kill());
  await Promise.all(services.map((service) => service.start()));
  const ports = services.map(({ port }) => port);
  const balancer = await createBalancer({
    backends: ports.map((port) => `127.0.0.1:${port}`),
    policy: 'least-latency',
    health: { interval: '300ms', fastInterval: '50ms', downInterval: '200ms', fall: 2, rise: 2 },
    outlier: { consecutiveFailures: 2, baseEjection: '500ms' },
  });
  t.teardown(() => balancer.close());
  const load = new Load(balancer, 4);
  t.teardown(() => load.end());
  await load.more(ports, 20);
  return { services, ports, balancer, load };
}

t.test('no request fails that a retry could save', async (t) => {
  const { services, ports, load } = await bed(t);
  const [first, second, third] = services;
  const [one = 0, two = 0, three = 0] = ports;
  await first?.kill();
  await load.more([two, three], 50);
  t.same(load.failures, [], 'one is killed');
  await first?.start();
  await load.more(ports, 20);
  t.same(load.failures, [], 'it is back');
  second?.signal('SIGSTOP');
  await load.more([one, three], 50);
  second?.signal('SIGCONT');
  await load.more(ports, 20);
  t.same(load.failures, [], 'one has stood still');
  third?.signal('SIGUSR2');
  await load.more([one, two], 50);
  third?.signal('SIGUSR2');
  await load.more(ports, 20);
  await load.end();
  t.same(load.failures, [], 'one was ten times slower');
});
