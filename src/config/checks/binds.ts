/** No two sockets of one protocol may want the same address. */
import { type Endpoint, formatAddress } from '../../core/endpoint.js';
import { formatPath, type Path } from '../path.js';
import type { Check, Finding, Scene } from './check.js';
import { bindPath } from './listeners.js';

interface Claim {
  readonly protocol: 'tcp' | 'udp';
  readonly endpoint: Endpoint;
  readonly path: Path;
  readonly rests: readonly Path[];
}

export const checkBinds: Check = (scene) => {
  const all = claims(scene);
  return all.flatMap((claim, index) => {
    const earlier = all.slice(0, index).find((other) => overlaps(claim, other));
    return earlier === undefined ? [] : [collision(claim, earlier)];
  });
};

function claims(scene: Scene): readonly Claim[] {
  const { admin, listeners } = scene.config;
  const path = ['admin', 'http'];
  const http: Claim[] =
    admin.http === null ? [] : [{ protocol: 'tcp', endpoint: admin.http, path, rests: [] }];
  const bound = Object.entries(listeners).flatMap(([name, { protocol, bind = [] }]) => {
    const listener = ['listeners', name];
    return bind.map((endpoint, index): Claim => {
      const rests = [[...listener, 'protocol']];
      return { protocol, endpoint, path: bindPath(scene, listener, index), rests };
    });
  });
  return [...http, ...bound];
}

function collision(claim: Claim, earlier: Claim): Finding {
  const address = formatAddress(earlier.endpoint);
  return {
    code: 'duplicate',
    path: claim.path,
    problem: `overlaps ${address} of ${formatPath(earlier.path)}`,
    expected: 'an address and port of its own',
    rests: [...claim.rests, ...earlier.rests, earlier.path],
  };
}

/**
 * Sockets for IPv6 take IPv6 only, so the families never meet. Port 0 is a different one each time.
 */
function overlaps(a: Claim, b: Claim): boolean {
  if (a.protocol !== b.protocol) return false;
  if (a.endpoint.kind === 'unix' || b.endpoint.kind === 'unix') {
    return formatAddress(a.endpoint) === formatAddress(b.endpoint);
  }
  const { endpoint: one } = a;
  const { endpoint: other } = b;
  if (one.family !== other.family || one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || isWildcard(one.host) || isWildcard(other.host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
