/** One session of the demo's clients, and what counts as an answer. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { askOneLine, type DemoTarget } from '../../../src/cli/demo/exchange.js';
import { systemClock } from '../../../src/system/clock.js';
import { systemTimers } from '../../../src/system/timers.js';
import { FakeTime } from '../../support/fake_time.js';
import { freePort } from '../../support/places.js';

const REAL = { clock: systemClock, timers: systemTimers };

async function serve(t: Test, behave: (socket: Socket) => void): Promise<DemoTarget> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    behave(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

t.test('an answer is the name of a backend and the own request', async (t) => {
  const target = await serve(t, (socket) => {
    socket.once('data', (request) => socket.end(`b7 ${request}`));
  });
  t.match(await askOneLine(target, '41', REAL), {
    kind: 'answered',
    backend: 'b7',
    durationMs: Number,
  });
});

t.test('an answer to another client is a failure', async (t) => {
  const target = await serve(t, (socket) => {
    socket.once('data', () => socket.end('b7 42\n'));
  });
  t.match(await askOneLine(target, '41', REAL), { kind: 'failed', reason: /not ours: "b7 42\\n"/ });
});

t.test('an end without an answer, a reset and a refusal are failures', async (t) => {
  const silent = await serve(t, (socket) => {
    socket.once('data', () => socket.end());
  });
  t.match(await askOneLine(silent, '1', REAL), { kind: 'failed' });
  const rude = await serve(t, (socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  t.match(await askOneLine(rude, '1', REAL), { kind: 'failed', reason: /ECONNRESET/ });
  const closed = { host: '127.0.0.1', port: await freePort() };
  t.match(await askOneLine(closed, '1', REAL), { kind: 'failed', reason: /ECONNREFUSED/ });
});

t.test('an answer that does not come in 10 s is a failure', async (t) => {
  const time = new FakeTime();
  const accepted = new Promise<DemoTarget>((resolve) => {
    void serve(t, () => {}).then(resolve);
  });
  const ended = askOneLine(await accepted, '1', { clock: time, timers: time });
  await time.pass(9_999);
  t.equal(time.pending, 1, 'it still waits');
  await time.pass(1);
  t.match(await ended, { kind: 'failed', reason: 'no answer in time' });
});
