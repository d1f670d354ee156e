/** ClientHellos to the letter of RFC 8446, in as many records as a test wants. */

export interface HelloOptions {
  /** Of the server_name extension; null: none. */
  readonly names?: readonly Buffer[] | null;
  readonly alpn?: readonly string[] | null;
  /** Further extensions, before and behind these two. */
  readonly before?: readonly Buffer[];
  readonly behind?: readonly Buffer[];
  /** `name last`: behind ALPN. */
  readonly order?: 'name first' | 'name last';
  readonly recordBytes?: number;
}

export function clientHello(options: HelloOptions = {}): Buffer {
  return records(helloMessage(options), options.recordBytes ?? 16_384);
}

export function helloMessage(options: HelloOptions): Buffer {
  const { names = null, alpn = null, before = [], behind = [] } = options;
  const own = [
    ...(names === null ? [] : [serverNames(names)]),
    ...(alpn === null ? [] : [protocols(alpn)]),
  ];
  const ordered = options.order === 'name last' ? own.toReversed() : own;
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 0xaa),
    vector(1, Buffer.alloc(32, 0xbb)),
    vector(2, Buffer.from('0a0a13011302c02b', 'hex')),
    vector(1, Buffer.alloc(1)),
    vector(2, Buffer.concat([...before, ...ordered, ...behind])),
  ]);
  return Buffer.concat([Buffer.from([1]), vector(3, body)]);
}

/** The message cut into records of `bytes` each. */
export function records(message: Buffer, bytes: number): Buffer {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += bytes) {
    all.push(Buffer.from('160301', 'hex'), vector(2, message.subarray(at, at + bytes)));
  }
  return Buffer.concat(all);
}

export function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([number(2, type), vector(2, body)]);
}

export function serverNames(names: readonly Buffer[]): Buffer {
  const list = names.map((name) => Buffer.concat([Buffer.alloc(1), vector(2, name)]));
  return extension(0, vector(2, Buffer.concat(list)));
}

export function protocols(names: readonly string[]): Buffer {
  const list = names.map((name) => vector(1, Buffer.from(name)));
  return extension(16, vector(2, Buffer.concat(list)));
}

/** RFC 8701: what must be passed over. */
export const GREASE = extension(0x0a0a, Buffer.alloc(1));

/** As of Chromium's: a key share of a post-quantum group, which no segment has room for. */
export const LARGE_KEY_SHARE = extension(51, Buffer.alloc(1_250, 7));

export function vector(lengthBytes: number, body: Buffer): Buffer {
  return Buffer.concat([number(lengthBytes, body.length), body]);
}

function number(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
