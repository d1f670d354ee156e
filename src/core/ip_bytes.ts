/**
 * IP addresses as bytes: text to network order and back, for socket addresses, PROXY headers and
 * hashing. Text comes out canonical (RFC 5952, sections 4 and 5).
 */

/** 4 or 16 bytes in network order; null when `text` is no IP address. A zone (`%eth0`) is none. */
export function ipBytes(text: string): Uint8Array | null {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
}

/** Canonical text of 4 or 16 bytes in network order, beginning at `at`. */
export function ipText(family: 4 | 6, bytes: Uint8Array, at = 0): string {
  return family === 4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
}

function ipv4Bytes(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[index] = Number(part);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groups(halves[0] ?? '');
  const tail = groups(halves[1] ?? '');
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group of zeros.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/**
 * The bytes of colon-separated groups; the last one may be a dotted IPv4 address (RFC 4291, 2.2).
 */
function groups(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const dotted = ipv4Bytes(part);
      if (dotted === null) return null;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 255);
    }
  }
  return bytes;
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function ipv6Text(bytes: Uint8Array, at: number): string {
  const group = (index: number): number =>
    ((bytes[at + 2 * index] ?? 0) << 8) | (bytes[at + 2 * index + 1] ?? 0);
  const hex = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => group(from + i).toString(16)).join(':');
  // Only mapped addresses are written with a dotted part (RFC 5952, section 5).
  const mapped = [0, 1, 2, 3, 4].every((i) => group(i) === 0) && group(5) === 0xffff;
  if (mapped) return `::ffff:${ipv4Text(bytes, at + 12)}`;
  const zeros = longestZeros(group);
  if (zeros.length < 2) return hex(0, 8);
  return `${hex(0, zeros.start)}::${hex(zeros.start + zeros.length, 8)}`;
}

/** The longest run of zero groups; the first of equally long ones (RFC 5952, 4.2.3). */
function longestZeros(group: (index: number) => number): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index < 8; index++) {
    if (group(index) !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
