/** UDP contract: datagrams reach the other side whole, in both directions, and are counted. */
import type { Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { MAX_DATAGRAM_BYTES } from '../../../src/core/limits.js';
import { LISTENER, type MakeUdp, withUdp } from './bench.js';

export function relayContract(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'datagrams pass both ways and are counted', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const client = await bench.peer();
    client.send(listener, 'one');
    const { bytes, from } = await backend.next();
    t.equal(String(bytes), 'one');
    backend.send(from, 'reply');
    const reply = await client.next();
    t.equal(String(reply.bytes), 'reply');
    t.same(reply.from, listener, 'a reply comes from the address that was used');
    client.send(listener, 'again');
    const again = await backend.next();
    t.same(again.from, from, 'a flow has one socket upstream');
    await driver.edge('fromBackend');
    const flow = await driver.firstFlow();
    t.same(driver.engine.client(flow), client.endpoint);
    t.same(driver.engine.local(flow), listener);
    t.equal(driver.engine.bytesIn[flow], 8);
    t.equal(driver.engine.datagramsIn[flow], 2);
    t.equal(driver.engine.bytesOut[flow], 5);
    t.equal(driver.engine.datagramsOut[flow], 1);
    t.ok((driver.engine.lastActivityMs[flow] ?? 0) > 0);
    t.equal(driver.count('newFlow'), 1);
    t.equal(driver.count('fromClient'), 1, 'not asked for what opened the flow');
    t.match(driver.edges.past[0], { kind: 'newFlow', key: LISTENER });
  });

  withUdp(t, make, 'each client has a flow and a socket upstream of its own', async (bench, t) => {
    const { backend, listener } = bench;
    backend.echo((bytes) => `to ${bytes}`);
    const clients = [await bench.peer(), await bench.peer(), await bench.peer('127.0.0.3')];
    for (const [index, client] of clients.entries()) client.send(listener, `${index}`);
    for (const [index, client] of clients.entries()) t.equal(await client.text(), `to ${index}`);
    const ports = new Set(backend.received.past.map(({ from }) => from.port));
    t.equal(ports.size, 3);
    t.equal(bench.driver.openFlows, 3);
  });

  withUdp(t, make, 'empty datagrams pass both ways and count', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const client = await bench.peer();
    client.send(listener, '');
    const first = await backend.next();
    t.equal(first.bytes.length, 0);
    backend.send(first.from, '');
    t.equal((await client.next()).bytes.length, 0);
    client.send(listener, '');
    t.equal((await backend.next()).bytes.length, 0);
    await driver.edge('fromBackend');
    const flow = await driver.firstFlow();
    t.equal(driver.engine.datagramsIn[flow], 2);
    t.equal(driver.engine.datagramsOut[flow], 1);
    t.equal(driver.engine.bytesIn[flow], 0);
  });

  withUdp(t, make, 'the largest datagrams pass both ways unchanged', async (bench, t) => {
    const { backend, listener } = bench;
    backend.echo();
    const client = await bench.peer();
    for (const length of [MAX_DATAGRAM_BYTES, 65_000, 1473, 1]) {
      const sent = Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 255));
      client.send(listener, sent);
      t.ok((await client.next()).bytes.equals(sent), `${length} bytes`);
    }
  });

  withUdp(
    t,
    make,
    'IPv6 clients reach IPv6 backends',
    async (bench, t) => {
      bench.backend.echo();
      const client = await bench.peer('::1');
      client.send(bench.listener, 'six');
      const reply = await client.next();
      t.equal(String(reply.bytes), 'six');
      t.same(reply.from, bench.listener);
      t.same(bench.driver.engine.client(await bench.driver.firstFlow()), client.endpoint);
    },
    { listen: ipEndpoint(6, '::1', 0) },
  );

  withUdp(t, make, 'a prelude goes in front of every datagram', async (bench, t) => {
    const { driver, backend, listener } = bench;
    driver.forwardTo(backend.endpoint, Buffer.from('[head]'));
    const client = await bench.peer();
    for (const text of ['one', '', 'two']) client.send(listener, text);
    for (const text of ['one', '', 'two']) t.equal(await backend.text(), `[head]${text}`);
    const flow = await driver.firstFlow();
    t.equal(driver.engine.bytesIn[flow], 6, 'what it adds is not counted');
    client.send(listener, Buffer.alloc(MAX_DATAGRAM_BYTES - 5));
    await driver.edge('dropped');
    t.equal(driver.drops('too-large'), 1);
    client.send(listener, Buffer.alloc(MAX_DATAGRAM_BYTES - 6));
    t.equal((await backend.next()).bytes.length, MAX_DATAGRAM_BYTES);
  });
}
