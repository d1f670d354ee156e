/**
 * How much of the engines' shared buffers is in memory: their mappings are the only ones of a
 * daemon that are as large, so this says what was given back whatever V8 keeps.
 */
import { readFileSync } from 'node:fs';
import { SIZES } from '../../src/engine/uring/means.js';
import { SMALL_BYTES } from '../../src/kernel/buffer_pool.js';

/** Less than the buffers of one worker. */
const POOL_BYTES = SIZES.small * SMALL_BYTES;

/** 0 where the engine has no such buffers. */
export function poolMemoryBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  let sum = 0;
  // A mapping without a name behind its inode is anonymous.
  for (const [, size, resident] of text.matchAll(
    /^[\da-f]+-[\da-f]+ rw-[ps] [\da-f]+ \S+ 0 *\nSize: +(\d+) kB\n(?:.*\n)*?Rss: +(\d+) kB/gm,
  )) {
    if (Number(size) * 1024 >= POOL_BYTES) sum += Number(resident) * 1024;
  }
  return sum;
}
