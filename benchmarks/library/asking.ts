/** The ways to ask, each with the settings that its library has by itself. */
import { BalancedPool, type Dispatcher, Pool } from 'undici';
import { present } from '../../src/core/assert.js';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import type { ExecuteOptions } from '../../src/library/execute_options.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { undiciConnector } from '../../src/library/undici.js';
import type { PeerName } from './messages.js';

/** One request, answered as a whole: by the port of its backend. */
export type Ask = () => Promise<number>;

/** `ports`: of the backends; for `daemon` its own alone. */
export async function askingBy(name: PeerName, ports: readonly number[]): Promise<Ask> {
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  const [origin = ''] = origins;
  switch (name) {
    case 'pool':
    case 'daemon': {
      const pool = new Pool(origin);
      return () => exchange(pool);
    }
    case 'balanced': {
      const pool = new BalancedPool(origins);
      return () => exchange(pool);
    }
    case 'connector': {
      const connect = undiciConnector(await balancerOf(ports, {}));
      const pool = new Pool('http://users.internal', { connect });
      return () => exchange(pool);
    }
    case 'execute':
      return executing(ports, {}, {});
    case 'execute-latency':
      return executing(ports, { policy: 'least-latency' }, {});
    case 'execute-adaptive':
      return executing(ports, { policy: 'adaptive' }, {});
    case 'execute-hedge':
      return executing(ports, {}, { hedge: true });
  }
}

function balancerOf(ports: readonly number[], options: BalancerOptions): Promise<Balancer> {
  return createBalancer({ backends: ports.map((port) => `127.0.0.1:${port}`), ...options });
}

async function executing(
  ports: readonly number[],
  options: BalancerOptions,
  execute: ExecuteOptions,
): Promise<Ask> {
  const balancer = await balancerOf(ports, options);
  const pools = new Map(ports.map((port) => [port, new Pool(`http://127.0.0.1:${port}`)]));
  return () =>
    balancer.execute(({ port }) => exchange(present(pools.get(port), 'each has one')), execute);
}

export async function exchange(dispatcher: Dispatcher): Promise<number> {
  const { body } = await dispatcher.request({ path: '/', method: 'GET' });
  return Number(await body.text());
}
