/** More clients at once than places, and what a process that is replaced still answers. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import t from 'tap';
import { inTheWay, SILENT_MS, STALLED_MS } from '../../src/admin/admission.js';
import type { HttpConnection } from '../../src/admin/connection.js';
import { type Content, contentOf } from '../../src/admin/outgoing.js';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { present } from '../../src/core/assert.js';
import { eventually } from '../support/deadline.js';
import { NO_SOCKETS, SOCKETS } from './site.js';
import { serveAt, served } from './unix_site.js';

const BURST = 600;
/** What takes its time, beside others. */
const SOME = 100;
const GET = 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const AGAIN = /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*nothing was done/s;

async function ask(path: string, target: string, method = 'GET'): Promise<string> {
  const socket = createConnection(path);
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return await all(socket);
}

async function all(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece));
  await closing(socket);
  return Buffer.concat(pieces).toString();
}

/** Resolves when the connection is over, however it ended. */
function closing(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const ok = (body: string): Content => contentOf({ status: 200, type: 'x', body });
const good = (answers: readonly string[]): number =>
  answers.filter((text) => text.startsWith('HTTP/1.1 200 ')).length;
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

t.test('clients that come in one instant all have their answers', async (t) => {
  const { path } = await served(t, ({ target }) =>
    target === '/later' ? new Promise((resolve) => setImmediate(resolve, ok('y'))) : ok('y'),
  );
  for (const target of ['/now', '/later']) {
    t.equal(good(await Promise.all(times(BURST, () => ask(path, target)))), BURST, target);
  }
});

t.test(
  'one that asks beside clients that wait for their answers has its own at once',
  async (t) => {
    let release = (): void => {};
    const released = new Promise<Content>((resolve) => {
      release = () => resolve(ok('late'));
    });
    let begun = 0;
    let allBegun = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      allBegun = resolve;
    });
    const { path } = await served(t, ({ target }) => {
      if (target === '/now') return ok('now');
      begun++;
      if (begun === SOME) allBegun();
      return released;
    });
    const late = times(SOME, () => ask(path, '/late'));
    await waiting;
    t.match(await ask(path, '/now'), /now$/);
    release();
    t.equal(good(await Promise.all(late)), SOME);
  },
);

t.test('one that asks beside as many orders as may wait has its answer', async (t) => {
  let release = (): void => {};
  const released = new Promise<Content>((resolve) => {
    release = () => resolve(ok('done'));
  });
  let refused = (): void => {};
  const oneRefused = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const { path } = await served(t, ({ method }) => (method === 'POST' ? released : ok('now')));
  const order = async (): Promise<string> => {
    const answer = await ask(path, '/order', 'POST');
    if (answer.startsWith('HTTP/1.1 503 ')) refused();
    return answer;
  };
  const orders = times(2 * MAX_ADMIN_CONNECTIONS, order);
  await oneRefused;
  t.match(await ask(path, '/now'), /now$/);
  release();
  const answers = await Promise.all(orders);
  const again = answers.filter((text) => text.startsWith('HTTP/1.1 503 '));
  t.equal(good(answers) + again.length, orders.length);
  for (const text of again) t.match(text, AGAIN);
});

t.test('one that asks beside silent clients has its answer, and the oldest make way', async (t) => {
  const { path } = await served(t, () => ok('y'));
  const silent = times(MAX_ADMIN_CONNECTIONS * 3, () => createConnection(path));
  const ends = silent.map((socket) => all(socket));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  t.match(await ask(path, '/x'), /y$/);
  t.match(await Promise.race(ends), AGAIN, 'with a sentence');
  for (const socket of silent) socket.destroy();
  await Promise.all(ends);
});

t.test('halves of requests that come again and again cost no other its answer', async (t) => {
  const { path } = await served(t, () => ok('y'));
  let isOver = false;
  let halves = 0;
  const half = async (): Promise<void> => {
    while (!isOver) {
      const socket = createConnection(path);
      socket.write('GET /x HTTP/1.1\r\nHo');
      halves++;
      await all(socket);
    }
  };
  const all128 = times(MAX_ADMIN_CONNECTIONS, half);
  const answers: string[] = [];
  while (halves < 4 * MAX_ADMIN_CONNECTIONS) {
    answers.push(...(await Promise.all(times(10, () => ask(path, '/x')))));
  }
  isOver = true;
  await Promise.all(all128);
  t.equal(good(answers), answers.length);
});

t.test('a server that comes late to look takes no client for silent', async (t) => {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const after = (_: number, call: () => void) => {
    due.push(call);
    return { cancel: () => {} };
  };
  const clock = { nowMs: () => nowMs, wallMs: () => nowMs };
  const { path } = await served(t, () => ok('y'), { clock, timers: { after } });
  const late = times(MAX_ADMIN_CONNECTIONS, () => createConnection(path));
  const ends = late.map((socket) => all(socket));
  await eventually('all to be there', () => (due.length === 2 ? true : undefined));
  nowMs = 4 * SILENT_MS;
  for (const call of due.splice(0)) call();
  for (const socket of late) socket.write(GET);
  t.equal(good(await Promise.all(ends)), late.length);
});

t.test('where clients wait, none keeps its place for its next request', async (t) => {
  const { path } = await served(t, () => ok('y'));
  const one = 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n';
  const kept = times(MAX_ADMIN_CONNECTIONS, () => createConnection(path));
  const closed = kept.map((socket) => {
    // It asks again as soon as it has its answer.
    socket.on('data', () => socket.write(one));
    socket.write(one);
    return closing(socket);
  });
  t.match(await ask(path, '/x'), /y$/);
  await Promise.race(closed);
  for (const socket of kept) socket.destroy();
});

t.test('where clients cannot wait, those that have been silent for longest go', async (t) => {
  const { path } = await served(t, () => ok('y'), { sockets: NO_SOCKETS });
  const silent = times(MAX_ADMIN_CONNECTIONS * 2, () => createConnection(path));
  const ends = silent.map((socket) => all(socket));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  t.match(await ask(path, '/x'), /y$/);
  await Promise.race(ends);
  for (const socket of silent) socket.destroy();
  await Promise.all(ends);
});

t.test('while clients wait, another process can have the socket, and answers them', async (t) => {
  let isFull = (): void => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  let made = 0;
  let release = (): void => {};
  const released = new Promise<Content>((resolve) => {
    release = () => resolve(ok('old'));
  });
  const { path, server } = await served(t, () => {
    if (++made === MAX_ADMIN_CONNECTIONS) isFull();
    return released;
  });
  const first = times(MAX_ADMIN_CONNECTIONS, () => ask(path, '/x'));
  await full;
  const waits = ask(path, '/x');
  const fd = present(server.fd, 'it listens');
  const taken = present(SOCKETS.duplicate(fd), 'foreign calls work here');
  await serveAt(t, { fd: taken }, () => ok('new'));
  server.leave();
  t.match(await waits, /new$/);
  release();
  t.equal(good(await Promise.all(first)), MAX_ADMIN_CONNECTIONS);
});

type Phased = Pick<HttpConnection, 'phase' | 'unsentBytes'>;

t.test('silent ones are in the way before readers, the longest first, and orders never', (t) => {
  const one = (phase: Phased['phase'], unsentBytes = 0): Phased => ({ phase, unsentBytes });
  const connections = {
    'an order': one({ at: 'making', what: 'order' }),
    'a look': one({ at: 'making', what: 'look' }),
    'a reader that follows': one({ at: 'following', movedMs: 0 }),
    'one that does not take what comes': one({ at: 'following', movedMs: 100 }, 1),
    'one that takes nothing': one({ at: 'sending', sinceMs: 0, movedMs: 50 }, 1),
    'a silent one': one({ at: 'reading', sinceMs: 300, begun: false }),
    'half a request': one({ at: 'reading', sinceMs: 200, begun: true }),
    'one that was answered': one({ at: 'lingering', sinceMs: 100 }),
  };
  const names = (nowMs: number): readonly string[] => {
    const found = inTheWay(Object.values(connections), nowMs);
    return found.map(
      (each) => Object.entries(connections).find(([, other]) => other === each)?.[0] ?? '',
    );
  };
  const silent = ['one that was answered', 'half a request', 'a silent one'];
  t.same(names(99 + SILENT_MS), []);
  t.same(names(200 + SILENT_MS), silent.slice(0, 2));
  t.same(names(300 + SILENT_MS), [...silent, 'one that takes nothing']);
  t.same(names(100 + STALLED_MS).slice(3), [
    'one that takes nothing',
    'one that does not take what comes',
  ]);
  t.end();
});

t.test('a process whose place is taken gives its last answers before it closes', async (t) => {
  let release = (): void => {};
  const made = new Promise<Content>((resolve) => {
    release = () => resolve(ok('last'));
  });
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const { path, server } = await served(t, () => {
    begin();
    return made;
  });
  const last = ask(path, '/x');
  await begun;
  server.leave();
  const closed = server.close();
  release();
  t.match(await last, /last$/);
  await closed;
});
