/** Replies that were received and have no flow to go to are drops with a reason. */
import t from 'tap';
import { SIZES } from '../../../src/engine/uring/means.js';
import type { TcpEdges } from '../../../src/session/tcp_port.js';
import { type MakeUdp, withUdp } from '../../contract/udp/bench.js';
import { eventually } from '../../support/deadline.js';
import { drivenUringEngine, testKernel } from '../../support/uring_engine.js';

const make: MakeUdp = async (limits, edges) => {
  const { engine, run } = drivenUringEngine(limits, undefined, testKernel(), SIZES);
  engine.attach({} as unknown as TcpEdges, edges);
  const running = run({ tick: () => Number.POSITIVE_INFINITY, rung: () => {} });
  return {
    udp: engine.udp,
    source: (local) => ({ kind: 'bind', local, reusePort: 'exclusive' }),
    dispose: async () => {
      engine.stop();
      await running;
    },
  };
};

withUdp(
  t,
  make,
  'a reply that comes with the one that ends its flow is counted',
  async (bench, t) => {
    const { driver, backend, listener } = bench;
    const client = await bench.peer();
    client.send(listener, 'question');
    const { from } = await backend.next();
    driver.answers.fromBackend = (flow) => {
      driver.close(flow);
    };
    // The engine has its turn when all have come.
    for (const text of ['one', 'two', '']) backend.send(from, text);
    t.equal(await client.text(), 'one');
    await eventually('the drops', async () =>
      driver.drops('flow-ended') === 2 ? true : undefined,
    );
    t.match(driver.edges.past.at(-1), { kind: 'dropped', flow: null });
  },
);
