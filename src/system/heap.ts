/** What the main thread asks of V8's heap. */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space of new objects at its first size, 1 MiB, instead of the 16 MiB that it grows to
 * for the sake of throughput, which the main thread does not need. V8 reads this flag whenever it
 * is about to grow the space (src/heap/new-spaces.cc, SemiSpaceNewSpace::Grow), so it may be set
 * after the start; a thread's own limits are given where it is started.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
