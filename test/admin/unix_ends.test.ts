/** Over a UNIX socket: answers that are given within a call, and how connections end. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Content, contentOf } from '../../src/admin/outgoing.js';
import type { Request } from '../../src/admin/request.js';
import { plainAnswer } from '../../src/admin/routes.js';
import { serveHttp } from '../../src/admin/server.js';
import { present } from '../../src/core/assert.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { tempFolder } from '../support/places.js';

const GET = 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
/** More than a socket holds. */
const MUCH = 'a'.repeat(3_000_000);

async function served(t: Test, answer: (request: Request) => Content | Promise<Content>) {
  const path = join(tempFolder(t), 'socket');
  const defects: unknown[] = [];
  const started = await serveHttp(
    { path },
    {
      clock: systemClock,
      timers: systemTimers,
      defect: (error) => void defects.push(error),
      slow: () => t.fail('no client follows'),
      ends: 'at-once',
      maxBodyBytes: 100,
      answer,
      refuse: plainAnswer,
    },
  );
  const server = present(started.ok ? started.value : null, 'a path of its own');
  t.teardown(() => server.close());
  return { path, defects };
}

/** What comes until the end of a connection that sends `bytes`, and reads when `later` says. */
async function all(path: string, bytes: string, later: Promise<unknown> = Promise.resolve()) {
  const socket = createConnection(path);
  socket.write(bytes);
  await later;
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece));
  await once(socket, 'close');
  return Buffer.concat(pieces).toString();
}

const ok = (body: string): Content => contentOf({ status: 200, type: 'x', body });
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

for (const [how, body] of [
  ['short', 'x'],
  ['beyond ASCII', 'grün ✓ 😀'],
  ['long', 'é'.repeat(30_000)],
  ['longer than a socket holds', MUCH],
] as const) {
  t.test(`an answer that is ${how} comes whole, however late its reader is`, async (t) => {
    let answered = (): void => {};
    const given = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { path, defects } = await served(t, () => {
      setImmediate(answered);
      return ok(body);
    });
    const text = await all(path, GET, given);
    t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    t.match(text, `content-length: ${Buffer.byteLength(body)}\r\n`);
    t.ok(bodyOf(text) === body, 'byte by byte');
    t.same(defects, []);
  });
}

t.test('an answer that is made later is the same as one at once', async (t) => {
  const { path } = await served(t, ({ target }) =>
    target === '/later' ? new Promise((resolve) => setImmediate(resolve, ok('y'))) : ok('y'),
  );
  t.equal(await all(path, GET.replace('/x', '/later')), await all(path, GET));
});

t.test('nothing that follows the last request is answered, or takes its answer away', async (t) => {
  const { path } = await served(t, ({ body }) => ok(body === null ? 'unread' : 'read'));
  t.equal((await all(path, GET + GET)).match(/HTTP\/1\.1 /g)?.length, 1);
  const chunked = GET.replace('GET', 'POST').replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked');
  t.match(await all(path, `${chunked}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`), /unread$/);
});

t.test('a body is read, and the connection that stays has further answers', async (t) => {
  const { path } = await served(t, ({ body }) => ok(`${body}`));
  const post = (body: string, more: string): string =>
    `POST /x HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const text = await all(path, post('first', '') + post('second', 'Connection: close\r\n'));
  t.same(text.match(/first|second/g), ['first', 'second']);
});

t.test('what breaks within the call is an answer of its own, and told', async (t) => {
  const { path, defects } = await served(t, () => {
    throw new Error('no such row');
  });
  t.match(await all(path, GET), /^HTTP\/1\.1 500 .*no such row/s);
  t.match(defects, [{ message: 'no such row' }]);
});
