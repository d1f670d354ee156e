/**
 * IP addresses as bytes: text to network order and back, for socket addresses, PROXY headers and
 * hashing. Text comes out canonical (RFC 5952, sections 4 and 5).
 */

/** Characters of addresses. */
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const SMALL_A = 97;

/** 4 or 16 bytes in network order; null when `text` is no IP address. A zone (`%eth0`) is none. */
export function ipBytes(text: string): Uint8Array | null {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
}

/** Canonical text of 4 or 16 bytes in network order, beginning at `at`. */
export function ipText(family: 4 | 6, bytes: Uint8Array, at = 0): string {
  return family === 4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
}

/**
 * Dotted decimal as a number below 2^32; -1 when `text` is none. Allocates nothing: it is asked for
 * each datagram. A leading zero is refused, because inet_aton(3) would read the part as octal.
 */
export function ipv4Number(text: string): number {
  let address = 0;
  let part = 0;
  let partAt = 0;
  let dots = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (!isPart(part, index - partAt)) return -1;
      address = address * 256 + part;
      part = 0;
      partAt = index + 1;
      dots++;
    } else {
      if (code < ZERO || code > NINE) return -1;
      part = part * 10 + code - ZERO;
    }
  }
  return dots === 3 && isPart(part, text.length - partAt) ? address * 256 + part : -1;
}

/** `value` was written with this many digits; only the shortest text of a number is accepted. */
function isPart(value: number, digits: number): boolean {
  if (digits === 1) return true;
  return digits === 2 ? value > 9 : digits === 3 && value > 99 && value < 256;
}

/** The 16 bytes at `at` stand for an IPv4 address: ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2). */
export function isMapped(bytes: Uint8Array, at = 0): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** The 4 bytes of an IPv4-mapped IPv6 address; other addresses as they are. */
export function unmapped(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16 && isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** An IPv4 address as the IPv6 address that stands for it; others as they are. */
export function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  const wide = new Uint8Array(16);
  wide.fill(0xff, 10, 12);
  wide.set(bytes, 12);
  return wide;
}

/** Of 4 or 16 bytes. */
export function familyOf(bytes: Uint8Array): 4 | 6 {
  return bytes.length === 4 ? 4 : 6;
}

/** A copy in which the bits beyond the prefix are zero. */
export function masked(bytes: Uint8Array, prefixBits: number): Uint8Array {
  return bytes.map((byte, index) => byte & keptIn(index, prefixBits));
}

/** The bits of byte number `index` that belong to a prefix. */
export function keptIn(index: number, prefixBits: number): number {
  return (0xff00 >> Math.min(8, Math.max(0, prefixBits - 8 * index))) & 0xff;
}

/** The 32 bits of word number `word`, big end first. */
export function wordAt(bytes: Uint8Array, word: number): number {
  const at = 4 * word;
  const low = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return (bytes[at] ?? 0) * 0x100_0000 + low;
}

function ipv4Bytes(text: string): Uint8Array | null {
  const address = ipv4Number(text);
  if (address < 0) return null;
  const bytes = new Uint8Array(4);
  bytes[0] = address >>> 24;
  bytes[1] = address >>> 16;
  bytes[2] = address >>> 8;
  bytes[3] = address;
  return bytes;
}

/**
 * Groups of hex digits between colons; "::" stands for at least one group of zeros, and the last
 * two groups may be a dotted IPv4 address (RFC 4291, 2.2). One pass: lists have a million of them.
 */
function ipv6Bytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  let filled = 0;
  /** How much stands before the "::". */
  let head = text.startsWith('::') ? 0 : -1;
  let at = head === 0 ? 2 : 0;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const end = colon < 0 ? text.length : colon;
    if (colon < 0 && text.includes('.', at)) {
      const dotted = filled <= 12 ? ipv4Bytes(text.slice(at)) : null;
      if (dotted === null) return null;
      bytes.set(dotted, filled);
      filled += 4;
      break;
    }
    const group = groupAt(text, at, end);
    if (group < 0 || filled === 16) return null;
    bytes[filled++] = group >> 8;
    bytes[filled++] = group;
    if (colon < 0) break;
    at = end + 1;
    if (text.charCodeAt(at) !== COLON) {
      if (at === text.length) return null;
    } else {
      if (head >= 0) return null;
      head = filled;
      at++;
    }
  }
  if (head < 0) return filled === 16 ? bytes : null;
  if (filled > 14) return null;
  const tail = 16 - (filled - head);
  bytes.copyWithin(tail, head, filled);
  return bytes.fill(0, head, tail);
}

/** One to four hex digits as a number; -1 when it is something else. */
function groupAt(text: string, from: number, end: number): number {
  if (end === from || end - from > 4) return -1;
  let group = 0;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    const digit = code - ZERO;
    // Bit 5 makes a small letter of a capital one.
    const letter = (code | 32) - SMALL_A;
    if (digit >= 0 && digit <= 9) group = group * 16 + digit;
    else if (letter >= 0 && letter <= 5) group = group * 16 + 10 + letter;
    else return -1;
  }
  return group;
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
  if (isMapped(bytes, at)) return `::ffff:${ipv4Text(bytes, at + 12)}`;
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
