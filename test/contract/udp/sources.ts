/** UDP contract: what a client's address can be, however strange, harms no other client. */
import type { Test } from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { MAX_DATAGRAM_BYTES } from '../../../src/core/limits.js';
import { sendForged } from '../../support/forged.js';
import { LISTENER, type MakeUdp, type UdpBench, withUdp } from './bench.js';

const LOOPBACK = ipEndpoint(4, '127.0.0.1', 0);
const NO_PORT = ipEndpoint(4, '127.0.0.1', 0);
/** Sources that nothing can be sent to. */
const UNANSWERABLE = [
  NO_PORT,
  ipEndpoint(4, '255.255.255.255', 1_234),
  ipEndpoint(4, '127.255.255.255', 1_234),
  ipEndpoint(4, '0.0.0.0', 0),
];

export function sourcesContract(t: Test, make: MakeUdp): void {
  tooLong(t, make);
  loops(t, make);
  lateFailure(t, make);
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
      t.equal(await client.text(), 'served', 'no other client is harmed');
      t.equal(driver.drops('send-error'), 1);
    });
  }
}

function lateFailure(t: Test, make: MakeUdp): void {
  withUdp(
    t,
    make,
    'a reply that ends its flow and cannot be sent counts once',
    async (bench, t) => {
      if (!forge(bench, t, NO_PORT)) return;
      const { driver, backend } = bench;
      let handedOn = 0;
      driver.answers.fromBackend = (flow) => {
        handedOn = driver.engine.datagramsOut[flow] ?? 0;
        driver.close(flow);
      };
      backend.send((await backend.next()).from, 'reply');
      const { counted, reason } = await driver.edge('dropped');
      t.equal(reason, 'send-error');
      t.same(counted, handedOn === 0 ? undefined : { way: 'out', bytes: 5 });
    },
  );
}

/** What comes from a listener of the engine would be answered to it, for ever. */
function loops(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'what claims to come from the listener itself is a drop', async (bench, t) => {
    if (!forge(bench, t, bench.listener)) return;
    await staysAlone(bench, t);
  });

  withUdp(t, make, 'what claims to come from another listener is a drop', async (bench, t) => {
    const { driver, under } = bench;
    const other = await driver.engine.openListener(8, under.source(LOOPBACK), 'plain');
    if (!other.ok || other.local.kind !== 'ip') throw new Error('not opened');
    if (!forge(bench, t, other.local)) return;
    await staysAlone(bench, t);
    driver.engine.closeListener(8);
    forge(bench, t, other.local);
    t.equal(await bench.backend.text(), 'forged', 'a port that was left may be any client');
  });

  withUdp(
    t,
    make,
    'a wildcard listener knows itself by every address of the machine',
    async (bench, t) => {
      const { listener } = bench;
      const to = ipEndpoint(4, '127.0.0.1', listener.port);
      for (const host of ['127.0.0.1', '127.0.0.9']) {
        if (!forge(bench, t, ipEndpoint(4, host, listener.port), to)) return;
      }
      await staysAlone(bench, t, 2, to);
    },
    { listen: ipEndpoint(4, '0.0.0.0', 0) },
  );

  withUdp(
    t,
    make,
    'elsewhere the port of a listener is a port like any other',
    async (bench, t) => {
      const client = await bench.peer('127.0.0.9', bench.listener.port);
      client.send(bench.listener, 'of the same port');
      t.equal(await bench.backend.text(), 'of the same port');
    },
  );
}

/** Of `drops` forged datagrams none reaches the backend; the next client does. */
async function staysAlone(bench: UdpBench, t: Test, drops = 1, to = bench.listener): Promise<void> {
  const { driver } = bench;
  await driver.edges.first('each is dropped', () => driver.drops('loop') === drops);
  t.match(await driver.edge('dropped'), { key: LISTENER, flow: null });
  const client = await bench.peer();
  client.send(to, 'next');
  t.equal(await bench.backend.text(), 'next');
  t.equal(driver.count('newFlow'), 1, 'and had no flow');
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
function forge({ listener }: UdpBench, t: Test, source: IpEndpoint, to = listener): boolean {
  if (sendForged(source, to, 'forged')) return true;
  t.pass('forged sources need root', { skip: 'not root' });
  return false;
}
