/** What stands between a library that makes its socket first, and a connection that comes later. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { LateSocket } from '../../src/library/late_socket.js';
import { secured } from '../../src/library/secured.js';
import { within } from '../support/deadline.js';

/** Remembers what came, and answers `bye` at the end. */
async function listening(t: Test, serve: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    t.teardown(() => socket.destroy());
    serve(socket.on('error', () => {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function dialled(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

t.test('what was written and ended before the connection arrives, and the end too', async (t) => {
  let came = '';
  const port = await listening(t, (socket) => {
    socket.on('data', (bytes) => {
      came += String(bytes);
    });
    socket.on('end', () => socket.end('bye'));
  });
  const late = new LateSocket(() => dialled(port));
  t.ok(late.connecting);
  late.write('hel');
  late.write('lo');
  late.end('!');
  late.connect().connect();
  const [answer] = await within('an answer', once(late, 'data'));
  await within('the end', once(late, 'close'));
  t.same([came, String(answer), late.connecting], ['hello!', 'bye', false]);
});

t.test('one that is destroyed gives up its dial, and begins none', async (t) => {
  const signals: AbortSignal[] = [];
  const dial = ({ signal }: { readonly signal: AbortSignal }): Promise<Socket> => {
    signals.push(signal);
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const late = new LateSocket(dial).connect();
  late.destroy();
  t.equal(signals[0]?.aborted, true);
  new LateSocket(dial).destroy().connect();
  t.equal(signals.length, 1);
  t.notOk(late.connecting);
});

t.test('a dial that fails is its error and its end', async (t) => {
  const late = new LateSocket(() => Promise.reject(new Error('no backend'))).connect();
  const [error] = await within('an error', once(late, 'error'));
  t.match(error, { message: 'no backend' });
  t.ok(late.destroyed);
});

t.test('a handshake of TLS that stands still, or is cut, ends', async (t) => {
  const silent = await dialled(await listening(t, () => {}));
  await t.rejects(secured(silent, { timeout: 50 }), { code: 'ETIMEDOUT' });
  t.ok(silent.destroyed);
  const cut = await dialled(
    await listening(t, (socket) => socket.once('data', () => socket.resetAndDestroy())),
  );
  await t.rejects(secured(cut, {}));
  const ended = await dialled(
    await listening(t, (socket) => socket.once('data', () => socket.end())),
  );
  await t.rejects(secured(ended, {}));
  t.ok(ended.destroyed);
});
