/** No two sockets of one protocol may want the same address. */
import { type Endpoint, formatAddress, isWildcard } from '../../core/endpoint.js';
import { formatPath, type Path } from '../path.js';
import type { Check, CheckScene, Finding } from './check.js';
import { bindPath } from './listeners.js';

interface Claim {
  readonly protocol: 'tcp' | 'udp';
  readonly endpoint: Endpoint;
  readonly path: Path;
  readonly rests: readonly Path[];
}

export const checkBinds: Check = (scene) => {
  const taken = new Map<string, Port>();
  return claims(scene).flatMap((claim, order) => {
    const { key, host } = placeOf(claim);
    if (key === null) return [];
    const port = taken.get(key) ?? { first: null, wildcard: null, byHost: new Map() };
    taken.set(key, port);
    const earlier = earlierClaim(port, claim);
    const mine = { claim, order };
    port.first ??= mine;
    if (isWildcard(claim.endpoint)) port.wildcard ??= mine;
    if (!port.byHost.has(host)) port.byHost.set(host, mine);
    return earlier === null ? [] : [collision(claim, earlier.claim)];
  });
};

interface Taken {
  readonly claim: Claim;
  /** Its place among all claims. */
  readonly order: number;
}

/** Which listener claims a port of one protocol and family. */
interface Port {
  first: Taken | null;
  wildcard: Taken | null;
  readonly byHost: Map<string, Taken>;
}

/**
 * Claims with different keys never meet: sockets for IPv6 take IPv6 only. Port 0 is a different one
 * each time, so it has none.
 */
function placeOf({ protocol, endpoint }: Claim): { key: string | null; host: string } {
  if (endpoint.kind === 'unix') return { key: `${protocol} unix`, host: endpoint.path };
  const { family, port, host } = endpoint;
  return { key: port === 0 ? null : `${protocol} ${family} ${port}`, host };
}

/** The first claim that overlaps `claim`: the same address, or one of both is a wildcard. */
function earlierClaim(port: Port, claim: Claim): Taken | null {
  if (isWildcard(claim.endpoint)) return port.first;
  const same = port.byHost.get(placeOf(claim).host) ?? null;
  if (same === null || port.wildcard === null) return same ?? port.wildcard;
  return same.order < port.wildcard.order ? same : port.wildcard;
}

function claims(scene: CheckScene): readonly Claim[] {
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
