/** `connect`: a socket to a backend, with failover to those that were not tried yet. */
import { connect, type Socket } from 'node:net';
import type { BackendId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PoolSettings } from '../core/spec.js';
import { type Lease, UNANSWERED_MS } from '../pool/selection.js';
import { onAbort } from './abort.js';
import type { Connections } from './connections.js';
import type { Counts } from './counts.js';
import type { Entry } from './entry.js';
import { type NoBackendCode, NoBackendError } from './errors.js';
import type { ConnectOptions } from './execute_options.js';
import { blameOf } from './failure.js';
import { readConnect } from './read_calls.js';
import type { Asker, Leasing } from './waiting.js';

export interface DialDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly waiting: Leasing;
  readonly connections: Connections;
  readonly counts: Counts;
  readonly settings: () => PoolSettings;
  readonly entryOf: (id: BackendId) => Entry;
  readonly took: (lease: Lease, tookMs: number) => void;
  readonly refusal: (code: NoBackendCode, asker: Asker, cause: unknown) => Error;
}

export async function dialWithFailover(
  deps: DialDeps,
  options: ConnectOptions | undefined,
): Promise<Socket> {
  const { waiting, settings, counts, refusal } = deps;
  const { clientKey, signal, retries: asked } = readConnect(options);
  signal?.throwIfAborted();
  const retries = asked ?? settings().retries;
  let tried: BackendId[] | null = null;
  let last: unknown;
  counts.requests++;
  for (let attempt = 1; ; attempt++) {
    const asker: Asker = { clientKey, tried, signal };
    let lease: Lease;
    try {
      lease = await waiting.take(asker);
    } catch (error) {
      const hasTried = tried !== null && error instanceof NoBackendError;
      if (!hasTried || error.code === 'closed') throw error;
      throw refusal('dial-failed', asker, last);
    }
    const dialled = await dialOne(deps, lease, asker);
    if (dialled.kind === 'connected') return dialled.socket;
    if (dialled.kind === 'over') throw dialled.error;
    last = dialled.error;
    tried = [...(tried ?? []), lease.backend.id];
    if (attempt > retries) throw refusal('dial-failed', { ...asker, tried }, last);
    counts.retries++;
  }
}

type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The caller gave up, or this process has no room for a connection. */
  | { readonly kind: 'over'; readonly error: unknown };

async function dialOne(deps: DialDeps, lease: Lease, asker: Asker): Promise<Dialled> {
  const { clock, connections, entryOf } = deps;
  const sinceMs = clock.nowMs();
  let over: 'no' | 'yes' = 'no';
  const isOver = (error: unknown): boolean => over === 'yes' || blameOf(error) === 'own';
  try {
    const socket = await opened(lease.backend.endpoint, deps, asker, () => {
      over = 'yes';
    });
    lease.connected(clock.nowMs() - sinceMs);
    connections.add(entryOf(lease.backend.id), socket);
    settleAtItsEnd(socket, lease, deps);
    return { kind: 'connected', socket };
  } catch (error) {
    lease.settle(isOver(error) ? 'neutral' : 'failed');
    return { kind: isOver(error) ? 'over' : 'failed', error };
  }
}

/** `ended` is called where the caller gives up, or the balancer closes. */
function opened(
  endpoint: Endpoint,
  { settings, timers, connections, refusal }: DialDeps,
  asker: Asker,
  ended: () => void,
): Promise<Socket> {
  const { signal } = asker;
  const limitMs = settings().connectTimeoutMs;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      ended();
      return reject(signal.reason);
    }
    const socket =
      endpoint.kind === 'ip'
        ? connect({ host: endpoint.host, port: endpoint.port, noDelay: true, keepAlive: true })
        : connect({ path: endpoint.path });
    const fail = (error: unknown): void => {
      over();
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const end = (reason: unknown): void => {
      ended();
      fail(reason);
    };
    const gaveUp = (): void => end(signal?.reason);
    const forget = connections.dialling(() => end(refusal('closed', asker, undefined)));
    const timer = timers.after(limitMs, () => fail(timeoutOf(limitMs)));
    const over = (): void => {
      timer.cancel();
      forget();
      unheard();
      socket.off('error', fail);
    };
    const unheard = signal === undefined ? () => {} : onAbort(signal, gaveUp);
    socket.once('error', fail);
    socket.once('connect', () => {
      if (isToItself(socket)) return fail(errorOf('ECONNREFUSED', 'it was connected to itself'));
      over();
      resolve(socket);
    });
  });
}

/** The place is taken for as long as the socket is open. */
function settleAtItsEnd(socket: Socket, lease: Lease, { clock, took }: DialDeps): void {
  const sinceMs = clock.nowMs();
  let answered: 'no' | 'yes' = 'no';
  const push = socket.push;
  // The one place where the first byte is seen without making the socket flow.
  socket.push = (...args) => {
    socket.push = push;
    if (args[0] !== null) {
      answered = 'yes';
      const tookMs = clock.nowMs() - sinceMs;
      lease.answered(tookMs);
      took(lease, tookMs);
    }
    return push.apply(socket, args);
  };
  socket.once('close', (hadError) => {
    // Under TLS the bytes do not pass here; they are counted all the same.
    const isAnswered = answered === 'yes' || socket.bytesRead > 0;
    if (isAnswered) lease.settle('served');
    else if (hadError) lease.settle('failed');
    else {
      const isLong = clock.nowMs() - sinceMs >= UNANSWERED_MS && socket.bytesWritten > 0;
      lease.settle(isLong ? 'unanswered' : 'neutral');
    }
  });
}

/** A dial to a dead port of this machine may take that port as its own (engine/self_dials.ts). */
function isToItself({ localPort, localAddress, remotePort, remoteAddress }: Socket): boolean {
  return localPort !== undefined && localPort === remotePort && localAddress === remoteAddress;
}

function timeoutOf(limitMs: number): Error {
  return errorOf('ETIMEDOUT', `not connected within ${limitMs} ms`);
}

function errorOf(code: string, what: string): Error {
  return Object.assign(new Error(`connect ${code}: ${what}`), { code, syscall: 'connect' });
}
