/**
 * consul: the instances of a service whose checks all pass (`GET /v1/health/service`, Consul's API
 * documentation, "Health HTTP Endpoint"). Later questions wait at the agent until something has
 * changed ("Blocking Queries"): the index of an answer may fall, and then waiting begins anew.
 */
import { readAddress } from '../../core/address_text.js';
import type { ConsulSourceSpec } from '../../core/discovery_spec.js';
import { BACKEND_NAME_PATTERN } from '../../core/identity.js';
import { isRecord } from '../../core/unknown.js';
import { inBrackets, shown } from '../answers.js';
import { askHttp, type HttpAnswer } from '../http_client.js';
import { HTTP_LIMIT_MS } from '../limits.js';
import { readSecrets } from '../secret_files.js';
import {
  type GiveUp,
  type Member,
  membersFound,
  plainMember,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  sourceFailed,
} from '../source.js';

/** How long the agent may keep a question; it adds up to a sixteenth. */
const WAIT_S = 30;
const WAIT_LIMIT_MS = (WAIT_S + WAIT_S / 16) * 1_000 + HTTP_LIMIT_MS;
/** Where answers have no index, there is nothing to wait for. */
const INTERVAL_MS = 5_000;
const MAX_WEIGHT = 1_000;

export function consulSource(spec: ConsulSourceSpec, deps: SecretDeps): Source {
  const { timers } = deps;
  /** 0: the next question is answered at once. */
  let index = 0;
  const { host } = new URL(spec.url);

  const read = (answer: HttpAnswer): SourceAnswer => {
    if (answer.status !== 200) {
      return sourceFailed(
        'refused',
        `${host} answers ${answer.status}: ${shown(answer.body.trim())}`,
      );
    }
    // Without the right to read an instance Consul leaves it out, and says so since 1.11 only.
    if (answer.headers['x-consul-results-filtered-by-acls'] === 'true') {
      return sourceFailed('refused', `${host} leaves out what its token may not read`);
    }
    const list = readInstances(answer.body);
    if (typeof list === 'string') return sourceFailed('malformed', `${host} ${list}`);
    const told = Number(answer.headers['x-consul-index']);
    // A server was restored or replaced: to wait for the old index would be to miss changes.
    index = Number.isSafeInteger(told) && told > 0 && told >= index ? told : 0;
    const againMs = told > 0 ? 0 : INTERVAL_MS;
    return membersFound(list.members, againMs, list.leftOut);
  };

  const ask = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    const secrets = await readSecrets(spec, deps, giveUp);
    if (secrets.kind === 'failed') return secrets;
    const { ca, token } = secrets;
    const answer = await askHttp(
      {
        url: urlOf(spec, index),
        ca,
        secretHeaders: token === null ? {} : { 'x-consul-token': token },
        limitMs: index === 0 ? HTTP_LIMIT_MS : WAIT_LIMIT_MS,
      },
      timers,
      giveUp,
    );
    const said = answer.kind === 'failed' ? answer : read(answer);
    // A server that comes back may count from the beginning.
    if (said.kind === 'failed') index = 0;
    return said;
  };

  return { ask };
}

function urlOf({ url, service, tag, consistency }: ConsulSourceSpec, index: number): string {
  const [base = '', query = ''] = url.split('?');
  const asked = new URLSearchParams(query);
  asked.set('passing', '1');
  if (tag !== null) asked.set('tag', tag);
  if (consistency === 'stale') asked.set('stale', '');
  if (index > 0) {
    asked.set('index', String(index));
    asked.set('wait', `${WAIT_S}s`);
  }
  return `${base.replace(/\/$/, '')}/v1/health/service/${encodeURIComponent(service)}?${asked}`;
}

interface Instances {
  readonly members: readonly Member[];
  readonly leftOut: readonly string[];
}

/** Or what is wrong, a clause. */
function readInstances(text: string): Instances | string {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return 'answers what is no JSON';
  }
  if (!Array.isArray(list)) return 'names no instances';
  const members: Member[] = [];
  const leftOut: string[] = [];
  for (const entry of list) {
    const member = readInstance(entry);
    if (member === null) return 'names an instance without Service';
    if (typeof member === 'string') leftOut.push(member);
    else members.push(member);
  }
  return { members: scaled(members), leftOut };
}

/** A text says why it cannot be used; null: it is none. */
function readInstance(entry: unknown): Member | string | null {
  const service = isRecord(entry) ? entry['Service'] : undefined;
  const node = isRecord(entry) ? entry['Node'] : undefined;
  if (!isRecord(service)) return null;
  const { ID: id, Address: own, Port: port, Weights: weights } = service;
  const called = typeof id === 'string' ? shown(id) : 'an instance without ID';
  // An instance without an address of its own has that of its node.
  const isOwn = typeof own === 'string' && own !== '';
  const host = isOwn ? own : isRecord(node) ? node['Address'] : undefined;
  if (typeof host !== 'string' || typeof port !== 'number') return `${called} has no address`;
  const address = readAddress(`${inBrackets(host)}:${port}`);
  if (!address.ok) return `${called}: ${address.error.problem}`;
  const weight = isRecord(weights) ? Number(weights['Passing'] ?? 1) : 1;
  return {
    ...plainMember(address.value),
    name: typeof id === 'string' && BACKEND_NAME_PATTERN.test(id) ? id : null,
    weight: Number.isFinite(weight) ? Math.max(0, weight) : 1,
  };
}

/** Consul's weights go up to 65,535: where one is above 1000 all shrink together. */
function scaled(members: readonly Member[]): readonly Member[] {
  const largest = Math.max(0, ...members.map(({ weight }) => weight));
  const scale = largest > MAX_WEIGHT ? MAX_WEIGHT / largest : 1;
  return members.map((member) => {
    const weight = Math.round(member.weight * scale);
    return { ...member, weight: member.weight === 0 ? 0 : Math.max(1, weight) };
  });
}
