/** Real randomness: the fast generator of src/core, seeded from the kernel once per thread. */
import { randomBytes } from 'node:crypto';
import { type Random, seededRandom } from '../core/random.js';

/** For balancing and jitter. Not for secrets: the state is 128 bits seeded from 32. */
export const systemRandom: Random = seededRandom(randomBytes(4).readUInt32LE());
