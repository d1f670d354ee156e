/** The HTTP server at a UNIX socket, in real time, with answers of the test's own. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ListenPlace } from '../../src/admin/door.js';
import type { Content } from '../../src/admin/outgoing.js';
import type { Request } from '../../src/admin/request.js';
import { plainAnswer } from '../../src/admin/routes.js';
import { type HttpServer, type HttpServerDeps, serveHttp } from '../../src/admin/server.js';
import { present } from '../../src/core/assert.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { tempFolder } from '../support/places.js';
import { SOCKETS } from './site.js';

type Answer = (request: Request) => Content | Promise<Content>;

/** `more`: what is to be otherwise. */
export async function served(t: Test, answer: Answer, more: Partial<HttpServerDeps> = {}) {
  const path = join(tempFolder(t), 'socket');
  // Node.js removes the path that it has bound as soon as a server there closes.
  const beside = `${path}.new`;
  const server = await serveAt(t, { path: beside }, answer, more);
  renameSync(beside, path);
  return { path, server };
}

/** At any place. */
export async function serveAt(
  t: Test,
  place: ListenPlace,
  answer: Answer,
  more: Partial<HttpServerDeps> = {},
): Promise<HttpServer> {
  const started = await serveHttp(place, {
    clock: systemClock,
    timers: systemTimers,
    sockets: SOCKETS,
    defect: (error) => t.fail(String(error)),
    slow: () => t.fail('no client follows'),
    ends: 'at-once',
    maxBodyBytes: 100,
    answer,
    refuse: plainAnswer,
    ...more,
  });
  const server = present(started.ok ? started.value : null, 'it can listen there');
  t.teardown(() => server.close());
  return server;
}
