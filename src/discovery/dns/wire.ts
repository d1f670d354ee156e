/** DNS messages (RFC 1035, RFC 6891): the only file that knows the codec. Pure. */
import { type Answer, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { DNS_RCODES } from '../../core/dns_codes.js';

export type RecordType = 'A' | 'AAAA' | 'SRV';

export interface DnsQuestion {
  /** 16 bits. */
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
}

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly host: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    };

export interface DnsReply {
  readonly kind: 'reply';
  /** NOERROR, NXDOMAIN, SERVFAIL … */
  readonly code: string;
  readonly size: 'whole' | 'truncated';
  /** Of the type that was asked for, at the name or at what it is an alias of. */
  readonly records: readonly DnsRecord[];
  /** How long this may be kept; null: it does not say. */
  readonly ttlSeconds: number | null;
}

/**
 * RFC 9715: larger datagrams are fragmented on the way, and fragments are lost, or forged. What
 * does not fit comes over TCP.
 */
const UDP_PAYLOAD_BYTES = 1232;
/** An alias of an alias; more is a circle. */
const MAX_ALIASES = 8;

export function encodeQuestion({ id, name, type }: DnsQuestion): Buffer {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name: plain(name), class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** null: `bytes` is no reply to this question. */
export function decodeReply(bytes: Buffer, question: DnsQuestion): DnsReply | null {
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
    // The codec reads beyond the end of a message that was cut off, and makes up what it misses.
    if (decode.bytes > bytes.length) return null;
  } catch {
    return null;
  }
  if (packet.type !== 'response' || packet.id !== question.id || !echoes(packet, question)) {
    return null;
  }
  const { names, ttls } = aliases(packet, question);
  const found = packet.answers?.filter(
    (answer) => answer.type === question.type && names.has(lower(answer.name)),
  );
  const records = (found ?? []).flatMap(recordOf);
  const seconds = records.length > 0 ? [...ttls, ...(found ?? []).map(ttlOf)] : negative(packet);
  return {
    kind: 'reply',
    code: codeOf(bytes),
    size: packet.flag_tc ? 'truncated' : 'whole',
    records,
    ttlSeconds: seconds.length === 0 ? null : Math.min(...seconds),
  };
}

/** The lower bits of the fourth byte; EDNS has more, for errors of its own. */
function codeOf(bytes: Buffer): string {
  const code = bytes.readUInt8(3) & 0x0f;
  return DNS_RCODES[code] ?? `RCODE${code}`;
}

/** Servers that cannot read a query (FORMERR) may leave the question out. */
function echoes({ questions = [] }: DecodedPacket, { name, type }: DnsQuestion): boolean {
  const [asked] = questions;
  return asked === undefined || (lower(asked.name) === lower(name) && asked.type === type);
}

/** The name that was asked for and those that it stands for, whatever the order of the answers. */
function aliases(
  { answers = [] }: DecodedPacket,
  { name }: DnsQuestion,
): { readonly names: ReadonlySet<string>; readonly ttls: readonly number[] } {
  const names = new Set([lower(name)]);
  const ttls: number[] = [];
  for (let turn = 0; turn < MAX_ALIASES; turn++) {
    const next = answers.find(
      (one) => one.type === 'CNAME' && names.has(lower(one.name)) && !names.has(lower(one.data)),
    );
    if (next?.type !== 'CNAME') break;
    names.add(lower(next.data));
    ttls.push(ttlOf(next));
  }
  return { names, ttls };
}

function recordOf(answer: Answer): readonly DnsRecord[] {
  if (answer.type === 'A' || answer.type === 'AAAA') {
    return [{ type: answer.type, host: answer.data }];
  }
  if (answer.type !== 'SRV') return [];
  const { priority = 0, weight = 0, port, target } = answer.data;
  return [{ type: 'SRV', priority, weight, port, target: lower(target) }];
}

/** RFC 2308, section 5: the lesser of the TTL of the SOA and its last field. */
function negative({ authorities = [] }: DecodedPacket): number[] {
  return authorities.flatMap((one) =>
    one.type === 'SOA' ? [Math.min(ttlOf(one), one.data.minimum ?? 0)] : [],
  );
}

function ttlOf(answer: Answer): number {
  return 'ttl' in answer && answer.ttl !== undefined ? Math.max(0, answer.ttl) : 0;
}

function lower(name: string): string {
  return plain(name).toLowerCase();
}

function plain(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
