/** What one listener must have, and what does not go together in it. */
import { bySimilarity, isSimilar } from '../nearest.js';
import type { Path } from '../path.js';
import type { ListenerValue } from '../schema/listener.js';
import type { RouteValue } from '../schema/route.js';
import type { Check, CheckScene, Finding } from './check.js';

export const checkListeners: Check = (scene) =>
  Object.entries(scene.config.listeners).flatMap(([name, listener]) => {
    const path = ['listeners', name];
    return [
      ...missingKeys(path, listener),
      ...poolReference(scene, [...path, 'pool'], listener.pool),
      ...listener.routes.flatMap((route, index) => routeKeys(scene, path, listener, route, index)),
      ...proxyTrust(path, listener),
      ...(listener.protocol === 'udp' ? tcpOnly(scene, path, listener) : []),
    ];
  });

function missingKeys(path: Path, listener: ListenerValue): readonly Finding[] {
  const missing = (key: string, expected: string): Finding => ({
    code: 'missing',
    path: [...path, key],
    problem: 'missing',
    expected,
  });
  return [
    ...(listener.bind === undefined ? [missing('bind', 'where to listen, as "0.0.0.0:5432"')] : []),
    ...(listener.pool === undefined
      ? [missing('pool', 'the name of a pool, or "" to refuse')]
      : []),
  ];
}

/** "" is no pool: it refuses. */
function poolReference(
  scene: CheckScene,
  path: Path,
  pool: string | undefined,
): readonly Finding[] {
  if (pool === undefined || pool === '' || scene.given(['pools', pool])) return [];
  const expected = (): string => nearestPool(pool, Object.keys(scene.config.pools));
  return [{ code: 'unknown-pool', path, problem: 'no such pool', expected }];
}

/** What only a StartupMessage says. */
const OF_START = ['database', 'user', 'application'] as const;

function routeKeys(
  scene: CheckScene,
  listener: Path,
  { postgres }: ListenerValue,
  route: RouteValue,
  index: number,
): readonly Finding[] {
  const path = [...listener, 'routes', index];
  const findings: Finding[] = [...poolReference(scene, [...path, 'pool'], route.pool)];
  if (route.pool === undefined) {
    const expected = 'the name of a pool, or "" to refuse';
    findings.push({ code: 'missing', path: [...path, 'pool'], problem: 'missing', expected });
  }
  if (postgres !== undefined) return findings;
  const expected = '[listeners.NAME.postgres], which reads it';
  const problem = 'what a Postgres client starts with is not read';
  const rests = [[...listener, 'postgres']];
  for (const key of OF_START) {
    if (route[key].length === 0) continue;
    findings.push({ code: 'misplaced', path: [...path, key], problem, expected, rests });
  }
  return findings;
}

/** Pools that are named when none is similar to the one that was asked for. */
const MAX_NAMED = 5;

function nearestPool(pool: string, known: readonly string[]): string {
  const ranked = bySimilarity(pool, known);
  const [nearest] = ranked;
  if (nearest === undefined) return 'a table [pools.NAME] for it';
  if (isSimilar(pool, nearest)) return JSON.stringify(nearest);
  const rest = ranked.length > MAX_NAMED ? ' …' : '';
  return `one of ${ranked.slice(0, MAX_NAMED).join(', ')}${rest}`;
}

function proxyTrust(path: Path, listener: ListenerValue): readonly Finding[] {
  const flag = [...path, 'accept_proxy_protocol'];
  const trusted = [...path, 'trusted_proxies'];
  const someTrusted = listener.trusted_proxies.length > 0;
  // The file mode of a UNIX socket says which users may open it; its peers have no address.
  const isLocal = listener.bind?.every(({ kind }) => kind === 'unix') ?? true;
  if (listener.accept_proxy_protocol && !someTrusted && !isLocal) {
    const expected = 'the addresses of the proxies, which alone may send a header';
    const problem = 'accept_proxy_protocol is true, and no proxy is trusted';
    return [{ code: 'missing', path: trusted, problem, expected, rests: [flag] }];
  }
  if (!listener.accept_proxy_protocol && someTrusted) {
    const problem = 'no meaning without accept_proxy_protocol';
    const expected = 'accept_proxy_protocol = true, or no list';
    return [{ code: 'misplaced', path: trusted, problem, expected, rests: [flag] }];
  }
  return [];
}

function tcpOnly(scene: CheckScene, path: Path, listener: ListenerValue): readonly Finding[] {
  const findings: Finding[] = (listener.bind ?? []).flatMap((endpoint, index) => {
    if (endpoint.kind !== 'unix') return [];
    const expected = 'an IP address, or protocol = "tcp"';
    const problem = 'UDP is not served on UNIX sockets';
    return [{ code: 'conflict', path: bindPath(scene, path, index), problem, expected }];
  });
  if (listener.pool === '') {
    const problem = 'datagrams cannot be refused: a client would not notice';
    const expected = 'the name of a pool';
    findings.push({ code: 'misplaced', path: [...path, 'pool'], problem, expected });
  }
  for (const key of ['backlog', 'postgres', 'routes']) {
    if (!scene.given([...path, key])) continue;
    const problem = 'no meaning for UDP';
    const expected = key === 'backlog' ? 'no such key' : 'no such table';
    findings.push({ code: 'misplaced', path: [...path, key], problem, expected });
  }
  return findings.map((finding) => ({ ...finding, rests: [[...path, 'protocol']] }));
}

/** A single address stands at `bind` itself, those of a list below it. */
export function bindPath(scene: CheckScene, listener: Path, index: number): Path {
  const element = [...listener, 'bind', index];
  return scene.given(element) ? element : element.slice(0, -1);
}
