/** The HTTP server at a UNIX socket, in real time, with answers of the test's own. */
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Content } from '../../src/admin/outgoing.js';
import type { Request } from '../../src/admin/request.js';
import { plainAnswer } from '../../src/admin/routes.js';
import { serveHttp } from '../../src/admin/server.js';
import { present } from '../../src/core/assert.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { tempFolder } from '../support/places.js';

/** `defects`: gets what fails in answering; null: that fails the test. */
export async function served(
  t: Test,
  answer: (request: Request) => Content | Promise<Content>,
  defects: unknown[] | null = null,
) {
  const path = join(tempFolder(t), 'socket');
  const started = await serveHttp(
    { path },
    {
      clock: systemClock,
      timers: systemTimers,
      defect: (error) => (defects === null ? t.fail(String(error)) : defects.push(error)),
      slow: () => t.fail('no client follows'),
      ends: 'at-once',
      maxBodyBytes: 100,
      answer,
      refuse: plainAnswer,
    },
  );
  const server = present(started.ok ? started.value : null, 'a path of its own');
  t.teardown(() => server.close());
  return { path, server };
}
