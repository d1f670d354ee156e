/**
 * The part of etcd's JSON gateway that sources use, from its documentation: `/v3/kv/range`,
 * `/v3/watch` and `/v3/auth/authenticate` ("Why gRPC gateway": keys and values in base64, a line of
 * JSON for each message of a stream), and what the messages say ("etcd API", WatchResponse: a watch
 * of a compacted revision is canceled). int64 is text and what is empty is left out (Protocol
 * Buffers, "JSON Mapping").
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRecord } from '../../../src/core/unknown.js';
import type { Handler } from './wrong_http.js';

export class FakeEtcd {
  /** Paths, in turn. */
  readonly asked: string[] = [];
  /** null: none is needed. */
  token: string | null = null;
  #keys: ReadonlyMap<string, string> = new Map();
  #revision = 1;
  #compacted = 0;
  readonly #watches = new Set<ServerResponse>();

  /** From now on these are all keys. */
  put(keys: ReadonlyMap<string, string>): void {
    this.#keys = keys;
    this.#revision++;
    for (const watch of this.#watches) watch.write(this.#line({ events: [{ kv: {} }] }));
  }

  /** What happened until now is forgotten: `etcdctl compact`. */
  compact(): void {
    this.#revision++;
    this.#compacted = this.#revision;
  }

  /** Ends all streams, as a server that stops does. */
  release(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  readonly handle: Handler = (request, response) => {
    const path = request.url ?? '';
    this.asked.push(path);
    void bodyOf(request).then((body) => {
      if (path === '/v3/auth/authenticate') {
        const isKnown = isRecord(body) && body['name'] === 'sluice' && body['password'] === 'right';
        if (isKnown) response.end(JSON.stringify({ header: {}, token: this.token ?? '' }));
        else
          refuse(response, 400, 'etcdserver: authentication failed, invalid user ID or password');
      } else if (this.token !== null && request.headers.authorization !== this.token) {
        refuse(response, 401, 'etcdserver: invalid auth token');
      } else if (path === '/v3/kv/range') {
        response.end(JSON.stringify(this.#range()));
      } else this.#watch(body, response);
    });
  };

  #range() {
    const header = { cluster_id: '1', member_id: '2', revision: String(this.#revision) };
    if (this.#keys.size === 0) return { header };
    const kvs = [...this.#keys].map(([key, value]) => ({
      key: base64(key),
      ...(value === '' ? {} : { value: base64(value) }),
    }));
    return { header, kvs, count: String(kvs.length) };
  }

  #watch(body: unknown, response: ServerResponse): void {
    const create = isRecord(body) ? body['create_request'] : undefined;
    const start = Number(isRecord(create) ? create['start_revision'] : 0);
    response.write(this.#line({ created: true }));
    if (start <= this.#compacted) {
      response.write(this.#line({ canceled: true, compact_revision: String(this.#compacted) }));
      return;
    }
    if (start <= this.#revision) response.write(this.#line({ events: [{ kv: {} }] }));
    this.#watches.add(response);
    response.once('close', () => this.#watches.delete(response));
  }

  #line(more: object): string {
    const header = { cluster_id: '1', revision: String(this.#revision) };
    return `${JSON.stringify({ result: { header, ...more } })}\n`;
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status).end(JSON.stringify({ error, message: error, code: 16 }));
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}
