/**
 * etcd: every key below a prefix is a member, read through the JSON gateway of the v3 API (etcd's
 * documentation, "Why gRPC gateway"). A watch only says that it is time to read all of them again:
 * so a compaction, a restart and a cluster restored from a backup need nothing of their own.
 */
import { readAddress } from '../../core/address_text.js';
import type { EtcdSourceSpec } from '../../core/discovery_spec.js';
import { BACKEND_NAME_PATTERN } from '../../core/identity.js';
import { isRecord } from '../../core/unknown.js';
import { shown } from '../answers.js';
import { askHttp, type HttpQuestion } from '../http_client.js';
import { followStream } from '../http_stream.js';
import { Misses, whyMissed } from '../misses.js';
import { readSecrets } from '../secret_files.js';
import {
  type GiveUp,
  type Member,
  membersFound,
  plainMember,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  type SourceFailed,
  sourceFailed,
} from '../source.js';

/** A watch is opened anew so often, and all keys are read: a silent one costs no more than that. */
const WATCH_MS = 30_000;
/** Where watches end by themselves, keys are read so often, and less and less often; doubled. */
const FIRST_WAIT_MS = 2_000;
/** One that was lost must not hold up the answers of the others for long. */
const MEMBER_LIMIT_MS = 5_000;

interface Login {
  readonly ca: string | null;
  readonly password: string | null;
}

export function etcdSource(spec: EtcdSourceSpec, deps: SecretDeps): Source {
  return new EtcdSource(spec, deps);
}

class EtcdSource implements Source {
  readonly #spec: EtcdSourceSpec;
  readonly #deps: SecretDeps;
  readonly #range: ReturnType<typeof rangeOf>;
  /** After which revision a watch begins; null: the keys are read first. */
  #revision: string | null = null;
  /** Of `urls`: the one that answered last. */
  #turn = 0;
  /**
   * etcd gives one for a password, and forgets it when it restarts or it was not used for a while.
   */
  #token: string | null = null;
  readonly #misses: Misses;

  constructor(spec: EtcdSourceSpec, deps: SecretDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#range = rangeOf(spec.prefix);
    this.#misses = new Misses(deps.random, FIRST_WAIT_MS);
  }

  get #host(): string {
    return new URL(this.#spec.urls[this.#turn] ?? '').host;
  }

  #questionOf(path: string, body: unknown, { ca }: Login): HttpQuestion {
    return {
      url: `${(this.#spec.urls[this.#turn] ?? '').replace(/\/$/, '')}${path}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      secretHeaders: this.#token === null ? {} : { authorization: this.#token },
      body: JSON.stringify(body),
      ca,
      limitMs: MEMBER_LIMIT_MS,
    };
  }

  async #logIn(login: Login, giveUp: GiveUp): Promise<SourceFailed | null> {
    if (login.password === null || this.#token !== null) return null;
    const body = { name: this.#spec.user, password: login.password };
    const answer = await askHttp(
      this.#questionOf('/v3/auth/authenticate', body, login),
      this.#deps.timers,
      giveUp,
    );
    if (answer.kind === 'failed') return answer;
    const given = answer.status === 200 ? jsonOf(answer.body) : null;
    if (!isRecord(given) || typeof given['token'] !== 'string') {
      return refusal(this.#host, answer.status, answer.body);
    }
    this.#token = given['token'];
    this.#deps.redactor.learn(this.#token);
    return null;
  }

  async #readKeys(login: Login, giveUp: GiveUp): Promise<SourceAnswer> {
    for (const attempt of ['first', 'second'] as const) {
      const refused = await this.#logIn(login, giveUp);
      if (refused !== null) return refused;
      const answer = await askHttp(
        this.#questionOf('/v3/kv/range', this.#range, login),
        this.#deps.timers,
        giveUp,
      );
      if (answer.kind === 'failed') return answer;
      if (answer.status === 200) {
        const keys = readRange(answer.body);
        if (typeof keys === 'string') return sourceFailed('malformed', `${this.#host} ${keys}`);
        this.#revision = keys.revision;
        return membersFound(keys.members, 0, keys.leftOut);
      }
      // The token is old, or the rights have changed since it was given.
      const mayBeOld = this.#token !== null && attempt === 'first';
      this.#token = null;
      if (!mayBeOld) return refusal(this.#host, answer.status, answer.body);
    }
    return sourceFailed('refused', 'no token of it is good');
  }

  /** Tries each member once, beginning with the one that answered last. */
  async #readAny(login: Login, giveUp: GiveUp): Promise<SourceAnswer> {
    let answer: SourceAnswer = sourceFailed('refused', 'no server was asked');
    for (const _ of this.#spec.urls) {
      answer = await this.#readKeys(login, giveUp);
      if (answer.kind !== 'failed' || giveUp.aborted) return answer;
      this.#turn = (this.#turn + 1) % this.#spec.urls.length;
      this.#token = null;
    }
    this.#revision = null;
    return answer;
  }

  /** Resolves when there may be news. */
  async #untilNews(after: string, login: Login, giveUp: GiveUp): Promise<void> {
    const start = String(BigInt(after) + 1n);
    const question = this.#questionOf(
      '/v3/watch',
      { create_request: { ...this.#range, start_revision: start } },
      login,
    );
    const { clock, timers } = this.#deps;
    const beganMs = clock.nowMs();
    const end = await followStream({ question, limitMs: WATCH_MS, take }, timers, giveUp);
    const hasWatched = end.kind === 'news' || (end.kind === 'quiet' && end.by === 'limit');
    if (hasWatched) this.#misses.none();
    else this.#misses.miss(whyMissed(end), clock.nowMs() - beganMs);
  }

  async ask(giveUp: GiveUp): Promise<SourceAnswer> {
    const files = { tokenFile: this.#spec.passwordFile, caFile: this.#spec.caFile };
    const secrets = await readSecrets(files, this.#deps, giveUp);
    if (secrets.kind === 'failed') return secrets;
    const login = { ca: secrets.ca, password: secrets.token };
    const from = this.#revision;
    if (from !== null) await this.#untilNews(from, login, giveUp);
    if (giveUp.aborted) return sourceFailed('timeout', 'it is not waited for any more');
    const answer = await this.#readAny(login, giveUp);
    const { count, remarks } = this.#misses;
    if (answer.kind !== 'members' || count === 0 || from === null) return answer;
    return { ...answer, remarks, againMs: this.#misses.waitMs() };
  }
}

/** An event, or the end of a watch whose revision was compacted; the first line only greets. */
function take(line: unknown): 'news' | 'nothing' | 'unusable' {
  const result = isRecord(line) ? line['result'] : undefined;
  if (!isRecord(result) || result['canceled'] === true) return 'unusable';
  return Array.isArray(result['events']) ? 'news' : 'nothing';
}

/** All keys that begin with `prefix`: up to the next text of its length ("Key ranges"). */
function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const key = Buffer.from(prefix, 'utf8');
  const end = Buffer.from(key);
  // UTF-8 has no byte 0xff.
  const last = end.length - 1;
  end.writeUInt8(end.readUInt8(last) + 1, last);
  return { key: key.toString('base64'), range_end: end.toString('base64') };
}

interface Keys {
  readonly revision: string;
  readonly members: readonly Member[];
  readonly leftOut: readonly string[];
}

/** Or what is wrong, a clause. The gateway leaves out what is empty, and writes int64 as text. */
function readRange(text: string): Keys | string {
  const body = jsonOf(text);
  const header = isRecord(body) ? body['header'] : undefined;
  const revision = isRecord(header) ? header['revision'] : undefined;
  if (!isRecord(body) || typeof revision !== 'string' || !/^\d{1,19}$/.test(revision)) {
    return 'answers what is no range of keys';
  }
  const { kvs = [], more } = body;
  if (!Array.isArray(kvs) || more === true) return 'answers with a part of the keys';
  const members: Member[] = [];
  const leftOut: string[] = [];
  for (const kv of kvs) {
    if (!isRecord(kv) || typeof kv['key'] !== 'string') return 'names a key that is none';
    const key = shown(Buffer.from(kv['key'], 'base64').toString('utf8'));
    const value = typeof kv['value'] === 'string' ? kv['value'] : '';
    const member = readValue(Buffer.from(value, 'base64').toString('utf8'));
    if (typeof member === 'string') leftOut.push(`${key}: ${member}`);
    else members.push(member);
  }
  return { revision, members, leftOut };
}

/** A text says what is wrong with it. */
function readValue(text: string): Member | string {
  if (!text.trimStart().startsWith('{')) return memberAt(text.trim());
  const fields = jsonOf(text);
  if (!isRecord(fields)) return 'its value is no JSON, or only a part of it';
  const { address, name = null, weight = 1, backup = false } = fields;
  const maxConnections = fields['max_connections'] ?? null;
  if (typeof address !== 'string') return 'it has no address';
  const member = memberAt(address);
  if (typeof member === 'string') return member;
  if (name !== null && !(typeof name === 'string' && BACKEND_NAME_PATTERN.test(name))) {
    return 'its name is none';
  }
  if (!isInteger(weight, 1_000)) return 'its weight is no number from 0 to 1000';
  if (maxConnections !== null && !isInteger(maxConnections, 9_999_999)) {
    return 'its max_connections is no number';
  }
  if (typeof backup !== 'boolean') return 'its backup is neither true nor false';
  return { ...member, name, weight, maxConnections, backup };
}

function memberAt(text: string): Member | string {
  const address = readAddress(text);
  return address.ok ? plainMember(address.value) : `"${shown(text)}": ${address.error.problem}`;
}

function isInteger(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{"error": "etcdserver: permission denied", "code": 7}` */
function refusal(host: string, status: number, body: string): SourceFailed {
  const told = jsonOf(body);
  const error = isRecord(told) ? (told['error'] ?? told['message']) : undefined;
  const why = typeof error === 'string' ? `: ${shown(error)}` : '';
  return sourceFailed('refused', `${host} answers ${status}${why}`);
}
