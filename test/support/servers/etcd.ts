/** A real etcd of one member on free ports; keys are written through its JSON gateway. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../../src/core/unknown.js';
import { eventually } from '../deadline.js';
import { freePort, type Scope, tempFolder } from '../places.js';
import { Child } from '../process.js';
import { program } from '../require_server.js';

export class Etcd {
  readonly origin: string;
  readonly #peer: string;
  readonly #folder: string;
  #child: Child | null = null;

  constructor(port: number, peerPort: number, folder: string) {
    this.origin = `http://127.0.0.1:${port}`;
    this.#peer = `http://127.0.0.1:${peerPort}`;
    this.#folder = join(folder, 'data');
  }

  async start(): Promise<void> {
    const own = [
      ...['--data-dir', this.#folder, '--unsafe-no-fsync'],
      ...['--listen-client-urls', this.origin, '--advertise-client-urls', this.origin],
      ...['--listen-peer-urls', this.#peer, '--initial-advertise-peer-urls', this.#peer],
      ...['--initial-cluster', `default=${this.#peer}`],
    ];
    this.#child = new Child(program('etcd'), own);
    await eventually('etcd is ready', async () => {
      const answer = await fetch(`${this.origin}/health`).catch(() => null);
      return answer?.status === 200 ? true : undefined;
    });
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** What it knew is gone, as after a restore from nothing. */
  forget(): void {
    rmSync(this.#folder, { recursive: true });
  }

  async end(): Promise<void> {
    if (this.#child?.running) await this.#child.stop();
  }

  put(key: string, value: string, lease?: string): Promise<unknown> {
    return this.call('kv/put', {
      key: base64(key),
      value: base64(value),
      ...(lease === undefined ? {} : { lease }),
    });
  }

  /** At once: a watcher sees all of them. */
  putAll(keys: readonly (readonly [key: string, value: string])[]): Promise<unknown> {
    const success = keys.map(([key, value]) => {
      return { request_put: { key: base64(key), value: base64(value) } };
    });
    return this.call('kv/txn', { success });
  }

  remove(key: string): Promise<unknown> {
    return this.call('kv/deleterange', { key: base64(key) });
  }

  /** Whose keys are gone `seconds` after its last refresh, which never comes. */
  async lease(seconds: number): Promise<string> {
    const given = await this.call('lease/grant', { TTL: String(seconds) });
    return String(given['ID']);
  }

  /** All that happened until now can be watched no more. */
  async compact(): Promise<void> {
    const { header } = await this.call('kv/range', { key: base64('/') });
    const revision = isRecord(header) ? header['revision'] : null;
    await this.call('kv/compaction', { revision, physical: true });
  }

  /** Asks for passwords from now on; `user` may read what begins with `prefix`. */
  async protect(user: string, password: string, prefix: string): Promise<void> {
    const all = base64(prefix);
    const end = base64(prefix.replace(/\/$/, '0'));
    await this.call('auth/role/add', { name: 'reader' });
    await this.call('auth/role/grant', {
      name: 'reader',
      perm: { permType: 'READ', key: all, range_end: end },
    });
    await this.call('auth/user/add', { name: user, password });
    await this.call('auth/user/grant', { user, role: 'reader' });
    await this.call('auth/user/add', { name: 'root', password });
    await this.call('auth/user/grant', { user: 'root', role: 'root' });
    await this.call('auth/enable', {});
  }

  async call(path: string, body: object, token = ''): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(`${this.origin}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: token === '' ? {} : { authorization: token },
    });
    const said: unknown = await answer.json();
    if (answer.status !== 200 || !isRecord(said)) throw new Error(JSON.stringify(said));
    return said;
  }
}

export async function startEtcd(t: Scope): Promise<Etcd> {
  const server = new Etcd(await freePort(), await freePort(), tempFolder(t));
  t.teardown(() => server.end());
  await server.start();
  return server;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
