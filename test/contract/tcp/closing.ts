/** TCP contract: `close` in every state, its two ways, and the bound on a flush. */
import type { Test } from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { LINGER_MS } from '../../../src/session/tcp_port.js';
import { type Peer, refusingEndpoint, startPeer } from '../../support/peer.js';
import { type Bench, EARLY_BYTES, type MakeEngine, settled, withEngine } from './bench.js';

interface Reached {
  readonly pair: PairId;
  readonly client: Peer;
}

/** How to bring a pair into each state in which it can be closed. */
const STATES: Readonly<Record<string, (bench: Bench) => Promise<Reached>>> = {
  'that waits': (bench) => accepted(bench),
  'whose header is read': async (bench) => {
    const { driver } = bench;
    driver.answers = { accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES) };
    const reached = await accepted(bench);
    reached.client.send('PRO');
    await driver.next('earlyBytes');
    return reached;
  },
  'that dials': async (bench) => {
    const { driver } = bench;
    driver.answers = {
      accepted: (pair) => {
        driver.engine.dial(pair, bench.backend.endpoint, Buffer.from('prelude'));
        driver.close(pair, 'flush');
      },
    };
    return accepted(bench);
  },
  'whose dial was given up': async (bench) => {
    const reached = await accepted(bench);
    bench.driver.engine.dial(reached.pair, bench.backend.endpoint, null);
    bench.driver.engine.cancelDial(reached.pair);
    return reached;
  },
  'that is connected and not relayed': async (bench) => {
    const { driver } = bench;
    driver.answers = { accepted: (pair) => driver.engine.dial(pair, bench.backend.endpoint, null) };
    const reached = await accepted(bench);
    await driver.next('dialled');
    return reached;
  },
  'that is relayed': async (bench) => {
    bench.driver.proxyTo(bench.backend.endpoint);
    const reached = await accepted(bench);
    await bench.driver.next('dialled');
    return reached;
  },
};

export function closingContract(t: Test, make: MakeEngine): void {
  for (const [state, reach] of Object.entries(STATES)) {
    for (const how of ['flush', 'reset'] as const) {
      withEngine(t, make, `a pair ${state} closes once by ${how}`, async (bench, t) => {
        const { pair, client } = await reach(bench);
        bench.driver.close(pair, how);
        bench.driver.close(pair, how);
        if (how === 'flush') {
          t.equal(await client.ending(), 'ended');
          client.finish();
          bench.backend.finishAll();
        } else if (state !== 'that dials') {
          t.equal(await client.ending(), 'reset');
        }
        t.same(await bench.driver.nextEnd(), { kind: 'closed' });
        await settled(() => bench.driver.edges.length);
        t.equal(bench.driver.count('closed'), 1);
      });
    }
  }
  insideEdges(t, make);
  flushing(t, make);
  bounded(t, make);
}

function insideEdges(t: Test, make: MakeEngine): void {
  const edges = ['accepted', 'earlyBytes', 'dialFailed', 'dialled', 'firstByte'] as const;
  for (const edge of edges) {
    for (const how of ['flush', 'reset'] as const) {
      withEngine(t, make, `a pair may be closed inside ${edge} by ${how}`, async (bench, t) => {
        const { driver, backend } = bench;
        const target = edge === 'dialFailed' ? await refusingEndpoint() : backend.endpoint;
        driver.answers = {
          accepted: (pair) => {
            if (edge === 'earlyBytes') driver.engine.readEarly(pair, EARLY_BYTES);
            else driver.engine.dial(pair, target, null);
          },
          dialled: (pair) => driver.engine.relay(pair),
          [edge]: (pair: PairId) => driver.close(pair, how),
        };
        backend.serve((peer) => {
          peer.send('first');
          peer.socket.on('end', () => peer.finish());
        });
        const client = startPeer(bench.listener);
        client.send('bytes');
        t.equal(await client.ending(), how === 'flush' ? 'ended' : 'reset');
        client.finish();
        t.same(await bench.endInTime(LINGER_MS), { kind: 'closed' });
      });
    }
  }
}

function flushing(t: Test, make: MakeEngine): void {
  withEngine(
    t,
    make,
    'a flush delivers what was read, to both, and then FIN',
    async (bench, t) => {
      const { driver } = bench;
      const { client, backend } = await bench.relayed();
      const pair = await driver.nextPair();
      for (const peer of [client, backend]) {
        peer.socket.pause();
        peer.pour(Buffer.alloc(MUCH_BYTES, 'abc'));
      }
      const moved = (): [number, number] => [
        driver.engine.bytesIn[pair] ?? 0,
        driver.engine.bytesOut[pair] ?? 0,
      ];
      await settled(() => moved()[0] + moved()[1]);
      driver.close(pair, 'flush');
      const [inBytes, outBytes] = moved();
      t.ok(inBytes > 0 && outBytes > 0);
      for (const peer of [client, backend]) peer.socket.resume();
      t.ok((await backend.rest()).length >= inBytes);
      t.ok((await client.rest()).length >= outBytes);
      t.same(await driver.nextEnd(), { kind: 'closed' });
    },
    { listen: 'unix', backend: 'unix' },
  );

  withEngine(
    t,
    make,
    'a client that goes on sending does not lose what is flushed',
    async (bench, t) => {
      const { driver } = bench;
      const { client, backend } = await bench.relayed();
      const pair = await driver.nextPair();
      client.socket.pause();
      backend.send(Buffer.alloc(MUCH_BYTES, 'abc'));
      await settled(() => driver.engine.bytesOut[pair] ?? 0);
      driver.close(pair, 'flush');
      const outBytes = driver.engine.bytesOut[pair] ?? 0;
      client.send(Buffer.alloc(100_000));
      await settled(() => client.socket.writableLength);
      client.socket.resume();
      t.ok((await client.rest()).length >= outBytes);
      client.finish();
      backend.finish();
      t.same(await driver.nextEnd(), { kind: 'closed' });
    },
  );
}

function bounded(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a flush without an answer ends by a reset', async (bench, t) => {
    const { driver } = bench;
    const { client, backend } = await bench.relayed();
    driver.close(await driver.nextPair(), 'flush');
    t.equal((await client.rest()).length, 0);
    t.equal((await backend.rest()).length, 0);
    await settled(() => driver.edges.length);
    t.equal(driver.count('closed'), 0, 'both may still answer');
    await bench.under.pass(LINGER_MS);
    t.same(await driver.nextEnd(), { kind: 'closed' });
  });

  withEngine(
    t,
    make,
    'a flush to a reader that takes nothing ends in time',
    async (bench, t) => {
      const { driver } = bench;
      const { client, backend } = await bench.relayed();
      const pair = await driver.nextPair();
      client.socket.pause();
      const flow = backend.pour(Buffer.alloc(8 * MUCH_BYTES));
      await settled(() => flow.takenBytes);
      driver.close(pair, 'flush');
      await settled(() => driver.edges.length);
      t.equal(driver.count('closed'), 0);
      await bench.under.pass(LINGER_MS);
      t.same(await driver.nextEnd(), { kind: 'closed' });
    },
    { listen: 'unix', backend: 'unix' },
  );

  withEngine(t, make, 'a reset that cannot be delivered ends in time', async (bench, t) => {
    const { driver } = bench;
    const { client, backend } = await bench.relayed();
    const pair = await driver.nextPair();
    client.socket.pause();
    backend.send(Buffer.alloc(MUCH_BYTES));
    await settled(() => driver.engine.bytesOut[pair] ?? 0);
    t.equal(driver.engine.bytesOut[pair], MUCH_BYTES);
    backend.reset();
    t.same(await bench.endInTime(LINGER_MS + 1_000), { kind: 'reset', by: 'backend' });
    client.socket.resume();
    t.equal(await client.ending(), 'reset');
  });

  withEngine(t, make, 'a reset cuts a flush short', async (bench, t) => {
    const { driver } = bench;
    const { client, backend } = await bench.relayed();
    const pair = await driver.nextPair();
    driver.close(pair, 'flush');
    await client.rest();
    driver.close(pair, 'reset');
    t.same(await driver.nextEnd(), { kind: 'closed' });
    await backend.ending();
  });
}

const MUCH_BYTES = 1024 * 1024;

async function accepted(bench: Bench): Promise<Reached> {
  const client = await bench.connect();
  return { client, pair: await bench.driver.nextPair() };
}
