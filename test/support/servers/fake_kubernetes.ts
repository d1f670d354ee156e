/**
 * The part of the Kubernetes API that sources use, from its documentation: lists with a
 * resourceVersion, watches as lines of JSON, their `timeoutSeconds`, bookmarks and 410 Gone
 * ("Kubernetes API Concepts": "Efficient detection of changes", "Watch bookmarks", "410 Gone
 * responses"), and slices ("EndpointSlice v1": a list that is empty is null or absent).
 */
import type { ServerResponse } from 'node:http';
import type { Timers } from '../../../src/core/clock.js';
import type { Handler } from './wrong_http.js';

interface FakeEndpoint {
  readonly addresses: readonly string[];
  readonly conditions: Readonly<Record<string, boolean>>;
  readonly zone?: string;
  readonly hints?: { readonly forZones: readonly { readonly name: string }[] };
  readonly targetRef?: { readonly kind: 'Pod'; readonly name: string };
}

export interface FakeSlice {
  readonly name: string;
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly FakeEndpoint[] | null;
}

export function ready(host: string): FakeEndpoint {
  return { addresses: [host], conditions: { ready: true, serving: true, terminating: false } };
}

export function slice(
  name: string,
  endpoints: readonly FakeEndpoint[],
  port: number,
  more: Partial<FakeSlice> = {},
): FakeSlice {
  const ports = [{ name: 'postgres', port }];
  const listed = endpoints.length === 0 ? null : endpoints;
  return { name, addressType: 'IPv4', ports, endpoints: listed, ...more };
}

export class FakeKubernetes {
  /** Queries, in turn. */
  readonly asked: URLSearchParams[] = [];
  readonly tokens: (string | undefined)[] = [];
  #version = 1_000;
  #forgotten = 0;
  readonly #timers: Timers;
  readonly #slices = new Map<string, object>();
  readonly #history: { readonly version: number; readonly line: string }[] = [];
  readonly #watches = new Set<ServerResponse>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  put(slice: FakeSlice): void {
    const type = this.#slices.has(slice.name) ? 'MODIFIED' : 'ADDED';
    this.#version++;
    const object = this.#object(slice);
    this.#slices.set(slice.name, object);
    this.#tell({ type, object });
  }

  remove(name: string): void {
    const metadata = { name, resourceVersion: String(++this.#version) };
    this.#slices.delete(name);
    this.#tell({ type: 'DELETED', object: { metadata } });
  }

  /** Something else has changed, and watchers learn how far they are. */
  bookmark(): void {
    const metadata = { resourceVersion: String(++this.#version) };
    this.#write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  }

  /** All that happened until now: a watcher from before gets 410 Gone. */
  forget(): void {
    this.#forgotten = ++this.#version;
    this.#history.length = 0;
  }

  /** Ends all watches, as a server does whose `timeoutSeconds` are over. */
  release(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  /** Cuts all connections of watches. */
  cut(): void {
    for (const { socket } of this.#watches) socket?.resetAndDestroy();
  }

  readonly handle: Handler = (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://kubernetes');
    this.asked.push(searchParams);
    this.tokens.push(request.headers.authorization);
    if (searchParams.get('watch') !== '1') {
      const metadata = { resourceVersion: String(this.#version) };
      const items = this.#slices.size === 0 ? null : [...this.#slices.values()];
      response.end(JSON.stringify({ kind: 'EndpointSliceList', metadata, items }));
      return;
    }
    const from = Number(searchParams.get('resourceVersion'));
    response.writeHead(200).flushHeaders();
    if (from < this.#forgotten) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', metadata: {} };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    for (const { version, line } of this.#history) if (version > from) response.write(line);
    const limitMs = Number(searchParams.get('timeoutSeconds')) * 1_000;
    const timer = this.#timers.after(limitMs, () => response.end());
    this.#watches.add(response);
    response.once('close', () => {
      timer.cancel();
      this.#watches.delete(response);
    });
  };

  #object({ name, ...fields }: FakeSlice): object {
    const labels = { 'kubernetes.io/service-name': 'pg' };
    const metadata = { name, namespace: 'db', labels, resourceVersion: String(this.#version) };
    return { metadata, ...fields };
  }

  #tell(event: object): void {
    const line = `${JSON.stringify(event)}\n`;
    this.#history.push({ version: this.#version, line });
    this.#write(line);
  }

  #write(line: string): void {
    for (const watch of this.#watches) watch.write(line);
  }
}

/** As `kubectl config view --flatten` prints one; `user` and `trust` are lines of YAML. */
export function kubeconfigOf(server: string, user: string, trust = 'extensions: []'): string {
  return `apiVersion: v1
clusters:
- cluster:
    ${trust}
    server: ${server}
  name: test
contexts:
- context:
    cluster: test
    user: sluice
  name: test
current-context: test
kind: Config
preferences: {}
users:
- name: sluice
  user:
    ${user}
`;
}
