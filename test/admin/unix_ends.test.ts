/** Over a UNIX socket: answers that are given within a call, and how connections end. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import t from 'tap';
import { type Content, contentOf } from '../../src/admin/outgoing.js';
import { served } from './unix_site.js';

const GET = 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
/** More than a socket holds. */
const MUCH = 'a'.repeat(3_000_000);

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
    const { path } = await served(t, () => {
      setImmediate(answered);
      return ok(body);
    });
    const text = await all(path, GET, given);
    t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    t.match(text, `content-length: ${Buffer.byteLength(body)}\r\n`);
    t.ok(bodyOf(text) === body, 'byte by byte');
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
  const defects: unknown[] = [];
  const breaks = () => {
    throw new Error('no such row');
  };
  const defect = (error: unknown): void => void defects.push(error);
  const { path } = await served(t, breaks, { defect });
  t.match(await all(path, GET), /^HTTP\/1\.1 500 .*no such row/s);
  t.match(defects, [{ message: 'no such row' }]);
});
