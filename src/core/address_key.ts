/** An address as bytes: what source-hash hashes and what trust is checked against. */
import type { Endpoint } from './endpoint.js';

const NONE = new Uint8Array(0);

/**
 * 4 or 16 bytes in network order; an IPv4-mapped IPv6 address gives its 4; a UNIX peer gives none.
 */
export function addressKey(endpoint: Endpoint): Uint8Array {
  if (endpoint.kind === 'unix') return NONE;
  return endpoint.family === 4 ? ipv4Bytes(endpoint.host) : ipv6Bytes(endpoint.host);
}

function ipv4Bytes(host: string): Uint8Array {
  const bytes = new Uint8Array(4);
  let at = 0;
  let value = 0;
  for (let index = 0; index < host.length; index++) {
    const code = host.charCodeAt(index);
    if (code === 46) {
      bytes[at++] = value;
      value = 0;
    } else {
      value = value * 10 + (code - 48);
    }
  }
  bytes[at] = value;
  return bytes;
}

function ipv6Bytes(host: string): Uint8Array {
  const [head = '', tail] = host.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const bytes = new Uint8Array(16);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 255];
  });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 255 && bytes[11] === 255 && bytes.subarray(0, 10).every((b) => b === 0);
}
