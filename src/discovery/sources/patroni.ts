/**
 * patroni: `GET /cluster` of any member names all of them, with role, state, timeline and lag
 * (Patroni's documentation, rest_api.rst). Several are asked, and one that was cut off from the
 * others may answer what was true an hour ago: the newest timeline of a leader is believed.
 */
import { readAddress } from '../../core/address_text.js';
import type { PatroniSourceSpec } from '../../core/discovery_spec.js';
import { BACKEND_NAME_PATTERN } from '../../core/identity.js';
import { isRecord } from '../../core/unknown.js';
import { inBrackets, shown } from '../answers.js';
import { askHttp } from '../http_client.js';
import { byRole, type RoledMember } from '../roles.js';
import { readSecrets } from '../secret_files.js';
import {
  type GiveUp,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  type SourceFailed,
  sourceFailed,
} from '../source.js';

/** Writes follow a new leader within a second or two: it is asked so often. */
const INTERVAL_MS = 1_000;

interface Cluster {
  readonly kind: 'cluster';
  readonly members: readonly RoledMember[];
  /** Of the leader; 0: there is none. */
  readonly timeline: number;
  readonly leftOut: readonly string[];
}

export function patroniSource(spec: PatroniSourceSpec, deps: SecretDeps): Source {
  const { timers } = deps;
  const ask = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    const secrets = await readSecrets({ tokenFile: null, caFile: spec.caFile }, deps, giveUp);
    if (secrets.kind === 'failed') return secrets;
    const asked = await Promise.all(
      spec.urls.map(async (url): Promise<Cluster | SourceFailed> => {
        const question = { url: clusterUrl(url), ca: secrets.ca, limitMs: MEMBER_LIMIT_MS };
        const answer = await askHttp(question, timers, giveUp);
        if (answer.kind === 'failed') return answer;
        const { host } = new URL(url);
        if (answer.status !== 200)
          return sourceFailed('refused', `${host} answers ${answer.status}`);
        return readCluster(answer.body, spec, host);
      }),
    );
    const clusters = asked.flatMap((one) => (one.kind === 'cluster' ? [one] : []));
    const newest = clusters.toSorted((a, b) => b.timeline - a.timeline)[0];
    if (newest !== undefined) {
      return byRole(newest.members, spec.role, INTERVAL_MS, newest.leftOut);
    }
    return (
      asked.find((one) => one.kind === 'failed') ?? sourceFailed('refused', 'no server was asked')
    );
  };
  return { ask };
}

/** A member that was lost must not hold up the answers of the others for long. */
const MEMBER_LIMIT_MS = 2_000;

function clusterUrl(url: string): string {
  return `${url.replace(/\/$/, '')}/cluster`;
}

function readCluster(text: string, spec: PatroniSourceSpec, host: string): Cluster | SourceFailed {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return sourceFailed('malformed', `${host} answers what is no JSON`);
  }
  const listed = isRecord(body) ? body['members'] : undefined;
  if (!Array.isArray(listed)) return sourceFailed('malformed', `${host} names no members`);
  const members: RoledMember[] = [];
  const leftOut: string[] = [];
  let timeline = 0;
  for (const one of listed) {
    const member = readMember(one, spec);
    if (typeof member === 'string') leftOut.push(member);
    else if (member !== null) {
      members.push(member);
      const isLeader = member.role === 'primary' && isRecord(one);
      if (isLeader) timeline = Number(one['timeline'] ?? 1) || 1;
    }
  }
  return { kind: 'cluster', members, timeline, leftOut };
}

/** `running`: of a leader, and of replicas before Patroni 3.0, which say `streaming` since. */
const AT_WORK = new Set(['running', 'streaming', 'in archive recovery']);
const REPLICAS = new Set(['replica', 'sync_standby', 'quorum_standby']);

/** null: not for clients (a standby leader takes no writes and is the source of a cluster). */
function readMember(one: unknown, spec: PatroniSourceSpec): RoledMember | string | null {
  if (!isRecord(one)) return 'a member that is no object';
  const { name, role, state, host, port, lag, tags } = one;
  const called = typeof name === 'string' ? shown(name) : 'a member without a name';
  if (typeof host !== 'string' || typeof port !== 'number') return `${called} has no address`;
  const address = readAddress(`${inBrackets(host)}:${port}`);
  if (!address.ok) return `${called}: ${address.error.problem}`;
  const isLeader = role === 'leader' || role === 'master';
  if (!isLeader && !REPLICAS.has(String(role))) return null;
  const isSpared = isRecord(tags) && tags['noloadbalance'] === true;
  const isBehind = spec.maxLagBytes > 0 && !(Number(lag) <= spec.maxLagBytes);
  const isHere = AT_WORK.has(String(state)) && (isLeader || (!isSpared && !isBehind));
  return {
    name: typeof name === 'string' && BACKEND_NAME_PATTERN.test(name) ? name : null,
    address: address.value,
    role: isLeader ? 'primary' : 'replica',
    presence: isHere ? 'here' : 'away',
  };
}
