/** UDP contract: what a client's address can be, however strange, harms nobody else. */
import type { Test } from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { MAX_DATAGRAM_BYTES } from '../../../src/core/limits.js';
import { sendForged } from '../../support/forged.js';
import { type MakeUdp, type UdpBench, withUdp } from './bench.js';

/** Sources that nothing can be sent to. */
const UNANSWERABLE = [
  ipEndpoint(4, '127.0.0.1', 0),
  ipEndpoint(4, '255.255.255.255', 1_234),
  ipEndpoint(4, '127.255.255.255', 1_234),
  ipEndpoint(4, '0.0.0.0', 0),
];

export function sourcesContract(t: Test, make: MakeUdp): void {
  tooLong(t, make);
  for (const source of UNANSWERABLE) {
    withUdp(t, make, `a reply to ${source.host}:${source.port} is a drop`, async (bench, t) => {
      if (!forge(bench, t, source)) return;
      const { driver, backend } = bench;
      backend.send((await backend.next()).from, 'reply');
      const dropped = await driver.edge('dropped');
      const flow = await driver.firstFlow();
      t.match(dropped, { flow, reason: 'send-error' }, 'of its flow, and so of its backend');
      t.equal(driver.engine.datagramsOut[flow], 0, 'it does not count as relayed, too');
      t.equal(driver.engine.bytesOut[flow], 0);
      const client = await bench.peer();
      client.send(bench.listener, 'next');
      backend.send((await backend.next()).from, 'served');
      t.equal(await client.text(), 'served', 'nobody else is harmed');
      t.equal(driver.drops('send-error'), 1);
    });
  }
}

/** Over IPv6 a datagram may be 20 bytes longer than over IPv4. */
function tooLong(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'a reply that is too long for its client is a drop', async (bench, t) => {
    const { driver, listener } = bench;
    const backend = await bench.peer('::1');
    driver.forwardTo(backend.endpoint);
    const client = await bench.peer();
    client.send(listener, 'ask');
    const { from } = await backend.next();
    backend.send(from, Buffer.alloc(MAX_DATAGRAM_BYTES + 20));
    const flow = await driver.firstFlow();
    t.match(await driver.edge('dropped'), { flow, reason: 'too-large' });
    t.equal(driver.engine.datagramsOut[flow], 0, 'it does not count as relayed, too');
    t.equal(driver.engine.bytesOut[flow], 0);
    backend.send(from, 'short');
    t.equal(await client.text(), 'short');
  });
}

/** False: forging needs root, and the test has said so. */
function forge({ listener }: UdpBench, t: Test, source: IpEndpoint): boolean {
  if (sendForged(source, listener, 'forged')) return true;
  t.pass('forged sources need root', { skip: 'not root' });
  return false;
}
