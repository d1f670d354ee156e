/** Answers without an end: each reader gets what it takes, and one that does not take it is cut. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_UNREAD_BYTES } from '../../src/admin/connection.js';
import { startAdmin } from '../../src/admin/http.js';
import { STALL_TIMEOUT_MS } from '../../src/admin/overdue.js';
import { plainAnswer } from '../../src/admin/routes.js';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { eventText, type Reader, STREAM_TYPE } from '../../src/admin/stream.js';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { eventually, within } from '../support/deadline.js';
import { FakeTime } from '../support/fake_time.js';
import { fakeViews } from './fake_views.js';
import { depsOf } from './site.js';

/** As docs/operating.md says. */
const MAX_FOLLOWERS = 56;

const MIB = 1_048_576;

async function followed(t: Test) {
  const time = new FakeTime();
  const readers = new Set<Reader>();
  const cut: number[] = [];
  const started = await startAdmin(ipEndpoint(4, '127.0.0.1', 0), {
    ...depsOf(fakeViews(), time),
    slow: (bytes) => void cut.push(bytes),
    control: {
      maxBodyBytes: 0,
      prefix: '/v1/',
      refuse: plainAnswer,
      refusal: async () => null,
      answer: async () => ({
        status: 200,
        type: STREAM_TYPE,
        body: '',
        follow: (reader) => {
          readers.add(reader);
          return () => readers.delete(reader);
        },
      }),
    },
  });
  const server = present(started.ok ? started.value : null, 'a free port can be bound');
  t.teardown(() => server.close());
  const dial = async (method = 'GET'): Promise<Socket> => {
    const socket = connect(server.endpoint.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`${method} /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return socket;
  };
  const count = (wanted: number) =>
    eventually(`${wanted} readers`, () => (readers.size === wanted ? true : undefined));
  return { time, readers, cut, dial, count };
}

t.test('what is written comes at once, and a reader that goes is forgotten', async (t) => {
  const { dial, readers, count } = await followed(t);
  const socket = await dial();
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await count(1);
  for (const reader of readers) reader.write(Buffer.from(eventText('x', { a: 1 }, '7')));
  await eventually('the event', () =>
    text.endsWith('\n\n') && text.includes('id') ? true : undefined,
  );
  t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  t.notMatch(text, /content-length/);
  t.ok(text.endsWith('\r\n\r\nid: 7\nevent: x\ndata: {"a":1}\n\n'));
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100));
  socket.end();
  await count(0);
  t.equal(text.match(/HTTP/g)?.length, 1, 'it is asked nothing more');
  const head = await dial('HEAD');
  const [told] = (await once(head, 'data')) as [Buffer];
  t.match(told.toString(), /content-length: 0/);
  t.equal(readers.size, 0);
});

t.test('a reader that takes nothing is cut, by bytes or by time, and others go on', async (t) => {
  const { dial, readers, cut, count, time } = await followed(t);
  const good = await dial();
  good.resume();
  await count(1);
  const [first] = readers;
  const deaf = await dial();
  deaf.pause();
  await count(2);
  const piece = Buffer.alloc(MIB / 2);
  // Until the kernel takes no more of it.
  await eventually('the deaf one to be cut', async () => {
    for (const reader of readers) if (!reader.isBehind || reader !== first) reader.write(piece);
    return cut.length > 0 ? true : undefined;
  });
  t.ok((cut[0] ?? 0) > MAX_UNREAD_BYTES - piece.length && (cut[0] ?? 0) <= MAX_UNREAD_BYTES);
  await count(1);
  t.ok(readers.has(present(first, 'the good one')));

  const idle = await dial();
  idle.pause();
  await count(2);
  const [, last] = readers;
  await eventually('it to be behind', () => {
    if (last?.isBehind) return true;
    last?.write(piece);
    return undefined;
  });
  await time.pass(STALL_TIMEOUT_MS + 1_000);
  await count(1);
  t.equal(cut.length, 2);
  t.ok(readers.has(present(first, 'the good one')), 'silence is no fault of a reader');
  await within('its end', once(idle.resume(), 'close'));
});

t.test('those that follow leave more than half of the places to others', async (t) => {
  const { dial, readers } = await followed(t);
  const sockets: Socket[] = [];
  for (let n = 0; n < MAX_ADMIN_CONNECTIONS; n++) sockets.push(await dial());
  const told = await Promise.all(
    sockets.map(async (socket) => ((await once(socket, 'data')) as [Buffer])[0].toString()),
  );
  const refused = told.filter((text) => text.startsWith('HTTP/1.1 503'));
  t.equal(refused.length, MAX_ADMIN_CONNECTIONS - MAX_FOLLOWERS);
  for (const text of refused) t.match(text, /\r\nretry-after: 1\r\n/);
  t.equal(readers.size, MAX_FOLLOWERS);
});
