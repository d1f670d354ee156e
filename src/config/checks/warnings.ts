/** What is allowed and nearly always a mistake: `check` says it, and the exit code stays 0. */
import { blockText } from '../../core/address_text.js';
import { formatAddress } from '../../core/endpoint.js';
import type { Path } from '../path.js';
import type { AccessValue } from '../schema/access.js';
import type { PoolValue } from '../schema/pool.js';
import type { Check, CheckScene, Finding } from './check.js';
import { leadsTo } from './leads_to.js';

/** Paths of files that a probe reads. */
const FILE_KEYS = ['password_file', 'tls_ca_file'] as const;

/** Those that a source reads. */
const SOURCE_FILES = ['path', 'token_file', 'password_file', 'kubeconfig', 'ca_file'] as const;

const FILE_PROBLEMS = {
  missing: { code: 'no-such-file', got: 'no such file' },
  forbidden: { code: 'forbidden-file', got: 'a file that this user is not allowed to read' },
  'no-file': { code: 'forbidden-file', got: 'a directory, a device or a socket' },
  silent: { code: 'forbidden-file', got: 'a file system that does not answer' },
} as const;

export const warnOfFiles: Check = (scene) => [
  ...fileAt(scene, ['admin', 'token_file'], scene.config.admin.token_file ?? undefined),
  ...Object.entries(scene.config.pools).flatMap(([name, { health, discovery }]) => [
    ...FILE_KEYS.flatMap((key) => fileAt(scene, ['pools', name, 'health', key], health[key])),
    ...discovery.flatMap((source, index) =>
      SOURCE_FILES.flatMap((key) =>
        fileAt(scene, ['pools', name, 'discovery', index, key], source[key]),
      ),
    ),
  ]),
];

function fileAt(scene: CheckScene, path: Path, file: string | undefined): readonly Finding[] {
  const state = file === undefined ? 'readable' : scene.fileState(file);
  if (state === 'readable' || state === 'exposed') return [];
  const problem = `${file} cannot be read`;
  const expected = 'a file that the user of the daemon can read';
  return [{ ...FILE_PROBLEMS[state], path, problem, expected }];
}

/** A user who can read the token can change everything. */
export const warnOfToken: Check = (scene) => {
  const file = scene.config.admin.token_file ?? undefined;
  if (file === undefined || scene.fileState(file) !== 'exposed') return [];
  const problem = `every user of this machine can read ${file}`;
  const expected = 'a file for the user of the daemon alone (chmod 600), or for its group (640)';
  const path = ['admin', 'token_file'];
  return [{ code: 'exposed-file', path, problem, expected }];
};

export const warnOfPools: Check = (scene) => {
  const used = new Set(Object.values(scene.config.listeners).flatMap(leadsTo));
  return Object.entries(scene.config.pools).flatMap(([name, pool]) => {
    const path = ['pools', name];
    return [
      ...(used.has(name) ? usedPool(path, pool) : unusedPool(path)),
      ...sameAddresses(path, pool),
      ...unusedHash(scene, path, pool),
    ];
  });
};

function unusedHash(
  scene: CheckScene,
  path: Path,
  { policy, hash }: PoolValue,
): readonly Finding[] {
  const keys = policy === 'source-hash' ? [] : Object.keys(hash);
  return keys
    .map((key) => [...path, 'hash', key])
    .filter((at) => scene.given(at))
    .slice(0, 1)
    .map((at) => ({
      code: 'unused',
      path: at,
      problem: `policy "${policy}" does not hash, so nothing here is used`,
      expected: 'policy = "source-hash", or no such table',
    }));
}

function unusedPool(path: Path): readonly Finding[] {
  const problem = 'no listener leads to this pool';
  return [{ code: 'unused', path, problem, expected: 'a listener or a route with it as its pool' }];
}

function usedPool(path: Path, pool: PoolValue): readonly Finding[] {
  const backends = [...path, 'backends'];
  const findings: Finding[] = [];
  if (pool.discovery.length > 0) return [];
  if (pool.backends.length === 0) {
    const problem = 'no backends, so every session is refused';
    const expected = 'a table [[pools.NAME.backends]]';
    findings.push({ code: 'unlikely', path: backends, problem, expected });
  } else if (pool.backups === 'all' && pool.backends.every(({ backup }) => backup)) {
    const problem = 'every backend is a backup, so all serve at once';
    const expected = 'one without backup = true';
    findings.push({ code: 'unlikely', path: backends, problem, expected });
  }
  return findings;
}

/** One address under two names would get two shares and count as two against its cap. */
function sameAddresses(path: Path, pool: PoolValue): readonly Finding[] {
  const first = new Map<string, number>();
  return pool.backends.flatMap(({ address }, index): readonly Finding[] => {
    if (address === undefined) return [];
    const key = formatAddress(address);
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, index);
      return [];
    }
    const at = [...path, 'backends', index, 'address'];
    const problem = `backends[${earlier}] has the same address`;
    return [
      {
        code: 'unlikely',
        path: at,
        problem,
        expected: 'each address once; weight = 2 for a double share',
      },
    ];
  });
}

/** Keys about which clients may come, and how fast, that say nothing or repeat others. */
export const warnOfClients: Check = (scene) =>
  Object.entries(scene.config.listeners).flatMap(([name, { access, limits }]) => {
    const path = ['listeners', name];
    const burst = [...path, 'limits', 'burst'];
    const isIdle = limits.burst > 0 && limits.new_per_client === null && scene.given(burst);
    const problem = 'without new_per_client there is nothing to begin at once';
    const expected = 'new_per_client, or no such key';
    return [
      ...(isIdle ? [{ code: 'unused' as const, path: burst, problem, expected }] : []),
      ...allowedAndDenied([...path, 'access', 'allow'], access),
    ];
  });

function allowedAndDenied(path: Path, { allow, deny }: AccessValue): readonly Finding[] {
  const denied = new Set(deny.map(blockText));
  const both = allow.map(blockText).find((block) => denied.has(block));
  if (both === undefined) return [];
  const problem = `${both} is in deny too, which decides`;
  const expected = 'a block in one of the two lists';
  return [{ code: 'unlikely', path, problem, expected, got: 'it in both' }];
}

/** TCP probes of a service that takes datagrams only would take it out at once. */
export const warnOfUdpProbes: Check = (scene) => {
  const warned = new Set<string>();
  return Object.entries(scene.config.listeners).flatMap(([name, listener]): readonly Finding[] => {
    const { protocol, pool } = listener;
    if (protocol !== 'udp' || pool === undefined || warned.has(pool)) return [];
    const path = ['pools', pool, 'health', 'probe'];
    const probe = scene.config.pools[pool]?.health.probe;
    if (probe !== 'tcp' || scene.given(path)) return [];
    warned.add(pool);
    const problem = `the default probe connects by TCP, and listener ${name} is for UDP`;
    const expected = '"dns", "udp" or "none"; or "tcp", written down, if the backends answer it';
    return [{ code: 'unlikely', path, problem, expected }];
  });
};
