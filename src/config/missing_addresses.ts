/**
 * Addresses that a file binds, or dials from, and this machine does not have. A warning, and no
 * problem: a file is good wherever it is checked, and only a start on a machine without the address
 * is refused.
 */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Endpoint, isWildcard, systemEndpoint } from '../core/endpoint.js';
import type { Spec } from '../core/spec.js';
import type { Issue } from './issue.js';
import { formatPath, type Path } from './path.js';
import { indexPositions } from './positions.js';

interface Place {
  readonly key: Path;
  readonly host: string;
  readonly expected: string;
}

const TO_BIND = 'an address of this machine, or bind_missing = true where it comes later';

const TO_DIAL_FROM =
  'an address of this machine: until it is here, the others are dialled from, and where none is, clients are refused';

/** A warning for each of them, in the order of the file. */
export async function findMissingAddresses(
  text: string,
  file: string,
  spec: Spec,
): Promise<readonly Issue[]> {
  const all = places(spec);
  const missing = await missingHosts(all.map(({ host }) => host));
  const found = all.filter(({ host }) => missing.has(host));
  if (found.length === 0) return [];
  const positions = indexPositions(text);
  return found.map(({ key, host, expected }) => ({
    code: 'no-such-address',
    file,
    ...positions.near(key),
    key: formatPath(key),
    problem: `this machine does not have ${host}`,
    expected,
    got: JSON.stringify(host),
  }));
}

/** Those of `hosts`, IP addresses, that this machine does not have. */
export async function missingHosts(hosts: Iterable<string>): Promise<ReadonlySet<string>> {
  const known = listed();
  const missing = new Set<string>();
  for (const host of new Set(hosts)) {
    if (!known.has(host) && (await tried(host)) === 'missing') missing.add(host);
  }
  return missing;
}

function places({ listeners, pools }: Spec): readonly Place[] {
  const sources = pools.flatMap(({ name, settings }) =>
    settings.sources.map(({ host }, index) => {
      const key: Path = ['pools', name, 'source', index];
      return { key, host, expected: TO_DIAL_FROM };
    }),
  );
  return [...bound(listeners), ...sources];
}

function bound(listeners: Spec['listeners']): readonly Place[] {
  return listeners.flatMap(({ name, bind, missingAddress }) =>
    missingAddress === 'bind'
      ? []
      : bind.flatMap((endpoint, index) => {
          const host = hostOf(endpoint);
          const key: Path = ['listeners', name, 'bind', index];
          return host === null ? [] : [{ key, host, expected: TO_BIND }];
        }),
  );
}

function hostOf(endpoint: Endpoint): string | null {
  return endpoint.kind === 'ip' && !isWildcard(endpoint) ? endpoint.host : null;
}

/** Of interfaces; none where the kernel does not list them, for want of descriptors. */
function listed(): ReadonlySet<string> {
  try {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    return new Set(all.flatMap(({ address }) => systemEndpoint(address, 0)?.host ?? []));
  } catch {
    return new Set();
  }
}

/**
 * By bind(2), since a machine has addresses that stand at no interface: those of 127.0.0.0/8, and
 * those that a route makes local. Whatever else keeps a socket from being bound says nothing of it.
 */
function tried(host: string): Promise<'here' | 'missing'> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code === 'EADDRNOTAVAIL' ? 'missing' : 'here');
    });
    socket.bind({ address: host, port: 0, exclusive: true }, () => {
      socket.close();
      resolve('here');
    });
  });
}
