/**
 * What clients say first, and what they might: TLS hellos, the starts of Postgres sessions and
 * PROXY headers, each drawn from a seed, most of them changed, in pieces. Nothing here knows how
 * sluice reads them.
 */
import { below, type Random, seededRandom } from '../../src/core/random.js';
import {
  clientHello,
  extension,
  GREASE,
  LARGE_KEY_SHARE,
  serverNames,
} from '../support/client_hello.js';
import { changed } from './changes.js';

/** What a listener reads; their settings are in bombard.ts. */
export const LISTENERS = ['hello', 'start', 'both', 'lax', 'behind'] as const;
export type ListenerName = (typeof LISTENERS)[number];

export interface FirstMessage {
  readonly seed: number;
  readonly listener: ListenerName;
  /** Each is written by itself. */
  readonly pieces: readonly Buffer[];
  /** Behind the last piece; a client that waits finishes when the first byte has come back. */
  readonly then: 'waits' | 'finishes' | 'resets';
}

export const NAMES = ['one.example', 'a.two.example', 'closed.example', 'other.example'] as const;
const ALPN = ['h2', 'http/1.1', 'postgresql'];
const ECH = 0xfe0d;
const PADDING = 21;
/** This many of ten messages come as a client would send them. */
const UNCHANGED_OF_TEN = 2;
const MOST_CHANGES = 4;
const MOST_PIECES = 6;
/** Two SSLRequests and more in a row are what no client sends. */
const MOST_REQUESTS = 3;

export function firstMessage(seed: number): FirstMessage {
  const random = seededRandom(seed);
  const listener = drawn(random, LISTENERS);
  const header = listener === 'behind' && below(random, 8) > 0 ? [proxyHeader(random)] : [];
  let bytes: Buffer = Buffer.concat([...header, opening(random, listener)]);
  if (below(random, 10) >= UNCHANGED_OF_TEN) {
    const changes = 1 + below(random, MOST_CHANGES);
    for (let n = 0; n < changes; n++) bytes = changed(random, bytes);
  }
  const then = drawn(random, ['waits', 'waits', 'finishes', 'resets'] as const);
  return { seed, listener, pieces: cut(random, bytes), then };
}

/** Mostly what the listener is for. */
function opening(random: Random, listener: ListenerName): Buffer {
  const odd = below(random, 10) === 0;
  if (listener === 'hello') return odd ? postgres(random) : hello(random);
  if (listener === 'start' || listener === 'lax') return odd ? hello(random) : postgres(random);
  return below(random, 2) === 0 ? hello(random) : postgres(random);
}

function hello(random: Random): Buffer {
  const name = Buffer.from(drawn(random, NAMES));
  const names = drawn(random, [[name], [name], [name, Buffer.from('more.example')], null]);
  const filler = extension(PADDING, Buffer.alloc(below(random, 600)));
  const shapes = [
    // As openssl's, as a browser's of two kilobytes, and as one that hides its name.
    { before: [], behind: [] },
    { before: [GREASE, LARGE_KEY_SHARE], behind: [GREASE, filler] },
    { before: [extension(ECH, Buffer.alloc(186, 3)), GREASE], behind: [LARGE_KEY_SHARE] },
    { before: [extension(ECH, random32(random)), serverNames([name])], behind: [filler] },
  ];
  return clientHello({
    names,
    alpn: below(random, 3) === 0 ? null : ALPN.slice(below(random, ALPN.length)),
    order: drawn(random, ['name first', 'name last'] as const),
    recordBytes: drawn(random, [1, 5, 100, 600, 16_384, 16_384, 16_384]),
    ...drawn(random, shapes),
  });
}

/** Requests for encryption, as libpq makes them, and then a start, a hello or a cancel. */
function postgres(random: Random): Buffer {
  const requests = below(random, 3) === 0 ? 1 + below(random, MOST_REQUESTS) : 0;
  const last = drawn(random, [start, start, start, cancel, hello]);
  return Buffer.concat([
    ...Array.from({ length: requests }, () => message(drawn(random, [80_877_103, 80_877_104]))),
    last(random),
  ]);
}

function start(random: Random): Buffer {
  const parameters = [
    ['user', drawn(random, ['alice', 'bob', ''])],
    ['database', drawn(random, ['orders', 'orders_1', 'closed', 'other', 'x'.repeat(70)])],
    ['application_name', drawn(random, ['psql', 'pgbench'])],
    ['options', 'o'.repeat(below(random, 3) * 3_000)],
  ].filter(() => below(random, 6) > 0);
  const text = parameters.map(([name, value]) => `${name}\0${value}\0`).join('');
  const version = drawn(random, [0x3_0000, 0x3_0000, 0x3_0002, 0x2_0000, 0x4_0000]);
  return message(version, Buffer.from(`${text}\0`));
}

/** Protocol 3.0 has secrets of 4 bytes, 3.2 of up to 256. */
function cancel(random: Random): Buffer {
  const secret = Buffer.alloc(drawn(random, [4, 4, 32, 256, 300, 0]), below(random, 256));
  const pid = Buffer.alloc(4);
  pid.writeUInt32BE(below(random, 100_000));
  return message(80_877_102, Buffer.concat([pid, secret]));
}

function message(code: number, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, body]);
}

function proxyHeader(random: Random): Buffer {
  if (below(random, 2) === 0) {
    return drawn(random, [
      Buffer.from('PROXY TCP4 10.1.2.3 203.0.113.1 1234 443\r\n'),
      Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 1234 443\r\n'),
      Buffer.from('PROXY UNKNOWN whatever stands here\r\n'),
    ]);
  }
  const families = [
    [0x00, 0],
    [0x11, 12],
    [0x21, 36],
    [0x31, 216],
    [0x12, 12],
  ] as const;
  const [family, addressBytes] = drawn(random, families);
  const tlvs = Array.from({ length: below(random, 4) }, () => {
    const value = random32(random).subarray(below(random, 32));
    // ALPN, AUTHORITY, CRC32C (a wrong one), NOOP, UNIQUE_ID, NETNS
    return Buffer.concat([Buffer.of(drawn(random, [1, 2, 3, 4, 5, 0x30]), 0, value.length), value]);
  });
  const body = Buffer.concat([Buffer.alloc(addressBytes, below(random, 256)), ...tlvs]);
  const head = Buffer.from('0d0a0d0a000d0a515549540a21000000', 'hex');
  head[12] = drawn(random, [0x21, 0x21, 0x21, 0x20]);
  head[13] = family;
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}

function random32(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 32 }, () => below(random, 256)));
}

function cut(random: Random, bytes: Buffer): readonly Buffer[] {
  const places = Array.from({ length: below(random, MOST_PIECES) }, () =>
    below(random, bytes.length + 1),
  );
  const ends = [0, ...places, bytes.length].sort((a, b) => a - b);
  return ends
    .slice(1)
    .map((end, index) => bytes.subarray(ends[index], end))
    .filter(({ length }) => length > 0);
}

function drawn<T>(random: Random, all: readonly T[]): T {
  return all[below(random, all.length)] as T;
}
