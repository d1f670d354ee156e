/**
 * Hashing of client addresses and backend names. XXH32 is written from its specification (Y.
 * Collet, "xxHash fast digest algorithm", doc/xxhash_spec.md): quick on 4 to 16 bytes in 32-bit
 * arithmetic, and equal on every machine and version, so that two balancers side by side send a
 * client to the same backend. It is no defence against a client that chooses its address.
 */
const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_BYTES = 16;

/** XXH32 of the first `length` bytes; an unsigned 32-bit integer. Allocates nothing. */
export function xxh32(bytes: Uint8Array, length: number, seed: number): number {
  let at = 0;
  let acc = (seed + PRIME_5) | 0;
  if (length >= STRIPE_BYTES) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    for (; at + STRIPE_BYTES <= length; at += STRIPE_BYTES) {
      a = stripeLane(a, lane(bytes, at));
      b = stripeLane(b, lane(bytes, at + 4));
      c = stripeLane(c, lane(bytes, at + 8));
      d = stripeLane(d, lane(bytes, at + 12));
    }
    acc = (rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)) | 0;
  }
  acc = (acc + length) | 0;
  for (; at + 4 <= length; at += 4) {
    acc = Math.imul(rotateLeft((acc + Math.imul(lane(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < length; at++) {
    acc = Math.imul(rotateLeft((acc + Math.imul(bytes[at] ?? 0, PRIME_5)) | 0, 11), PRIME_1);
  }
  return avalanche(acc);
}

const ENCODER = new TextEncoder();
/** Names are short: ten thousand of them are hashed without an array for each. */
const SCRATCH = new Uint8Array(1024);
/** UTF-8 has up to three bytes for a unit of UTF-16. */
const MOST_BYTES = 3;

/** XXH32 of a name's UTF-8 text. */
export function hashName(name: string, seed: number): number {
  if (name.length * MOST_BYTES <= SCRATCH.length) {
    return xxh32(SCRATCH, ENCODER.encodeInto(name, SCRATCH).written, seed);
  }
  const bytes = ENCODER.encode(name);
  return xxh32(bytes, bytes.length, seed);
}

/** The last step of XXH32 by itself: a bijection in which each bit of the input moves every bit. */
export function avalanche(value: number): number {
  let mixed = value ^ (value >>> 15);
  mixed = Math.imul(mixed, PRIME_2);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, PRIME_3);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function stripeLane(acc: number, input: number): number {
  return Math.imul(rotateLeft((acc + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);
}

function lane(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
