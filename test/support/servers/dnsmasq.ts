/** Real DNS servers (dnsmasq) that answer from their own command line and ask no other server. */
import type { Test } from 'tap';
import { freePort } from '../places.js';
import { Child } from '../process.js';
import { program } from '../require_server.js';

export class Dnsmasq {
  readonly port: number;
  readonly #records: readonly string[];
  #child: Child | null = null;

  constructor(port: number, records: readonly string[]) {
    this.port = port;
    this.#records = records;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What the server has logged since its last start. */
  get log(): readonly string[] {
    return this.#child?.stderr.past ?? [];
  }

  async start(): Promise<void> {
    this.#child = new Child(program('dnsmasq'), [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=root',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      '--cache-size=0',
      '--log-facility=-',
      `--port=${this.port}`,
      ...this.#records,
    ]);
    await this.#child.stderr.first('dnsmasq serves', (line) => /started, version/.test(line));
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async end(): Promise<void> {
    if (this.#child?.running) await this.#child.stop();
  }
}

/**
 * `count` servers. Each knows `service.test` (A 192.0.2.1) and, so that the answer names its
 * server, `which.test` as TXT `dns1`, `dns2` …
 */
export async function startDnsmasq(t: Test, count: number): Promise<readonly Dnsmasq[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const server = new Dnsmasq(await freePort(), [
        '--host-record=service.test,192.0.2.1',
        `--txt-record=which.test,dns${index + 1}`,
      ]);
      t.teardown(() => server.end());
      await server.start();
      return server;
    }),
  );
}
