/**
 * `createHealth`: the health of an application for what watches it. Liveness says that its thread
 * answers, readiness that it wants requests, and deep health shows people each check.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Timers } from '../core/clock.js';
import { isRecord } from '../core/unknown.js';
import { systemClock } from '../system/clock.js';
import { holdingTimers, systemTimers } from '../system/timers.js';
import { type CheckState, HealthCheck } from './health_check.js';
import { known, misfit } from './misfit.js';
import type { Duration } from './options.js';
import { durationMs, durationOrZeroMs } from './read_calls.js';
import { abortablePause } from './scope.js';

export interface HealthCheckOptions {
  /** Rejects, throws or answers `false` where something is wrong. */
  readonly run: (about: { readonly signal: AbortSignal }) => unknown;
  /** `critical` (default): without it the application is not ready. `optional`: it is degraded. */
  readonly kind?: 'critical' | 'optional';
  /** Default: `5s`. */
  readonly interval?: Duration;
  /** Default: `1s`. */
  readonly timeout?: Duration;
}

export interface HealthServiceOptions {
  readonly checks?: Readonly<Record<string, HealthCheckOptions | HealthCheckOptions['run']>>;
  /** How long it answers "not ready" before `drain` goes on; default `5s`. */
  readonly drainDelay?: Duration;
  /** How long `stop` may take before `close` has its turn all the same; default `20s`. */
  readonly stopTimeout?: Duration;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'not-ready' | 'draining';
  readonly checks: readonly CheckState[];
}

export interface DrainOptions {
  /**
   * Stops taking requests and resolves when those under way are over: `server.close` and its like.
   */
  readonly stop?: () => unknown;
  /** What is closed last: pools, balancers. */
  readonly close?: () => unknown;
}

interface DrainLimits {
  readonly delayMs: number;
  readonly stopMs: number;
}

export interface HealthDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly waits: Timers;
}

/** For node:http, Express and Fastify's `reply.raw`; whatever comes after them is not called. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => void;

const thisMachine: HealthDeps = {
  clock: systemClock,
  timers: systemTimers,
  waits: holdingTimers,
};

export class HealthService {
  readonly #checks: readonly HealthCheck[];
  readonly #deps: HealthDeps;
  readonly #limits: DrainLimits;
  /** null: it serves. */
  #drained: Promise<void> | null = null;

  /** @internal */
  constructor(checks: readonly HealthCheck[], limits: DrainLimits, deps: HealthDeps) {
    this.#checks = checks;
    this.#limits = limits;
    this.#deps = deps;
  }

  report(): HealthReport {
    const checks = this.#checks.map(({ state }) => state);
    const bad = checks.filter(({ status }) => status !== 'pass');
    if (this.#drained !== null) return { status: 'draining', checks };
    if (bad.some(({ kind }) => kind === 'critical')) return { status: 'not-ready', checks };
    const isDegraded = bad.some(({ status }) => status === 'fail');
    return { status: isDegraded ? 'degraded' : 'ok', checks };
  }

  /** 200 while this thread answers; it looks at nothing else, or a database would restart it. */
  readonly liveness: HealthHandler = (_, response) => answer(response, 200, { status: 'ok' });

  /** 200 while every critical check passes and no drain has begun; else 503 with the reasons. */
  readonly readiness: HealthHandler = (_, response) => {
    const { status, checks } = this.report();
    const reasons = checks
      .filter((check) => check.kind === 'critical' && check.status !== 'pass')
      .map(({ name, detail }) => `${name}: ${detail || 'it has not run yet'}`);
    answer(response, isReady(status) ? 200 : 503, { status, reasons });
  };

  /** Every check, for people; the status code is that of readiness. */
  readonly health: HealthHandler = (_, response) => {
    const report = this.report();
    answer(response, isReady(report.status) ? 200 : 503, report);
  };

  /** The three of them at `/healthz`, `/ready` and `/health`; false: it is another path. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/healthz') this.liveness(request, response);
    else if (path === '/ready') this.readiness(request, response);
    else if (path === '/health') this.health(request, response);
    else return false;
    return true;
  }

  /**
   * The end, in the order that Kubernetes needs: "not ready" first, then a pause in which its
   * endpoints follow (SIGTERM and their removal run side by side), then no new requests, and last
   * what requests need. Whatever `stop` does, `close` has its turn. A second call is the first one.
   */
  drain(how?: DrainOptions): Promise<void> {
    this.#drained ??= this.#drain(readDrain(how));
    return this.#drained;
  }

  /** No check runs any more. */
  close(): void {
    for (const check of this.#checks) check.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #drain({ stop, close }: DrainOptions): Promise<void> {
    await abortablePause(this.#deps.waits, this.#limits.delayMs, undefined);
    try {
      await this.#within(async () => stop?.());
    } finally {
      try {
        await close?.();
      } finally {
        this.close();
      }
    }
  }

  /** A request that never ends must not keep what is closed last from its turn. */
  async #within(work: () => Promise<unknown>): Promise<void> {
    let timer = { cancel: (): void => {} };
    const late = new Promise<void>((resolve) => {
      timer = this.#deps.waits.after(this.#limits.stopMs, resolve);
    });
    try {
      await Promise.race([work(), late]);
    } finally {
      timer.cancel();
    }
  }
}

/** Resolves when every check has run once. */
export async function createHealth(
  options: HealthServiceOptions = {},
  deps: HealthDeps = thisMachine,
): Promise<HealthService> {
  const given = known(options, SERVICE) ?? {};
  if (given.checks !== undefined && !isRecord(given.checks)) {
    throw misfit('checks', 'wrong type', 'an object of checks by name', given.checks);
  }
  const checks = Object.entries(given.checks ?? {}).map(([name, one]) =>
    readCheck(name, one, deps),
  );
  const delayMs = durationOrZeroMs('drainDelay', given.drainDelay) ?? DRAIN_DELAY_MS;
  const stopMs = durationMs('stopTimeout', given.stopTimeout) ?? STOP_TIMEOUT_MS;
  const service = new HealthService(checks, { delayMs, stopMs }, deps);
  await Promise.all(checks.map((check) => check.start()));
  return service;
}

const SERVICE: ReadonlySet<string> = new Set<keyof HealthServiceOptions>([
  'checks',
  'drainDelay',
  'stopTimeout',
]);
const CHECK: ReadonlySet<string> = new Set<keyof HealthCheckOptions>([
  'run',
  'kind',
  'interval',
  'timeout',
]);
const DRAIN: ReadonlySet<string> = new Set<keyof DrainOptions>(['stop', 'close']);
const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 1_000;
const DRAIN_DELAY_MS = 5_000;
/** With the pause before it within the 30 s that Kubernetes gives, and time left to close. */
const STOP_TIMEOUT_MS = 20_000;

function readCheck(
  name: string,
  given: HealthCheckOptions | HealthCheckOptions['run'],
  deps: HealthDeps,
): HealthCheck {
  const called = `checks.${name}`;
  const told = typeof given === 'function' ? { run: given } : given;
  const check = known(told, CHECK, called);
  const { run, kind = 'critical', interval, timeout } = check ?? {};
  if (typeof run !== 'function') throw misfit(`${called}.run`, 'missing', 'a function', run);
  if (kind !== 'critical' && kind !== 'optional') {
    throw misfit(`${called}.kind`, 'unknown value', '"critical" or "optional"', kind);
  }
  const intervalMs = durationMs(`${called}.interval`, interval) ?? INTERVAL_MS;
  const timeoutMs = durationMs(`${called}.timeout`, timeout) ?? TIMEOUT_MS;
  return new HealthCheck(name, { run, kind, intervalMs, timeoutMs }, deps);
}

function readDrain(how: DrainOptions | undefined): DrainOptions {
  const given = known(how, DRAIN) ?? {};
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined && typeof value !== 'function') {
      throw misfit(key, 'wrong type', 'a function', value);
    }
  }
  return given;
}

function isReady(status: HealthReport['status']): boolean {
  return status === 'ok' || status === 'degraded';
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
