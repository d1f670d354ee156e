/** PROXY headers as the clients of a program send them, and as its backends get them. */
import type { HeaderKind } from './program.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const DESTINATION = '203.0.113.1:443';

/** The address that the header of client `id` names. */
export function sourceOf(id: number): string {
  return `10.1.${(id >> 8) & 255}.${id & 255}:${1_000 + id}`;
}

export function headerBytes(kind: HeaderKind, id: number): Buffer {
  switch (kind) {
    case 'v1':
    case 'v2':
      return headerFrom(kind, sourceOf(id));
    case 'bad':
      return Buffer.from('PROXY TCP5 10.0.0.1 10.0.0.2 1 2\r\n');
    case 'cut':
      return v1(sourceOf(id)).subarray(0, 20);
  }
}

/** `source`: an address of IPv4, and a port. */
export function headerFrom(kind: 'v1' | 'v2', source: string): Buffer {
  return kind === 'v1' ? v1(source) : v2(source);
}

export interface Told {
  /** `address:port`; null: unknown. */
  readonly source: string | null;
  /** How many bytes the header had. */
  readonly length: number;
}

/** The header at the beginning of `bytes`; null: there is more to come. */
export function readHeader(bytes: Buffer): Told | null {
  if (bytes[0] === 0x50) {
    const end = bytes.indexOf('\r\n');
    if (end < 0) return null;
    const [, family, host, , port] = bytes.subarray(0, end).toString('latin1').split(' ');
    const address = host?.includes(':') === true ? `[${host}]` : host;
    const source = family === 'UNKNOWN' ? null : `${address}:${port}`;
    return { source, length: end + 2 };
  }
  if (bytes.length < 16) return null;
  const length = 16 + bytes.readUInt16BE(14);
  if (bytes.length < length) return null;
  const isInet = bytes.readUInt8(13) >> 4 === 1;
  if (!isInet) return { source: null, length };
  return { source: `${[...bytes.subarray(16, 20)].join('.')}:${bytes.readUInt16BE(24)}`, length };
}

function v1(source: string): Buffer {
  const [host, port] = source.split(':');
  const [toHost, toPort] = DESTINATION.split(':');
  return Buffer.from(`PROXY TCP4 ${host} ${toHost} ${port} ${toPort}\r\n`);
}

function v2(source: string): Buffer {
  const header = Buffer.alloc(28);
  SIGNATURE.copy(header);
  header.set([0x21, 0x11, 0, 12], 12);
  const parts = [source, DESTINATION].map((text) => text.split(':'));
  parts.forEach(([host = '', port], index) => {
    header.set(host.split('.').map(Number), 16 + 4 * index);
    header.writeUInt16BE(Number(port), 24 + 2 * index);
  });
  return header;
}
