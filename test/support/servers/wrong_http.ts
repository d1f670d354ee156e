/** A server over HTTP that serves what the test sets, or goes wrong in every way. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { SourceFailure } from '../../../src/core/discovery_spec.js';
import type { Scope } from '../places.js';
import { closeServer, trackSockets } from './tracked.js';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type Wrong = 'error' | 'garbage' | 'half' | 'endless' | 'mute' | 'redirects' | 'gone';
export type WrongMap = Map<Wrong, { readonly begin: () => void; readonly failure: SourceFailure }>;

export async function wrongServer(t: Scope) {
  const state: { handler: Handler; leave: () => void } = {
    handler: (_, response) => response.writeHead(404).end(),
    leave: () => {},
  };
  const server = createServer((request, response) => state.handler(request, response));
  const sockets = trackSockets(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => closeServer(server, sockets));
  const { port } = server.address() as { readonly port: number };
  const wrong: WrongMap = new Map();
  const goes = (name: Wrong, failure: SourceFailure, handler: Handler): void => {
    const begin = (): void => {
      state.handler = handler;
      state.leave();
    };
    wrong.set(name, { begin, failure });
  };
  goes('error', 'refused', (_, response) => response.writeHead(503).end('[]'));
  goes('garbage', 'malformed', (_, response) => response.end('<html>welcome</html>'));
  goes('half', 'malformed', (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('[', () => response.destroy());
  });
  goes('endless', 'too-much', (_, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write(' '.repeat(1_000_000), more);
    };
    more();
  });
  goes('mute', 'timeout', () => {});
  goes('redirects', 'too-much', (_, response) =>
    response.writeHead(302, { location: '/again' }).end(),
  );
  goes('gone', 'unreachable', ({ socket }) => socket.resetAndDestroy());
  const says = (text: string): void => {
    state.handler = (_, response) => {
      response.setHeader('content-type', 'application/json').end(text);
    };
  };
  const serves = (handler: Handler): void => {
    state.handler = handler;
  };
  /** What ends the requests that wait when it begins to go wrong. */
  const leaves = (leave: () => void): void => {
    state.leave = leave;
  };
  return { origin: `http://127.0.0.1:${port}`, says, serves, leaves, wrong };
}
