/** What watches the daemon must not harm it: readers that do not read, silence, and nonsense. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { MAX_REQUESTS_PER_CONNECTION } from '../../src/admin/connection.js';
import { REQUEST_TIMEOUT_MS, STALL_TIMEOUT_MS } from '../../src/admin/overdue.js';
import { FRESH_PAGES } from '../../src/admin/page_store.js';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { eventually, within } from '../support/deadline.js';
import { seed } from '../support/seed.js';
import { raw, served } from './site.js';

t.test('pipelined requests are answered one after the other', async (t) => {
  const { port } = await served(t);
  const one = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const answers = await raw(port, one.repeat(300));
  t.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 300);
  const last = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const two = await raw(port, one + last + one.repeat(5));
  t.equal(two.match(/HTTP\/1\.1 200/g)?.length, 2);
});

t.test('a connection ends after a number of requests', async (t) => {
  const { port } = await served(t);
  const one = 'HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const answers = await raw(port, one.repeat(MAX_REQUESTS_PER_CONNECTION + 5));
  t.equal(answers.match(/HTTP\/1\.1 200/g)?.length, MAX_REQUESTS_PER_CONNECTION);
});

t.test('while its answer is not taken, a connection gets no other one', async (t) => {
  const { views, port, time, ask } = await served(t);
  let made = 0;
  views.exposition = async () => {
    made++;
    return 'x'.repeat(8_000_000);
  };
  const reader = connect(port, '127.0.0.1');
  const closed = closing(reader);
  reader.pause();
  reader.on('error', () => {});
  reader.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2_000));
  await eventually('the first page', () => (made > 0 ? true : undefined));
  for (let asked = 0; asked < 20; asked++) t.equal((await ask('/healthz')).status, 200);
  t.equal(made, 1, 'one page was made');
  await time.pass(STALL_TIMEOUT_MS + 1_000);
  reader.resume();
  await within('the end of a reader that took nothing', closed);
});

t.test('however many ask, pages are made a few times per second', async (t) => {
  const { views, ask, time } = await served(t);
  let made = 0;
  views.exposition = async () => String(++made);
  const asked = async (): Promise<number> => Number(await (await ask('/metrics')).text());
  for (let i = 0; i < 50; i++) await asked();
  t.equal(made, 1 + FRESH_PAGES);
  await time.pass(1_000);
  t.equal(await asked(), 2 + FRESH_PAGES, 'then a fresh one again');
});

t.test('readers that take nothing lose their answers before others get none', async (t) => {
  const { views, port, time } = await served(t);
  views.exposition = async () => 'x'.repeat(30_000_000);
  const one = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const slow = [1, 2].map(() => connect(port, '127.0.0.1').on('error', () => {}));
  for (const reader of slow) {
    reader.pause();
    reader.write(one);
  }
  const alone = `${one.slice(0, -2)}Connection: close\r\n\r\n`;
  await eventually('the room is full', async () =>
    (await raw(port, alone)).startsWith('HTTP/1.1 503') ? true : undefined,
  );
  await time.pass(1_000);
  t.match(await raw(port, alone), /^HTTP\/1\.1 200/);
  for (const reader of slow) reader.destroy();
});

t.test(
  'what is not a whole request in time is answered by 408, and silence is cut off',
  async (t) => {
    const { port, time } = await served(t);
    for (const some of ['', 'GET /', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n']) {
      const socket = connect(port, '127.0.0.1');
      const closed = closing(socket);
      let answer = '';
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          answer += chunk.toString('latin1');
        });
      await once(socket, 'connect');
      socket.write(some);
      await eventually('its end', async () => {
        await time.pass(REQUEST_TIMEOUT_MS / 2);
        return socket.closed ? true : undefined;
      });
      await closed;
      if (some === '') t.equal(answer, '', 'nobody has asked');
      else t.match(answer, /^HTTP\/1\.1 408 (.|\s)*not whole within 5 s\.\n$/, some);
    }
  },
);

t.test(`broken requests end their own connection only (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const { port, ask } = await served(t);
  for (let round = 0; round < 3_000; round++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const closed = closing(socket.resume());
    for (const piece of pieces(broken(random), random)) socket.write(piece, 'latin1');
    if (below(random, 3) > 0) socket.end();
    else socket.destroy();
    if (round % 16 === 0) await within(`the end of round ${round}`, closed);
    if (round % 100 === 0) t.equal((await ask('/healthz')).status, 200, `round ${round}`);
  }
  t.equal((await ask('/healthz')).status, 200);
});

t.test('silent connections make way, and lock no other out', async (t) => {
  // One that comes late waits until others have been silent for a moment.
  const { port } = await served(t, { clock: systemClock, timers: systemTimers });
  for (const silent of [32, MAX_ADMIN_CONNECTIONS, 200, 1_000]) {
    const open: Socket[] = [];
    let closed = 0;
    for (let i = 0; i < silent; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.resume().on('close', () => closed++);
      open.push(socket);
      await once(socket, 'connect');
    }
    for (const path of ['/healthz', '/ready', '/metrics']) {
      // Not by fetch: a kept connection is silent too, and may be the one that is pushed out.
      const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      t.match(answer, /^HTTP\/1\.1 200 /, `${path} beside ${silent}`);
    }
    const pushed = silent - MAX_ADMIN_CONNECTIONS;
    await eventually('the oldest have made way', () => (closed >= pushed ? true : undefined));
    for (const socket of open) socket.destroy();
  }
});

const PARTS = [
  'GET',
  'HEAD',
  'POST',
  'PRI',
  'CONNECT',
  ' ',
  '/',
  '/healthz',
  '/metrics',
  '*',
  '?',
  '%00',
  'http://',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  'Host: localhost',
  'Host:',
  'Content-Length: 9',
  'Transfer-Encoding: chunked',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  '0\r\n\r\n',
  ':',
  '\t',
  '\0',
  '\xff',
  '\x16\x03\x01',
  'a',
];

/** A request put together at random, or a good one with a few bytes changed. */
function broken(random: Random): string {
  if (below(random, 2) === 0) {
    const count = 1 + below(random, 30);
    return Array.from({ length: count }, () => PARTS[below(random, PARTS.length)]).join('');
  }
  const good = 'GET /health HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n'.split('');
  for (let change = below(random, 5); change >= 0; change--) {
    good[below(random, good.length)] = String.fromCharCode(below(random, 256));
  }
  return good.join('').repeat(1 + below(random, 3));
}

function pieces(text: string, random: Random): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = 1 + below(random, text.length);
    parts.push(text.slice(at, at + length));
    at += length;
  }
  return parts;
}

/** Resolves when the connection is over, however it ended. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
