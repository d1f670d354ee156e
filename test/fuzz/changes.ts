/** Changes of messages: what noise, a broken client or an attacker makes of them. */
import { below, type Random } from '../../src/core/random.js';

/** Numbers at which lengths go wrong, as two bytes. */
const EXTREMES = [0, 1, 4, 0x7f, 0x80, 0xff, 0x100, 0x4000, 0x7fff, 0x8000, 0xffff];
/** More than any `hello_size` of the listeners. */
const FLOOD_BYTES = 20_000;

type Change = (random: Random, bytes: Buffer) => Buffer;

const CHANGES: readonly Change[] = [
  byteSet,
  byteSet,
  bitFlipped,
  bitFlipped,
  numberSet,
  numberSet,
  endCut,
  partLeftOut,
  partTwice,
  noiseWithin,
  flooded,
];

export function changed(random: Random, bytes: Buffer): Buffer {
  const change = CHANGES[below(random, CHANGES.length)] ?? byteSet;
  return change(random, bytes);
}

function byteSet(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[below(random, copy.length)] = below(random, 256);
  return copy;
}

function bitFlipped(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = below(random, copy.length + 1);
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8));
  return copy;
}

/** Most lengths stand near the beginning. */
function numberSet(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const within = below(random, 2) === 0 ? Math.min(64, copy.length) : copy.length;
  if (within < 2) return copy;
  copy.writeUInt16BE(EXTREMES[below(random, EXTREMES.length)] ?? 0, below(random, within - 1));
  return copy;
}

function endCut(random: Random, bytes: Buffer): Buffer {
  return bytes.subarray(0, below(random, bytes.length + 1));
}

function partLeftOut(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function partTwice(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes);
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
}

function noiseWithin(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  const noise = Array.from({ length: 1 + below(random, 40) }, () => below(random, 256));
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(noise), bytes.subarray(at)]);
}

function flooded(random: Random, bytes: Buffer): Buffer {
  if (below(random, 4) > 0 || bytes.length > FLOOD_BYTES) return bytes;
  return Buffer.concat([bytes, Buffer.alloc(FLOOD_BYTES, below(random, 256))]);
}

function part(random: Random, bytes: Buffer): readonly [from: number, to: number] {
  const from = below(random, bytes.length + 1);
  return [from, from + below(random, bytes.length - from + 1)];
}
