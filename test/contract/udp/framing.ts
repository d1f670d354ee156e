/**
 * UDP contract: a listener whose datagrams begin with a header asks for it before it looks further.
 */
import type { Test } from 'tap';
import type { Unwrapped } from '../../../src/session/udp_port.js';
import { LISTENER, type MakeUdp, withUdp } from './bench.js';

/** A header for these tests: one letter that distinguishes clients, then a colon. */
function unwrap(datagram: Uint8Array): Unwrapped {
  const text = Buffer.from(datagram).toString('latin1');
  if (text[1] !== ':') return { kind: 'drop', reason: 'bad-proxy-header' };
  return { kind: 'payload', offset: 2, tag: text[0] ?? '' };
}

export function framingContract(t: Test, make: MakeUdp): void {
  withUdp(
    t,
    make,
    'headers are taken off, and distinguish the clients of one peer',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      const proxy = await bench.peer();
      driver.answers.unwrap = (peer, datagram) => {
        t.same(peer, proxy.endpoint);
        return unwrap(datagram);
      };
      backend.echo();
      for (const text of ['a:one', 'b:two', 'a:three', 'b:']) {
        proxy.send(listener, text);
        t.equal(await proxy.text(), text.slice(2), 'the reply goes to the peer without a header');
      }
      const ports = backend.received.past.map(({ from }) => from.port);
      t.equal(ports[0], ports[2]);
      t.equal(ports[1], ports[3]);
      t.not(ports[0], ports[1]);
      const flow = await driver.firstFlow();
      t.equal(driver.engine.bytesIn[flow], 8, 'headers are not counted');
      t.same(driver.engine.client(flow), proxy.endpoint);
    },
    { framing: 'proxied' },
  );

  withUdp(
    t,
    make,
    'a datagram that is refused by its header opens no flow',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      driver.answers.unwrap = (_peer, datagram) => unwrap(datagram);
      const proxy = await bench.peer();
      proxy.send(listener, 'no header');
      proxy.send(listener, '');
      proxy.send(listener, 'a:good');
      t.equal(await backend.text(), 'good');
      t.equal(driver.count('unwrap'), 3);
      t.equal(driver.count('newFlow'), 1);
      t.equal(driver.count('dropped'), 0, 'the session counts what it refused');
    },
    { framing: 'proxied' },
  );

  withUdp(t, make, 'a listener may begin and cease to read headers', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const peer = await bench.peer();
    driver.answers.unwrap = (_peer, datagram) => unwrap(datagram);
    for (const [framing, got] of [
      ['plain', 'a:x'],
      ['proxied', 'x'],
      ['plain', 'a:x'],
    ] as const) {
      driver.closeAll();
      driver.engine.setFraming(LISTENER, framing);
      peer.send(listener, 'a:x');
      t.equal(await backend.text(), got);
    }
  });
}
