/** What a listener's access list and limits say of a client by a file alone, at rest. */
import { AccessList } from '../core/access_table.js';
import { inBlocks } from '../core/address_block.js';
import { addressKey } from '../core/address_key.js';
import { blockText } from '../core/address_text.js';
import type { Peer } from '../core/endpoint.js';
import { ipText, isMapped } from '../core/ip_bytes.js';
import { ok, type Result } from '../core/result.js';
import type { AccessSpec, LimitsSpec, ListenerSpec } from '../core/spec.js';
import { inTurns, type ReadingDeps, readAccess } from './access_reading.js';

const MAPPED_BITS = 96;

export interface FileBarring {
  /** What the access list says, in a sentence; '': there is none. */
  readonly access: string;
  /** What the limits would let it have, in a sentence; '': there are none. */
  readonly limits: string;
  /** Why it is refused, in a sentence; null: it is not. */
  readonly barred: string | null;
}

/** Or what is wrong with a file of the access list. */
export async function barredByFile(
  { access, protocol, settings: { limits } }: ListenerSpec,
  client: Peer,
  deps: ReadingDeps,
): Promise<Result<FileBarring, string>> {
  if (client.kind === 'unix') return ok({ access: '', limits: '', barred: null });
  const allowed = limits === null ? '' : limitsSentence(limits, client, protocol);
  if (access === null) return ok({ access: '', limits: allowed, barred: null });
  const said = await accessSaid(access, addressKey(client), deps);
  return said.ok ? ok({ ...said.value, limits: allowed }) : said;
}

async function accessSaid(
  access: AccessSpec,
  address: Uint8Array,
  deps: ReadingDeps,
): Promise<Result<Pick<FileBarring, 'access' | 'barred'>, string>> {
  const read = await readAccess(access, deps);
  if (!read.ok) return read;
  const { blocks } = read.value;
  const decides = blocks.deciding(address);
  const list = new AccessList(await inTurns(blocks.table(0, access)));
  const refusal = list.refusal(address);
  const why = decides === null ? 'it is in none of its blocks' : `${textOf(decides)} decides`;
  const tried = access.dryRun && refusal !== null ? ' It is a dry run, and refuses no client.' : '';
  return ok({
    access: `The access list: ${refusal ?? 'allowed'}, ${why}.${tried}`,
    barred:
      refusal === null || access.dryRun
        ? null
        : `It is refused: ${refusal}, by the listener's access list.`,
  });
}

function limitsSentence(limits: LimitsSpec, client: Peer, protocol: 'tcp' | 'udp'): string {
  const { sessionsPerClient: sessions, newPerClient: rate, newPerSecond, exempt, dryRun } = limits;
  const noun = protocol === 'tcp' ? 'sessions' : 'flows';
  const own = [
    ...(sessions > 0 ? [`${sessions} ${noun} at a time`] : []),
    ...(rate === null
      ? []
      : [`${rate.count} new ones in ${rate.perMs / 1_000} s, ${rate.burst} of them at once`]),
  ];
  const ofClient = inBlocks(exempt)(client) ? ['what it likes, as it is exempt'] : own;
  const parts = [
    ...(own.length === 0 ? [] : [`it may have ${ofClient.join(', and ')}`]),
    ...(newPerSecond > 0 ? [`the listener begins ${newPerSecond} per second`] : []),
  ];
  const tried = dryRun ? ' They are only tried.' : '';
  return `The limits, at rest: ${parts.join('; ')}.${tried}`;
}

function textOf({
  bytes,
  prefixBits,
}: {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}) {
  const isIpv4 = prefixBits >= MAPPED_BITS && isMapped(bytes);
  return isIpv4
    ? blockText({
        family: 4,
        host: ipText(4, bytes.subarray(12)),
        prefixBits: prefixBits - MAPPED_BITS,
      })
    : blockText({ family: 6, host: ipText(6, bytes), prefixBits });
}
