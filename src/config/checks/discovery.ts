/** Each kind of source takes its own keys, and some keys need others. */
import { sourceName } from '../../core/discovery_spec.js';
import type { Path } from '../path.js';
import { type DiscoveryValue, discoverySpec } from '../schema/discovery.js';
import {
  SOURCE_KEYS,
  SOURCE_KINDS,
  SOURCE_USES,
  type SourceKey,
  sourcesWith,
} from '../schema/discovery_keys.js';
import { wordList } from '../schema/kinds.js';
import type { Check, CheckScene, Finding } from './check.js';

const KEYS = Object.keys(SOURCE_KEYS) as SourceKey[];

export const checkDiscovery: Check = (scene) =>
  Object.entries(scene.config.pools).flatMap(([name, pool]) =>
    pool.discovery.flatMap((source, index) => {
      const path = ['pools', name, 'discovery', index];
      const own = [...kindOf(scene, path, source), ...bounds(path, source)];
      return own.length > 0 ? own : twice(path, pool.discovery, index);
    }),
  );

/** Two of one name would count, and be reported, as one. */
function twice(path: Path, all: readonly DiscoveryValue[], index: number): readonly Finding[] {
  const nameAt = (place: number): string | null => {
    const value = all[place];
    const isWhole = value?.kind !== undefined && SOURCE_USES[value.kind].needs.every(has(value));
    return isWhole ? sourceName(discoverySpec(value, 0).source) : null;
  };
  const name = nameAt(index);
  const first = all.findIndex((_, place) => name !== null && nameAt(place) === name);
  if (first === -1 || first === index) return [];
  const problem = `discovery[${first}] is the same source`;
  const expected = 'each source once in a pool';
  return [{ code: 'duplicate', path, problem, expected, got: name ?? '' }];
}

function has(value: DiscoveryValue): (key: SourceKey) => boolean {
  return (key) => {
    const given = value[key];
    return given !== undefined && !(Array.isArray(given) && given.length === 0);
  };
}

function kindOf(scene: CheckScene, path: Path, source: DiscoveryValue): readonly Finding[] {
  const at = [...path, 'kind'];
  if (source.kind === undefined) {
    const expected = wordList(SOURCE_KINDS.map((kind) => `"${kind}"`));
    return [{ code: 'missing', path: at, problem: 'missing', expected }];
  }
  const { takes, needs } = SOURCE_USES[source.kind];
  const kind = `kind = "${source.kind}"`;
  const foreign = KEYS.filter((key) => scene.given([...path, key]) && !takes.includes(key));
  const absent = needs.filter((key) => !has(source)(key));
  const findings: Finding[] = [
    ...foreign.map((key) => {
      const takers = sourcesWith(key).map((taker) => `"${taker}"`);
      const problem = `not a key of ${kind}`;
      const expected = `it with ${wordList(takers)} only`;
      return { code: 'misplaced' as const, path: [...path, key], problem, expected };
    }),
    ...absent.map((key) => {
      const problem = `missing, and ${kind} needs it`;
      const { expected } = SOURCE_KEYS[key];
      return { code: 'missing' as const, path: [...path, key], problem, expected };
    }),
    ...(source.kind === 'dns' ? port(scene, path, source) : []),
    ...(source.kind === 'etcd' ? login(scene, path) : []),
    ...serviceOf(path, source),
  ];
  return findings.map((finding) => ({ ...finding, rests: [...(finding.rests ?? []), at] }));
}

function port(scene: CheckScene, path: Path, { srv, port }: DiscoveryValue): readonly Finding[] {
  const at = [...path, 'port'];
  const rests = [[...path, 'srv']];
  if (srv && scene.given(at)) {
    const problem = 'stands beside srv = true, and SRV records name their own';
    return [{ code: 'conflict', path: at, problem, expected: 'one of the two', rests }];
  }
  if (typeof port === 'string') {
    const problem = 'a name, and addresses have none';
    return [{ code: 'malformed', path: at, problem, expected: 'a number', got: port, rests }];
  }
  if (srv || port !== undefined) return [];
  const problem = 'missing, and addresses need it';
  return [{ code: 'missing', path: at, problem, expected: 'a port, or srv = true', rests }];
}

/** One without the other would be no login. */
function login(scene: CheckScene, path: Path): readonly Finding[] {
  const [user, password] = [
    [...path, 'user'],
    [...path, 'password_file'],
  ];
  if (scene.given(user) === scene.given(password)) return [];
  const [given, absent] = scene.given(user) ? [user, password] : [password, user];
  const problem = `missing, and ${given.at(-1)} needs it`;
  return [{ code: 'missing', path: absent, problem, expected: 'both or none', rests: [given] }];
}

function serviceOf(path: Path, { kind, service }: DiscoveryValue): readonly Finding[] {
  if (service === undefined || (kind !== 'consul' && kind !== 'kubernetes')) return [];
  if (service.includes('/') === (kind === 'kubernetes')) return [];
  const [problem, expected] =
    kind === 'kubernetes'
      ? ['names no namespace', '"namespace/name"']
      : ['names a namespace, and Consul has none here', 'the name alone'];
  return [{ code: 'malformed', path: [...path, 'service'], problem, expected, got: service }];
}

function bounds(path: Path, source: DiscoveryValue): readonly Finding[] {
  if (source.min_refresh <= source.max_refresh) return [];
  const at = [...path, 'min_refresh'];
  const problem = 'longer than max_refresh';
  const rests = [[...path, 'max_refresh']];
  return [{ code: 'conflict', path: at, problem, expected: 'the same or shorter', rests }];
}
