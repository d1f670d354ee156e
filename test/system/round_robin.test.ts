/** Round-robin over all workers, one connection after the other. */
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { serviceText } from '../support/settings.js';

t.test('two workers take turns as one: the order is strict', async (t) => {
  const { echoes, port } = await start(t, [1, 1, 1, 1]);
  const order = await connectOneByOne(echoes, port, 32);
  t.equal(new Set(order.slice(0, 4)).size, 4, `${order}`);
  for (let at = 4; at < order.length; at += 4) {
    t.same(order.slice(at, at + 4), order.slice(0, 4), `${order}`);
  }
});

t.test('weights are exact over every period, over both workers', async (t) => {
  const weights = [5, 1, 2];
  const { echoes, port } = await start(t, weights);
  const order = await connectOneByOne(echoes, port, 32);
  for (let at = 0; at + 8 <= order.length; at++) {
    const period = order.slice(at, at + 8);
    const counts = weights.map((_, index) => period.filter((echo) => echo === index).length);
    t.same(counts, weights, `${order}`);
  }
});

async function start(
  t: Test,
  weights: readonly number[],
): Promise<{ readonly echoes: readonly EchoBackend[]; readonly port: number }> {
  const echoes = await startEchoes(t, weights.length);
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'off',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: echoes.map(({ address }, index) => ({
        address,
        lines: `weight = ${weights[index]}`,
      })),
      health: 'probe = "none"',
    }),
  });
  return { echoes, port: await daemon.port('echo') };
}

/** Which backend served each of `count` connections. */
async function connectOneByOne(
  echoes: readonly EchoBackend[],
  port: number,
  count: number,
): Promise<readonly number[]> {
  const order: number[] = [];
  for (let n = 0; n < count; n++) {
    const before = echoes.map(({ served }) => served);
    await exchangeOnce({ port });
    order.push(echoes.findIndex(({ served }, index) => served > (before[index] ?? 0)));
  }
  return order;
}
