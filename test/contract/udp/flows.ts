/** UDP contract: flows are held, moved, refused and closed as the session says. */

import { readdirSync } from 'node:fs';
import type { Test } from 'tap';
import { present } from '../../../src/core/assert.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { HELD_DATAGRAM_BYTES, HELD_DATAGRAMS } from '../../../src/session/udp_port.js';
import { type MakeUdp, withUdp } from './bench.js';

export function flowsContract(t: Test, make: MakeUdp): void {
  holding(t, make);
  moving(t, make);
  closing(t, make);
}

function holding(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'what comes before a backend is there is held, in order', async (bench, t) => {
    const { driver, backend, listener } = bench;
    driver.answers = {};
    const client = await bench.peer();
    for (const text of ['one', 'two', 'three']) client.send(listener, text);
    // Another client's edge shows that the three were read before.
    const other = await bench.peer();
    const flow = await driver.firstFlow();
    other.send(listener, 'other');
    await driver.edges.first('a second flow', (e) => e.kind === 'newFlow' && e.flow !== flow);
    t.equal(driver.engine.datagramsIn[flow], 0);
    t.equal(driver.open(flow, backend.endpoint), 'open');
    for (const text of ['one', 'two', 'three']) t.equal(await backend.text(), text);
    t.equal(driver.engine.datagramsIn[flow], 3);
    client.send(listener, 'four');
    t.equal(await backend.text(), 'four');
  });

  withUdp(t, make, 'what is held is bounded, and reported when it is lost', async (bench, t) => {
    const { driver, listener } = bench;
    driver.answers = {};
    const client = await bench.peer();
    for (let index = 0; index < HELD_DATAGRAMS + 2; index++) client.send(listener, `${index}`);
    const dropped = (): boolean => driver.drops('send-queue-full') === 2;
    await driver.edges.first('two drops', dropped);
    t.equal(driver.close(await driver.firstFlow()), HELD_DATAGRAMS);
  });

  withUdp(t, make, 'a flow with a backend loses nothing when others hold all', async (bench, t) => {
    const { driver, backend, listener } = bench;
    driver.answers = {};
    const crowd = await Promise.all(Array.from({ length: HELD_DATAGRAMS }, () => bench.peer()));
    const large = 'x'.repeat(HELD_DATAGRAM_BYTES / 64 - 2_000);
    for (let sent = 0; driver.drops('send-queue-full') === 0; sent++) {
      present(crowd[sent % crowd.length], 'a peer').send(listener, large);
      await new Promise((resolve) => setImmediate(resolve));
    }
    driver.forwardTo(backend.endpoint);
    const client = await bench.peer();
    client.send(listener, large);
    t.equal((await backend.text()).length, large.length);
  });

  withUdp(t, make, 'a flow may be held again, and then goes on', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const client = await bench.peer();
    client.send(listener, 'one');
    t.equal(await backend.text(), 'one');
    driver.answers = { fromClient: () => 'hold' };
    client.send(listener, 'two');
    await driver.edge('fromClient');
    const other = await bench.peer();
    driver.open(await driver.firstFlow(), other.endpoint);
    t.equal(await other.text(), 'two');
    driver.answers = {};
    client.send(listener, 'three');
    t.equal(await other.text(), 'three');
    t.equal(driver.count('newFlow'), 1);
  });
}

function moving(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'a flow that is moved first sends to its new backend', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const other = (await bench.peer()).echo((bytes) => `other ${bytes}`);
    const client = await bench.peer();
    client.send(listener, 'one');
    const { from } = await backend.next();
    driver.answers = {
      fromClient(flow) {
        driver.open(flow, other.endpoint);
        return 'forward';
      },
    };
    client.send(listener, 'two');
    t.equal(await client.text(), 'other two');
    driver.answers = {};
    backend.send(from, 'late');
    client.send(listener, 'three');
    t.equal(await client.text(), 'other three', 'the old backend is not listened to any more');
    t.equal(driver.engine.datagramsIn[await driver.firstFlow()], 3, 'the counters go on');
  });

  withUdp(
    t,
    make,
    'an unreachable backend is reported, and the flow stays usable',
    async (bench, t) => {
      const { driver, listener } = bench;
      const gone = await bench.nowhere();
      driver.forwardTo(gone);
      const client = await bench.peer();
      client.send(listener, 'lost');
      t.equal((await driver.edge('unreachable')).flow, await driver.firstFlow());
      const back = await bench.peer('127.0.0.1', gone.port);
      client.send(listener, 'here');
      t.equal(await back.text(), 'here');
      t.equal(driver.count('newFlow'), 1);
    },
  );

  for (const size of [0, 1, 1_400, 60_000]) {
    const what = `a first datagram of ${size} bytes that was unreachable goes wherever it is moved`;
    withUdp(t, make, what, async (bench, t) => {
      const { driver, backend, listener } = bench;
      const [first, second] = [await bench.nowhere(), await bench.nowhere()];
      driver.forwardTo(first);
      const told: string[] = [];
      driver.answers.unreachable = (flow, which) => {
        told.push(which);
        driver.open(flow, told.length === 1 ? second : backend.endpoint);
        return 'forward';
      };
      const client = await bench.peer();
      client.send(listener, 'x'.repeat(size));
      t.equal(await backend.text(), 'x'.repeat(size));
      t.same(told, ['first', 'first']);
      const flow = await driver.firstFlow();
      const { datagramsIn, bytesIn } = bench.under.udp;
      t.equal(datagramsIn[flow], 1, 'counted once, though sent three times');
      t.equal(bytesIn[flow], size);
      client.send(listener, 'next');
      t.equal(await backend.text(), 'next');
    });
  }

  withUdp(
    t,
    make,
    'a datagram that was answered or followed is not sent again',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      driver.forwardTo(backend.endpoint);
      const told: string[] = [];
      driver.answers.unreachable = (_, which) => {
        told.push(which);
        return 'drop';
      };
      const client = await bench.peer();
      client.send(listener, 'one');
      t.equal(await backend.text(), 'one');
      await backend.close();
      client.send(listener, 'two');
      await driver.edge('unreachable');
      t.same(told, ['later']);
      const flow = await driver.firstFlow();
      const { datagramsIn, bytesIn } = bench.under.udp;
      t.equal(datagramsIn[flow], 1, 'what has come back does not count');
      t.equal(bytesIn[flow], 3);
    },
  );

  withUdp(
    t,
    make,
    'a first datagram may wait for a backend after it was unreachable',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      driver.forwardTo(await bench.nowhere());
      driver.answers.unreachable = () => 'hold';
      const client = await bench.peer();
      client.send(listener, 'first');
      const { flow } = await driver.edge('unreachable');
      driver.open(present(flow, 'a flow'), backend.endpoint);
      t.equal(await backend.text(), 'first');
    },
  );

  withUdp(
    t,
    make,
    'a backend without a route fails at once, and another may be opened',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      const outcomes: string[] = [];
      // Connecting to a broadcast address needs a permission that no engine asks for (udp(7)).
      const nowhere = ipEndpoint(4, '255.255.255.255', 9);
      driver.answers = {
        newFlow(flow) {
          outcomes.push(driver.open(flow, nowhere), driver.open(flow, backend.endpoint));
          return 'kept';
        },
      };
      const client = await bench.peer();
      client.send(listener, 'x');
      t.equal(await backend.text(), 'x');
      t.same(outcomes, ['unreachable', 'open']);
    },
  );
}

function closing(t: Test, make: MakeUdp): void {
  withUdp(
    t,
    make,
    'a refused flow leaves no trace, and its number is free',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      const [first, second] = [await bench.peer(), await bench.peer()];
      driver.answers = { newFlow: () => 'all-down' };
      first.send(listener, 'x');
      await driver.edge('newFlow');
      driver.forwardTo(backend.endpoint);
      second.send(listener, 'y');
      t.equal(await backend.text(), 'y');
      t.equal(driver.drops('flow-limit'), 0);
    },
    { flows: 1 },
  );

  withUdp(
    t,
    make,
    'without a free number a new client is shed, a known one is not',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      const [first, second] = [await bench.peer(), await bench.peer()];
      first.send(listener, 'first');
      t.equal(await backend.text(), 'first');
      second.send(listener, 'second');
      t.match(await driver.edge('dropped'), { flow: null, reason: 'flow-limit' });
      first.send(listener, 'again');
      t.equal(await backend.text(), 'again');
      driver.close(await driver.firstFlow());
      second.send(listener, 'now');
      t.equal(await backend.text(), 'now');
    },
    { flows: 1 },
  );

  withUdp(
    t,
    make,
    'a flow may be closed by its reply, and its client begins anew',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      backend.echo();
      driver.answers.fromBackend = (flow) => void driver.close(flow);
      const client = await bench.peer();
      client.send(listener, 'one');
      t.equal(await client.text(), 'one');
      client.send(listener, 'two');
      t.equal(await client.text(), 'two');
      t.equal(driver.count('newFlow'), 2);
      t.equal(driver.openFlows, 0);
    },
  );

  withUdp(t, make, 'a flow may be closed or passed over by a datagram', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const client = await bench.peer();
    client.send(listener, 'one');
    t.equal(await backend.text(), 'one');
    const flow = await driver.firstFlow();
    driver.answers.fromClient = () => 'drop';
    client.send(listener, 'passed over');
    await driver.edge('fromClient');
    driver.answers.fromClient = () => {
      driver.close(flow);
      return 'drop';
    };
    client.send(listener, 'closed by');
    client.send(listener, 'two');
    t.equal(await backend.text(), 'two');
    t.equal(driver.count('newFlow'), 2);
  });

  withUdp(
    t,
    make,
    'a thousand flows come and go and leave no descriptor',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      backend.echo();
      const clients = await Promise.all(Array.from({ length: 100 }, () => bench.peer()));
      const before = openDescriptors();
      for (let round = 0; round < 10; round++) {
        for (const client of clients) client.send(listener, `${round}`);
        const texts = await Promise.all(clients.map((client) => client.text()));
        t.same(new Set(texts), new Set([`${round}`]));
        t.equal(driver.openFlows, 100);
        driver.closeAll();
      }
      await new Promise((resolve) => setImmediate(resolve));
      t.equal(openDescriptors(), before);
    },
    { flows: 100 },
  );
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
