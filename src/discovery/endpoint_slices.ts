/**
 * EndpointSlices as members (Kubernetes' documentation, "EndpointSlices" and "EndpointSlice v1"):
 * several make up a service, of both families. Pure.
 */
import { readAddress } from '../core/address_text.js';
import { type Address, formatAddress } from '../core/endpoint.js';
import { BACKEND_NAME_PATTERN } from '../core/identity.js';
import { isRecord } from '../core/unknown.js';
import { inBrackets, shown } from './answers.js';
import { type Member, plainMember } from './source.js';

export interface Slice {
  readonly name: string;
  readonly family: string;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly Endpoint[];
}

interface SlicePort {
  readonly name: string;
  /** null: all ports, which are none to connect to. */
  readonly port: number | null;
}

interface Endpoint {
  readonly host: string;
  readonly pod: string | null;
  readonly state: 'serve' | 'drain' | 'away';
  /** Where it is, and for clients of which zones it is meant. */
  readonly zones: readonly string[];
}

/** null: no slice. */
export function readSlice(object: unknown): Slice | null {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  if (!isRecord(object) || !isRecord(metadata)) return null;
  const { name } = metadata;
  const family = object['addressType'];
  // The API leaves lists out that are empty, or says null.
  const ports = object['ports'] ?? [];
  const endpoints = object['endpoints'] ?? [];
  if (typeof name !== 'string' || typeof family !== 'string') return null;
  if (!Array.isArray(ports) || !Array.isArray(endpoints)) return null;
  const read = endpoints.map(readEndpoint);
  if (read.includes(null)) return null;
  return {
    name,
    family,
    ports: ports.flatMap((port) => readPort(port)),
    endpoints: read.flatMap((one) => (one === null ? [] : [one])),
  };
}

function readPort(port: unknown): readonly SlicePort[] {
  if (!isRecord(port)) return [];
  const { name, port: number } = port;
  return [
    {
      name: typeof name === 'string' ? name : '',
      port: typeof number === 'number' ? number : null,
    },
  ];
}

function readEndpoint(endpoint: unknown): Endpoint | null {
  if (!isRecord(endpoint) || !Array.isArray(endpoint['addresses'])) return null;
  // All addresses of one endpoint are alike: clients may use the first one only.
  const host: unknown = endpoint['addresses'][0];
  if (typeof host !== 'string') return null;
  const conditions = isRecord(endpoint['conditions']) ? endpoint['conditions'] : {};
  const target = isRecord(endpoint['targetRef']) ? endpoint['targetRef'] : {};
  const pod = target['name'];
  return {
    host,
    pod: typeof pod === 'string' && BACKEND_NAME_PATTERN.test(pod) ? pod : null,
    state: stateOf(conditions),
    zones: zonesOf(endpoint),
  };
}

/**
 * Unknown is ready, and is not terminating. Of a service that publishes addresses which are not
 * ready, a terminating endpoint is ready too: so terminating is looked at first.
 */
function stateOf({ ready, terminating, serving }: Conditions): Endpoint['state'] {
  if (terminating === true) return serving === false ? 'away' : 'drain';
  return ready === false ? 'away' : 'serve';
}

interface Conditions {
  readonly ready?: unknown;
  readonly serving?: unknown;
  readonly terminating?: unknown;
}

/** Hints say for which zones an endpoint is meant; without them it is meant for its own. */
function zonesOf(endpoint: Readonly<Record<string, unknown>>): readonly string[] {
  const hints = isRecord(endpoint['hints']) ? endpoint['hints']['forZones'] : undefined;
  if (Array.isArray(hints) && hints.length > 0) {
    return hints.flatMap((hint) =>
      isRecord(hint) && typeof hint['name'] === 'string' ? [hint['name']] : [],
    );
  }
  return typeof endpoint['zone'] === 'string' ? [endpoint['zone']] : [];
}

export interface WantedEndpoints {
  readonly port: string | number | null;
  readonly zone: string | null;
}

export interface Merged {
  readonly members: readonly Member[];
  readonly leftOut: readonly string[];
}

/** While endpoints move from one slice to another they stand in both: the better state counts. */
export function mergeSlices(slices: Iterable<Slice>, { port, zone }: WantedEndpoints): Merged {
  const members = new Map<string, Member>();
  const leftOut: string[] = [];
  const inOrder = [...slices].sort((a, b) => (a.family + a.name < b.family + b.name ? -1 : 1));
  for (const slice of inOrder) {
    const at = portOf(slice, port);
    if (typeof at === 'string') {
      if (slice.endpoints.length > 0) leftOut.push(`${shown(slice.name)} ${at}`);
      continue;
    }
    for (const endpoint of slice.endpoints) {
      if (endpoint.state === 'away') continue;
      const address = readAddress(`${inBrackets(endpoint.host)}:${at}`);
      if (!address.ok) {
        leftOut.push(`${shown(endpoint.host)}: ${address.error.problem}`);
        continue;
      }
      const key = formatAddress(address.value);
      if (endpoint.state === 'drain' && members.has(key)) continue;
      members.set(key, memberOf(endpoint, address.value, zone));
    }
  }
  return { members: [...members.values()], leftOut };
}

/** Or why there is none. */
function portOf({ ports }: Slice, wanted: string | number | null): number | string {
  const fitting = ports.filter(({ name, port }) => {
    if (wanted === null) return true;
    return typeof wanted === 'number' ? port === wanted : name === wanted;
  });
  const [first] = fitting;
  if (first === undefined) return wanted === null ? 'has no port' : `has no port ${wanted}`;
  if (fitting.length > 1 && wanted === null) return 'has several ports, and none was asked for';
  return first.port ?? 'has a port without a number';
}

function memberOf({ pod, state, zones }: Endpoint, address: Address, zone: string | null): Member {
  return {
    ...plainMember(address),
    name: pod,
    wanted: state === 'drain' ? 'drain' : 'serve',
    backup: zone !== null && !zones.includes(zone),
  };
}
