/** More clients at once than places, and what a process that is replaced still answers. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import t from 'tap';
import { type Content, contentOf } from '../../src/admin/outgoing.js';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { served } from './unix_site.js';

const BURST = 100;

async function ask(path: string, target: string, method = 'GET'): Promise<string> {
  const socket = createConnection(path);
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return await all(socket);
}

async function all(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece)).on('error', () => {});
  await once(socket, 'close');
  return Buffer.concat(pieces).toString();
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
      if (begun === BURST) allBegun();
      return released;
    });
    const late = times(BURST, () => ask(path, '/late'));
    await waiting;
    t.match(await ask(path, '/now'), /now$/);
    release();
    t.equal(good(await Promise.all(late)), BURST);
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
  for (const text of again) t.match(text, /nothing was done/);
});

t.test('one that asks beside silent clients has its answer, and the oldest go', async (t) => {
  const { path } = await served(t, () => ok('y'));
  const silent = times(MAX_ADMIN_CONNECTIONS * 3, () => createConnection(path));
  const ends = silent.map((socket) => all(socket));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  t.match(await ask(path, '/x'), /y$/);
  // More than can be open at once: these are ended without waiting for anything else.
  await Promise.race(ends);
  for (const socket of silent) socket.destroy();
  await Promise.all(ends);
});

t.test('one that has asked and waits is not cut for silent ones that come later', async (t) => {
  const { path, server } = await served(t, () => ok('y'));
  const accepted: Socket[] = [];
  server.server.on('connection', (socket) => accepted.push(socket));
  const silent = times(MAX_ADMIN_CONNECTIONS, () => createConnection(path));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  let isAnswered = false;
  const answer = ask(path, '/x').finally(() => {
    isAnswered = true;
  });
  while (!isAnswered && !accepted.some(({ readableLength }) => readableLength > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  silent.push(...times(MAX_ADMIN_CONNECTIONS * 2, () => createConnection(path)));
  const ends = silent.map((socket) => all(socket));
  t.match(await answer, /y$/);
  for (const socket of silent) socket.destroy();
  await Promise.all(ends);
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
