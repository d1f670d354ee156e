/** Randomness as an argument, so that a failure replays from its seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** Uniform integer in [0, bound), for bound 1 to 2^32. */
export function below(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** `value` moved by up to ± `share` (0 to 1) of itself. */
export function jittered(random: Random, value: number, share: number): number {
  return value * (1 + share * (2 * random.next() - 1));
}

/**
 * A seeded generator: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded through splitmix32. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const split = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let d = split();
  return {
    next(): number {
      const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = rotateLeft(d, 11);
      return scrambled / 0x1_0000_0000;
    },
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
