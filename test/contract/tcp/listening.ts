/** TCP contract: listeners open, pause, resume and close, and know the addresses of both ends. */
import type { Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { connectPeer, LOOPBACK, LOOPBACK_6, startPeer } from '../../support/peer.js';
import { BACKLOG, LISTENER, type MakeEngine, settled, withEngine } from './bench.js';

export function listeningContract(t: Test, make: MakeEngine): void {
  addresses(t, make);
  pausing(t, make);

  withEngine(t, make, 'a closed listener refuses clients and keeps its pairs', async (bench, t) => {
    const { client, backend } = await bench.relayed();
    bench.driver.engine.closeListener(LISTENER);
    bench.under.forget(bench.source);
    await t.rejects(bench.connect(), { code: 'ECONNREFUSED' });
    client.finish('still here');
    t.equal(String(await backend.rest()), 'still here');
  });

  withEngine(
    t,
    make,
    'a client that resets before it is accepted harms no other',
    async (bench, t) => {
      const { driver } = bench;
      driver.proxyTo(bench.backend.endpoint);
      driver.engine.pauseListener(LISTENER);
      (await bench.connect()).reset();
      const client = await bench.connect();
      driver.engine.resumeListener(LISTENER);
      client.send('served');
      for (let served = ''; served !== 'served'; ) {
        // Some engines learn of the reset only when they dial.
        served = await (await bench.backend.next()).takeText(6);
      }
      t.ok(driver.count('accepted') >= 1);
    },
  );

  withEngine(t, make, 'a stopped engine closes everything and says nothing', async (bench, t) => {
    const { driver } = bench;
    const { client, backend } = await bench.relayed();
    const waiting = await bench.connect();
    await driver.next('accepted');
    await driver.next('accepted');
    const before = driver.edges.length;
    bench.under.engine.stop();
    await Promise.all([client.ending(), backend.ending(), waiting.ending()]);
    await settled(() => driver.edges.length);
    t.equal(driver.edges.length, before);
  });

  withEngine(
    t,
    make,
    'while every pair is taken clients wait, and the next freed number is theirs',
    async (bench, t) => {
      bench.driver.answers = {};
      const clients = [await bench.connect(), await bench.connect(), await bench.connect()];
      const first = await bench.driver.nextPair();
      await bench.driver.nextPair();
      t.equal(bench.driver.count('accepted'), 2);
      bench.driver.close(first, 'reset');
      const third = await bench.driver.nextPair();
      t.equal(third, first);
      t.equal(clients.length, 3);
    },
    { pairs: 2 },
  );
}

function addresses(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a pair knows its client and the address used', async (bench, t) => {
    const client = await bench.connect();
    const pair = await bench.driver.nextPair();
    const { localPort } = client.socket;
    t.same(bench.driver.engine.client(pair), ipEndpoint(4, '127.0.0.1', localPort ?? 0));
    t.same(bench.driver.engine.local(pair), bench.listener);
  });

  withEngine(
    t,
    make,
    'on a wildcard address a pair knows which address its client used',
    async (bench, t) => {
      const { listener } = bench;
      const port = listener.kind === 'ip' ? listener.port : 0;
      await connectPeer(ipEndpoint(4, '127.0.0.2', port));
      const pair = await bench.driver.nextPair();
      t.same(bench.driver.engine.local(pair), ipEndpoint(4, '127.0.0.2', port));
    },
    { listen: ipEndpoint(4, '0.0.0.0', 0) },
  );

  withEngine(
    t,
    make,
    'IPv6 clients and backends are served',
    async (bench, t) => {
      const { client, backend } = await bench.relayed();
      const pair = await bench.driver.nextPair();
      t.same(bench.driver.engine.client(pair), ipEndpoint(6, '::1', client.socket.localPort ?? 0));
      client.finish('six');
      t.equal(String(await backend.rest()), 'six');
    },
    { listen: LOOPBACK_6, backend: LOOPBACK_6 },
  );

  withEngine(
    t,
    make,
    'unix sockets are served on both sides',
    async (bench, t) => {
      const { client, backend } = await bench.relayed();
      const pair = await bench.driver.nextPair();
      t.same(bench.driver.engine.client(pair), { kind: 'unix', path: '' });
      t.same(bench.driver.engine.local(pair), bench.listener);
      client.finish('ask');
      t.equal(String(await backend.rest()), 'ask');
      backend.finish('answer');
      t.equal(String(await client.rest()), 'answer');
      t.same(await bench.driver.nextEnd(), { kind: 'finished', first: 'client' });
    },
    { listen: 'unix', backend: 'unix' },
  );
}

function pausing(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'clients of a paused listener connect and wait until it resumes',
    async (bench, t) => {
      const { driver, under } = bench;
      driver.proxyTo(bench.backend.endpoint);
      driver.engine.pauseListener(LISTENER);
      const clients = await Promise.all([bench.connect(), bench.connect()]);
      // A client of another listener is served meanwhile: the engine has had its chance.
      const source = under.source(LOOPBACK, BACKLOG);
      const other = await driver.engine.openListener(LISTENER + 1, source, BACKLOG);
      if (!other.ok) throw new Error(other.sentence);
      await connectPeer(other.local);
      t.equal((await driver.next('accepted')).key, LISTENER + 1);
      t.equal(driver.count('accepted'), 1);
      await bench.backend.next();
      driver.engine.resumeListener(LISTENER);
      for (const client of clients) {
        t.equal((await driver.next('accepted')).key, LISTENER);
        client.send('x');
      }
      for (const _ of clients) t.equal(await (await bench.backend.next()).takeText(1), 'x');
    },
  );

  withEngine(
    t,
    make,
    'a listener may be paused and resumed inside `accepted`, again and again',
    async (bench, t) => {
      const { driver } = bench;
      driver.answers = {
        accepted: (pair) => {
          driver.engine.pauseListener(LISTENER);
          driver.close(pair, 'reset');
        },
        closed: () => driver.engine.resumeListener(LISTENER),
      };
      for (let i = 0; i < 10; i++) {
        t.equal(await startPeer(bench.listener).ending(), 'reset');
        t.same(await driver.nextEnd(), { kind: 'closed' });
      }
    },
  );
}
