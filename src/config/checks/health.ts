/** Each kind of probe takes its own keys, and some keys need others. */
import type { Path } from '../path.js';
import type { HealthValue } from '../schema/health.js';
import { wordList } from '../schema/kinds.js';
import type { PoolValue } from '../schema/pool.js';
import { PROBE_KEYS, PROBE_USES, type ProbeKey, takersOf } from '../schema/probe_keys.js';
import type { Check, CheckScene, Finding } from './check.js';

const KEYS = Object.keys(PROBE_KEYS) as ProbeKey[];

export const checkHealth: Check = (scene) =>
  Object.entries(scene.config.pools).flatMap(([name, pool]) => {
    const path = ['pools', name, 'health'];
    const ofKind = [
      ...foreignKeys(scene, path, pool.health),
      ...neededKeys(path, pool.health),
      ...conversation(scene, path, pool.health),
      ...login(scene, path, pool.health),
      ...tlsOptions(scene, path, pool.health),
      ...sockets(['pools', name], pool),
    ].map((finding) => ({ ...finding, rests: [...(finding.rests ?? []), [...path, 'probe']] }));
    return [...ofKind, ...timing(path, pool.health)];
  });

/** A key that belongs to other kinds of probe only. */
function foreignKeys(scene: CheckScene, path: Path, health: HealthValue): readonly Finding[] {
  const { takes } = PROBE_USES[health.probe];
  const foreign = KEYS.filter((key) => scene.given([...path, key]) && !takes.includes(key));
  return foreign.map((key) => {
    const takers = takersOf(key).map((kind) => `"${kind}"`);
    return {
      code: 'misplaced',
      path: [...path, key],
      problem: `not a key of probe = "${health.probe}"`,
      expected: `it with ${wordList(takers)} only`,
    };
  });
}

function neededKeys(path: Path, health: HealthValue): readonly Finding[] {
  const { needs } = PROBE_USES[health.probe];
  const absent = needs.filter((key) => health[key] === undefined);
  return absent.map((key) => ({
    code: 'missing',
    path: [...path, key],
    problem: `missing, and probe = "${health.probe}" needs it`,
    expected: PROBE_KEYS[key].kind === 'leaf' ? PROBE_KEYS[key].expected : 'a list of tables',
  }));
}

function conversation(scene: CheckScene, path: Path, health: HealthValue): readonly Finding[] {
  if (health.probe !== 'send-expect') return [];
  const pair = [
    [...path, 'send'],
    [...path, 'expect'],
  ];
  const steps = [...path, 'steps'];
  const hasPair = pair.some(scene.given);
  if (hasPair && health.steps.length > 0) {
    const problem = 'stands beside send or expect';
    return [{ code: 'conflict', path: steps, problem, expected: 'one of the two forms' }];
  }
  if (!hasPair && health.steps.length === 0) {
    const problem = 'nothing to send and nothing to expect';
    const expected = 'send, expect or steps; or probe = "tcp"';
    return [
      { code: 'missing', path: [...path, 'probe'], problem, expected, rests: [...pair, steps] },
    ];
  }
  return health.steps.flatMap((step, index) => {
    if (step.send !== undefined || step.expect !== undefined) return [];
    const at = [...steps, index];
    const rests = [
      [...at, 'send'],
      [...at, 'expect'],
    ];
    return [
      { code: 'missing', path: at, problem: 'an empty step', expected: 'send or expect', rests },
    ];
  });
}

function login(scene: CheckScene, path: Path, health: HealthValue): readonly Finding[] {
  const findings: Finding[] = [];
  if (health.password_file !== undefined && health.password_env !== undefined) {
    const problem = 'stands beside password_file';
    const at = [...path, 'password_env'];
    findings.push({ code: 'conflict', path: at, problem, expected: 'one of the two' });
  }
  if (health.probe !== 'postgres') return findings;
  const wants = [
    ...(health.role === 'any' ? [] : ['role']),
    ...(health.max_lag === 0 ? [] : ['max_lag']),
    ...['database', 'password_file', 'password_env'].filter((key) => scene.given([...path, key])),
  ];
  if (!scene.given([...path, 'user']) && wants.length > 0) {
    const problem = `missing, and only a login makes sense of ${wants.join(', ')}`;
    findings.push({ code: 'missing', path: [...path, 'user'], problem, expected: 'a user' });
  }
  if (health.role === 'primary' && health.max_lag > 0) {
    const problem = 'a primary does not lag';
    const expected = 'role = "replica" or "any"';
    findings.push({ code: 'conflict', path: [...path, 'max_lag'], problem, expected });
  }
  return findings;
}

/** Options of TLS while TLS is off would be a false sense of safety. */
function tlsOptions(scene: CheckScene, path: Path, health: HealthValue): readonly Finding[] {
  const { takes } = PROBE_USES[health.probe];
  if (!takes.includes('tls') || health.tls) return [];
  const options = ['tls_server_name', 'tls_verify', 'tls_ca_file'] as const;
  return options
    .filter((key) => scene.given([...path, key]))
    .map((key) => ({
      code: 'misplaced',
      path: [...path, key],
      problem: 'no meaning while tls is false',
      expected: 'tls = true, or no such key',
      rests: [[...path, 'tls']],
    }));
}

function sockets(pool: Path, { health, backends }: PoolValue): readonly Finding[] {
  const hasUnix = backends.some(({ address }) => address?.kind === 'unix');
  if (!hasUnix) return [];
  const rests = [[...pool, 'backends']];
  if (health.port !== undefined) {
    const path = [...pool, 'health', 'port'];
    const problem = 'a backend of this pool is a UNIX socket, which has no port';
    return [{ code: 'conflict', path, problem, expected: 'no such key', rests }];
  }
  if (health.probe !== 'dns' && health.probe !== 'udp') return [];
  const path = [...pool, 'health', 'probe'];
  const problem = 'a backend of this pool is a UNIX socket, which takes no datagrams';
  return [{ code: 'conflict', path, problem, expected: 'a probe over TCP', rests }];
}

function timing(path: Path, health: HealthValue): readonly Finding[] {
  if (health.fast_interval === undefined || health.fast_interval <= health.interval) return [];
  const at = [...path, 'fast_interval'];
  const problem = 'longer than interval';
  const rests = [[...path, 'interval']];
  return [{ code: 'conflict', path: at, problem, expected: 'the same or shorter', rests }];
}
