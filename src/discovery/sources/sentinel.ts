/**
 * sentinel: the primary of a name and its replicas, as Redis' sentinels know them. All of them are
 * asked; the one with the highest configuration epoch knows of the last failover (Redis'
 * documentation, "Configuration epochs"). Their events only say that it is time to ask.
 */
import { readAddress } from '../../core/address_text.js';
import type { SentinelSourceSpec } from '../../core/discovery_spec.js';
import { type Address, formatAddress } from '../../core/endpoint.js';
import { redisCommand } from '../../core/redis_command.js';
import { inBrackets, shown } from '../answers.js';
import type { RespReply } from '../resp.js';
import { byRole, type RoledMember } from '../roles.js';
import { readSecrets } from '../secret_files.js';
import { NewsBell, talk } from '../sentinel_wire.js';
import {
  type GiveUp,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  type SourceFailed,
  sourceFailed,
} from '../source.js';
import { endablePause, withinLimit } from '../time_limit.js';

/** Without an event it is asked so often: an event may be lost. */
const INTERVAL_MS = 2_000;
/** One that is down must not hold up the answers of the others for long. */
const SENTINEL_LIMIT_MS = 1_500;

interface Known {
  readonly kind: 'known';
  readonly epoch: number;
  readonly members: readonly RoledMember[];
}

export function sentinelSource(spec: SentinelSourceSpec, deps: SecretDeps): Source {
  const { timers } = deps;
  let ring = new AbortController();
  const bells = spec.addresses.map((address) => new NewsBell(address, () => ring.abort()));
  let turn: 'first' | 'later' = 'first';

  const askOne = async (
    address: Address,
    login: readonly string[],
    giveUp: GiveUp,
  ): Promise<Known | SourceFailed> => {
    const commands = [
      ...login,
      redisCommand('SENTINEL', 'MASTER', spec.master),
      redisCommand('SENTINEL', 'REPLICAS', spec.master),
    ];
    const said = await withinLimit(timers, SENTINEL_LIMIT_MS, giveUp, (signal) =>
      talk(address, commands, signal),
    );
    const who = `sentinel ${formatAddress(address)}`;
    if (typeof said === 'string') return sourceFailed(said, `${who}: ${SILENCES[said]}`);
    const refusal = said.find((reply) => reply.kind === 'error');
    if (refusal?.kind === 'error') return sourceFailed('refused', `${who}: ${shown(refusal.text)}`);
    const [master, replicas] = said.slice(login.length);
    return knownOf(master, replicas) ?? sourceFailed('malformed', `${who} answers something else`);
  };

  const ask = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    if (turn === 'later') await untilNews(giveUp);
    turn = 'later';
    ring = new AbortController();
    const secrets = await readSecrets({ tokenFile: spec.passwordFile, caFile: null }, deps, giveUp);
    if (secrets.kind === 'failed') return secrets;
    const login = secrets.token === null ? [] : [redisCommand('AUTH', secrets.token)];
    if (!giveUp.aborted) for (const bell of bells) bell.keep(login);
    const all = await Promise.all(spec.addresses.map((one) => askOne(one, login, giveUp)));
    const known = all.flatMap((one) => (one.kind === 'known' ? [one] : []));
    const newest = known.toSorted((a, b) => b.epoch - a.epoch)[0];
    if (newest !== undefined) return byRole(newest.members, spec.role, 0);
    return (
      all.find((one) => one.kind === 'failed') ?? sourceFailed('refused', 'no server was asked')
    );
  };

  const untilNews = async (giveUp: GiveUp): Promise<void> => {
    const close = (): void => {
      ring.abort();
      for (const bell of bells) bell.close();
    };
    giveUp.addEventListener('abort', close, { once: true });
    await endablePause(timers, INTERVAL_MS, ring.signal);
    giveUp.removeEventListener('abort', close);
    if (giveUp.aborted) close();
  };

  return { ask };
}

const SILENCES = {
  unreachable: 'it cannot be reached',
  timeout: 'it did not answer in time',
  malformed: 'it does not speak the protocol',
  'too-much': 'its answer has no end',
} as const;

/** null: no such answers. */
function knownOf(master: RespReply | undefined, replicas: RespReply | undefined): Known | null {
  const primary = fieldsOf(master);
  const address = primary === null ? null : addressOf(primary);
  if (primary === null || address === null || replicas?.kind !== 'array') return null;
  const members: RoledMember[] = [{ name: null, address, role: 'primary', presence: 'here' }];
  for (const item of replicas.items) {
    const fields = fieldsOf(item);
    const at = fields === null ? null : addressOf(fields);
    if (fields === null || at === null) return null;
    const isAway = /\b(?:s_down|o_down|disconnected)\b/.test(fields.get('flags') ?? '');
    members.push({ name: null, address: at, role: 'replica', presence: isAway ? 'away' : 'here' });
  }
  return { kind: 'known', epoch: Number(primary.get('config-epoch') ?? 0) || 0, members };
}

/** Names and values in turn. */
function fieldsOf(reply: RespReply | undefined): ReadonlyMap<string, string> | null {
  if (reply?.kind !== 'array') return null;
  const words = reply.items.map((item) => (item.kind === 'text' ? item.text : ''));
  return new Map(words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [])));
}

function addressOf(fields: ReadonlyMap<string, string>): Address | null {
  const host = fields.get('ip') ?? '';
  const port = fields.get('port') ?? '';
  const read = readAddress(`${inBrackets(host)}:${port}`);
  return read.ok ? read.value : null;
}
