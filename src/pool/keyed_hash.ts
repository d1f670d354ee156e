/**
 * HalfSipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012; the
 * variant with words of 32 bits of its reference code): a hash whose collisions cannot be found
 * without its key. It is for tables whose keys strangers choose.
 */

/** Of `words`, which are read as 32 bits each; an integer of 32 bits. Allocates nothing. */
export function halfSipHash(words: Int32Array, key0: number, key1: number): number {
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const { length } = words;
  // After the words: how long the input was. Then a turn without a word, of four rounds, to finish.
  for (let at = 0; at <= length + 1; at++) {
    const isEnd = at > length;
    const word = at < length ? (words[at] ?? 0) : isEnd ? 0 : (4 * length) << 24;
    if (isEnd) v2 ^= 0xff;
    v3 ^= word;
    for (let round = isEnd ? 4 : 2; round > 0; round--) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return v1 ^ v3;
}
