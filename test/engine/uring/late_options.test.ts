/** What a connection to a backend needs only if it lasts is set when it matters, not before. */
import t, { type Test } from 'tap';
import { IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_NODELAY } from '../../../src/kernel/sockets.js';
import { type Bench, settled, withEngine } from '../../contract/tcp/bench.js';
import { testKernel } from '../../support/uring_engine.js';
import { makerOf } from './harness.js';
import { watchedKernel } from './watched_kernel.js';

const { libc } = testKernel();

function scene(
  name: string,
  body: (bench: Bench, t: Test, socket: (session: number) => number) => Promise<void>,
): void {
  const watched = watchedKernel(testKernel(), 'some');
  const make = makerOf({ sockets: 'descriptor', time: 'fake', kernel: watched.kernel });
  withEngine(t, make, name, (bench, t) => body(bench, t, (at) => watched.sockets[at] ?? -1));
}

scene('a second send has the options before it', async (bench, t, socket) => {
  const { client, backend } = await bench.relayed();
  client.send('one');
  t.equal((await backend.take(3)).toString(), 'one');
  expectOptions(t, socket(0), 0);
  client.send('two');
  t.equal((await backend.take(3)).toString(), 'two');
  expectOptions(t, socket(0), 1);
});

scene(
  'a session that lasts has them within a second, whatever it says',
  async (bench, t, socket) => {
    await bench.relayed();
    const { client, backend } = await bench.relayed();
    client.send('one');
    t.equal((await backend.take(3)).toString(), 'one');
    await bench.under.pass(999);
    await settled(() => bench.driver.edges.length, 20);
    expectOptions(t, socket(0), 0);
    expectOptions(t, socket(1), 0);
    await bench.under.pass(1);
    await settled(() => bench.driver.edges.length, 20);
    expectOptions(t, socket(0), 1);
    expectOptions(t, socket(1), 1);
  },
);

scene('what came before the relay counts as a send', async (bench, t, socket) => {
  bench.driver.proxyTo(bench.backend.endpoint, new TextEncoder().encode('header '));
  const client = await bench.connect();
  const backend = await bench.backend.next();
  t.equal((await backend.take(7)).toString(), 'header ');
  expectOptions(t, socket(0), 0);
  client.send('one');
  t.equal((await backend.take(3)).toString(), 'one');
  expectOptions(t, socket(0), 1);
});

function expectOptions(t: Test, fd: number, wanted: 0 | 1): void {
  t.equal(optionOf(fd, IPPROTO_TCP, TCP_NODELAY), wanted, 'TCP_NODELAY');
  t.equal(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), wanted, 'SO_KEEPALIVE');
}

function optionOf(fd: number, level: number, option: number): number | undefined {
  const answer = new Int32Array(1);
  const got = libc.getsockopt(fd, level, option, answer, Int32Array.of(4));
  return got === 0 ? answer[0] : undefined;
}
