/** What a listener's protocol and the settings of its pool ask of each other. */
import type { Path } from '../path.js';
import type { ListenerValue } from '../schema/listener.js';
import type { PoolValue } from '../schema/pool.js';
import type { Check, Finding } from './check.js';
import { leadsTo } from './leads_to.js';

export const checkRoutes: Check = (scene) => {
  const byPool = listenersByPool(scene.config.listeners);
  return Object.entries(scene.config.pools).flatMap(([name, pool]) => {
    const path = ['pools', name];
    const listeners = byPool.get(name) ?? [];
    const udp = listeners.find(({ protocol }) => protocol === 'udp')?.name;
    const tcp = listeners.find(({ protocol }) => protocol === 'tcp')?.name;
    const idle = [
      ...(udp !== undefined && tcp === undefined ? idleForUdp(path, pool) : []),
      ...(tcp !== undefined && udp === undefined ? idleForTcp(path, pool) : []),
    ];
    const protocols = idle.length === 0 ? [] : listeners.map(protocolOf);
    return [
      ...(udp === undefined ? [] : refusedByUdp(path, pool, udp)),
      ...idle.map((finding) => ({ ...finding, rests: protocols })),
    ];
  });
};

interface Led {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
}

function listenersByPool(
  listeners: Readonly<Record<string, ListenerValue>>,
): ReadonlyMap<string, readonly Led[]> {
  const byPool = new Map<string, Led[]>();
  for (const [name, listener] of Object.entries(listeners)) {
    const { protocol } = listener;
    for (const pool of leadsTo(listener)) {
      const known = byPool.get(pool);
      if (known === undefined) byPool.set(pool, [{ name, protocol }]);
      else known.push({ name, protocol });
    }
  }
  return byPool;
}

function protocolOf({ name }: Led): Path {
  return ['listeners', name, 'protocol'];
}

/** What cannot be done for datagrams, whichever other listeners use the pool. */
function refusedByUdp(path: Path, pool: PoolValue, listener: string): readonly Finding[] {
  const rests = [['listeners', listener, 'protocol']];
  const findings: Finding[] = pool.backends.flatMap(({ address }, index) => {
    if (address?.kind !== 'unix') return [];
    const problem = `a UNIX socket takes no datagrams, and listener ${listener} is for UDP`;
    const at = [...path, 'backends', index, 'address'];
    return [{ code: 'conflict', path: at, problem, expected: '"host:port"', rests }];
  });
  if (pool.send_proxy_protocol === 'v1') {
    const problem = `v1 has no form for datagrams, and listener ${listener} is for UDP`;
    const at = [...path, 'send_proxy_protocol'];
    findings.push({ code: 'conflict', path: at, problem, expected: '"v2" or "off"', rests });
  }
  return findings;
}

function idleForUdp(path: Path, pool: PoolValue): readonly Finding[] {
  if (pool.queue_size === 0) return [];
  const problem = 'datagrams do not queue, and all listeners of this pool are for UDP';
  return [{ code: 'misplaced', path: [...path, 'queue_size'], problem, expected: '0' }];
}

function idleForTcp(path: Path, pool: PoolValue): readonly Finding[] {
  if (pool.udp_responses === 0) return [];
  const problem = 'only flows count replies, and all listeners of this pool are for TCP';
  return [{ code: 'misplaced', path: [...path, 'udp_responses'], problem, expected: '0' }];
}
