/** HTTP servers in processes of their own, to be killed, stopped and slowed; and their load. */
import { once } from 'node:events';
import type { Test } from 'tap';
import type { Balancer } from '../../src/library/balancer.js';
import { NoBackendError } from '../../src/library/errors.js';
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

export class Service {
  readonly port: number;
  #child: Child | null = null;

  constructor(port: number) {
    this.port = port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#child = new Child(process.execPath, ['-e', PROGRAM, String(this.port)], {});
    await this.#child.stdout.first('it listens', (line) => line === 'listening');
  }
  async kill(): Promise<void> {
    await this.#child?.kill();
  }
  /** SIGUSR2: ten times slower, or as fast as before. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }
}

export async function startServices(t: Test, count: number): Promise<Service[]> {
  const services: Service[] = [];
  for (let n = 0; n < count; n++) services.push(new Service(await freePort()));
  for (const service of services) t.teardown(() => service.kill());
  await Promise.all(services.map((service) => service.start()));
  return services;
}

/** Requests one after the other in each of `lanes`, until stopped. */
export class Load {
  readonly #balancer: Balancer;
  /** Ports, in the order of their answers. */
  readonly answers: number[] = [];
  readonly failures: string[] = [];
  readonly #lanes: Promise<void>[];
  #state: 'running' | 'over' = 'running';

  constructor(balancer: Balancer, lanes: number) {
    this.#balancer = balancer;
    this.#lanes = Array.from({ length: lanes }, async () => {
      while (this.#state === 'running') await this.#request();
    });
  }

  async end(): Promise<void> {
    this.#state = 'over';
    await Promise.all(this.#lanes);
  }

  /** Until each of `ports` has answered `count` more. */
  async more(ports: readonly number[], count: number): Promise<void> {
    const from = this.answers.length;
    const has = (port: number): boolean => this.#answered(port, from) >= count;
    await eventually('more answers', () => (ports.every(has) ? true : undefined));
  }

  /** The shares of `ports` in the next `count` answers. */
  async shares(ports: readonly number[], count: number): Promise<readonly number[]> {
    const from = this.answers.length;
    await eventually('answers', () => (this.answers.length - from >= count ? true : undefined));
    const next = this.answers.slice(from, from + count);
    return ports.map((port) => next.filter((one) => one === port).length / count);
  }

  #answered(port: number, from: number): number {
    return this.answers.slice(from).filter((one) => one === port).length;
  }

  async #request(): Promise<void> {
    const options = { tryTimeout: '2s', timeout: '15s', retryIf: () => true };
    try {
      this.answers.push(await this.#balancer.execute(ask, options));
    } catch (error) {
      this.failures.push(String(error));
      // None is there: a retry would find none either.
      const isOutage = error instanceof NoBackendError && error.code === 'all-down';
      if (isOutage && this.#state === 'running') await once(this.#balancer, 'backend-up');
    }
  }
}

async function ask(
  { address, port }: { readonly address: string; readonly port: number },
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const response = await fetch(`http://${address}/`, { signal });
  await response.text();
  return port;
}
