/**
 * The part of a Consul agent that sources use, from its API documentation: `GET
 * /v1/health/service/:service` ("Health HTTP Endpoint"), waiting with `index` and `wait` and the
 * header `X-Consul-Index` ("Blocking Queries"), `stale` ("Consistency Modes"), and
 * `X-Consul-Results-Filtered-By-ACLs` ("HTTP API Structure").
 */
import type { ServerResponse } from 'node:http';
import type { Timers } from '../../../src/core/clock.js';
import type { Handler } from './wrong_http.js';

export interface Instance {
  readonly id: string;
  readonly address: string;
  readonly node: string;
  readonly port: number;
  readonly weight: number;
}

/** An instance that has no address of its own lives at its node's. */
export function instance(host: string, port: number, more: Partial<Instance> = {}): Instance {
  return { id: `pg-${host}`, address: '', node: host, port, weight: 1, ...more };
}

export class FakeConsul {
  /** What was asked, in turn: without the leading path. */
  readonly asked: URLSearchParams[] = [];
  readonly tokens: (string | undefined)[] = [];
  filtered: 'yes' | 'no' = 'no';
  #instances: readonly Instance[] = [];
  #index = 100;
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  tell(instances: readonly Instance[]): void {
    this.#instances = instances;
    this.#index++;
    this.release();
  }

  /** A snapshot was restored: everything is there, and counts from the beginning. */
  restore(index: number): void {
    this.#index = index;
    this.release();
  }

  /** Answers all that wait: a wait may end without any change. */
  release(): void {
    for (const answer of [...this.#waiting]) answer();
  }

  readonly handle: Handler = (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://consul');
    this.asked.push(searchParams);
    this.tokens.push(request.headers['x-consul-token']?.toString());
    const seen = Number(searchParams.get('index') ?? 0);
    // A request for an index that is not there yet waits: also after it has fallen.
    if (seen === 0 || seen < this.#index) return this.#answer(response);
    const waitMs = Number.parseInt(searchParams.get('wait') ?? '300s', 10) * 1_000;
    const answer = (): void => {
      timer.cancel();
      this.#waiting.delete(answer);
      this.#answer(response);
    };
    const timer = this.#timers.after(waitMs, answer);
    this.#waiting.add(answer);
  };

  #answer(response: ServerResponse): void {
    response.setHeader('x-consul-index', String(this.#index));
    response.setHeader('x-consul-knownleader', 'true');
    if (this.filtered === 'yes') response.setHeader('x-consul-results-filtered-by-acls', 'true');
    response.end(JSON.stringify(this.#instances.map(entryOf)));
  }
}

function entryOf({ id, address, node, port, weight }: Instance) {
  return {
    Node: { Node: `node-${node}`, Address: node },
    Service: {
      ID: id,
      Service: 'pg',
      Tags: [],
      Address: address,
      Port: port,
      Weights: { Passing: weight, Warning: 1 },
    },
    Checks: [{ CheckID: 'serfHealth', Status: 'passing' }],
  };
}
