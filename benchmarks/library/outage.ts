/**
 * Both of two backends are gone for a while, and one comes back before the other: which requests
 * are served meanwhile, and how even is the load at the end? (undici's issue 4839.) Counts, not
 * speeds.
 */
import { BalancedPool, Pool } from 'undici';
import { present } from '../../src/core/assert.js';
import { createBalancer } from '../../src/library/create.js';
import { freePort } from '../../test/support/places.js';
import { type Endings, withEndings } from '../support/endings.js';
import { exchange } from './asking.js';
import type { Listening } from './messages.js';
import { startProgram, stopProgram } from './processes.js';

export interface OutageRun {
  readonly peer: 'balanced' | 'execute';
  /** Which of both is back first, in the order in which they are listed. */
  readonly first: 1 | 2;
  /** From the return of the first one to the first request that is served; null: never. */
  readonly servedAfterMs: number | null;
  /** Of the requests from then to the return of the other. */
  readonly failed: number;
  readonly of: number;
  /** Of the one that came back last, once it had `SPAN_MS` for it. */
  readonly shareOfLast: number;
}

/** More than the library's probes need by default: two of them, 5 s apart at first. */
const SPAN_MS = 8_000;
const PAUSE_MS = 20;

type Asked = () => Promise<number>;

export function runOutage(peer: OutageRun['peer'], first: OutageRun['first']): Promise<OutageRun> {
  return withEndings(async (scope) => {
    const ports = [await freePort(), await freePort()];
    let children = await Promise.all(ports.map((port) => startBackend(port)));
    scope.teardown(() => Promise.all(children.map(stopProgram)));
    const ask = await askerOf(scope, peer, ports);
    await during(1_000, ask);
    await Promise.all(children.map(stopProgram));
    children = [];
    await during(SPAN_MS / 2, ask);
    const port = ports[first - 1] ?? 0;
    const last = ports[2 - first] ?? 0;
    children.push(await startBackend(port));
    const alone = await during(SPAN_MS, ask);
    children.push(await startBackend(last));
    await during(SPAN_MS, ask);
    const both = await during(1_000, ask);
    const served = alone.findIndex(({ port }) => port !== null);
    const since = served === -1 ? [] : alone.slice(served);
    return {
      peer,
      first,
      servedAfterMs: alone[served]?.atMs ?? null,
      failed: since.filter(({ port }) => port === null).length,
      of: since.length,
      shareOfLast: both.filter(({ port }) => port === last).length / both.length,
    };
  });
}

interface Asking {
  readonly atMs: number;
  /** The port that has answered; null: none. */
  readonly port: number | null;
}

async function during(spanMs: number, ask: Asked): Promise<Asking[]> {
  const beganMs = performance.now();
  const askings: Asking[] = [];
  for (let atMs = 0; atMs < spanMs; atMs = performance.now() - beganMs) {
    askings.push({ port: await ask().catch(() => null), atMs: performance.now() - beganMs });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return askings;
}

async function startBackend(port: number) {
  const { child } = await startProgram<Listening>('backends', [String(port)]);
  return child;
}

async function askerOf(
  scope: Endings,
  peer: OutageRun['peer'],
  ports: readonly number[],
): Promise<Asked> {
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  if (peer === 'balanced') {
    const pool = new BalancedPool(origins, { connections: 1 });
    scope.teardown(() => pool.destroy());
    return () => exchange(pool);
  }
  const balancer = await createBalancer({ backends: origins.map((url) => url.slice(7)) });
  const pools = new Map(
    ports.map((port, at) => [port, new Pool(origins[at] ?? '', { connections: 1 })]),
  );
  scope.teardown(() => balancer.close());
  scope.teardown(() => Promise.all([...pools.values()].map((pool) => pool.destroy())));
  return () => balancer.execute(({ port }) => exchange(present(pools.get(port), 'each has one')));
}
