/**
 * The lines of a file of an access list: a block each, "#" begins a comment. In stretches, and of
 * the parts of a file as they were read: a list of a million is never one text.
 */
import type { AccessBlocks, AccessWord } from '../core/access_table.js';
import { readBlockBytes } from '../core/address_text.js';
import { ITEMS_PER_STRETCH, type Stretches } from '../core/stretches.js';

/** A block has up to 43 characters; the rest is for its comment. */
export const MAX_LINE_BYTES = 4_096;
/** Of one listener. */
export const MAX_BLOCKS = 1_000_000;
const MAX_SHOWN = 60;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** Adds the blocks in `parts`; what is wrong with a line follows the path of the file: `:3: …`. */
export function* addLines(
  parts: readonly Buffer[],
  word: AccessWord,
  blocks: AccessBlocks,
): Stretches<string | null> {
  let line = 0;
  /** The beginning of a line whose end is in a later part. */
  let begun: Buffer = NOTHING;
  for (const part of parts) {
    let at = 0;
    for (let end = part.indexOf(NEWLINE, at); end >= 0; end = part.indexOf(NEWLINE, at)) {
      line++;
      const whole = joined(begun, part.subarray(at, end));
      const problem = line === 1 ? addFirst(whole, word, blocks) : addLine(whole, word, blocks);
      if (problem !== null) return `:${line}: ${problem}`;
      begun = NOTHING;
      at = end + 1;
      if (line % ITEMS_PER_STRETCH === 0) yield;
    }
    begun = joined(begun, part.subarray(at));
    if (begun.length > MAX_LINE_BYTES) return `:${line + 1}: ${TOO_LONG}`;
    yield;
  }
  const problem = line === 0 ? addFirst(begun, word, blocks) : addLine(begun, word, blocks);
  return problem === null ? null : `:${line + 1}: ${problem}`;
}

const TOO_LONG = `longer than ${MAX_LINE_BYTES} bytes`;

function joined(begun: Buffer, rest: Buffer): Buffer {
  return begun.length === 0 ? rest : Buffer.concat([begun, rest]);
}

/** Editors of Windows put a mark in front of UTF-8, too. */
function addFirst(line: Buffer, word: AccessWord, blocks: AccessBlocks): string | null {
  if (isUtf16(line)) return 'it is text in UTF-16; write it in UTF-8';
  const isMarked = line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf;
  return addLine(isMarked ? line.subarray(3) : line, word, blocks);
}

/** What is wrong with a line; null: nothing. */
function addLine(line: Buffer, word: AccessWord, blocks: AccessBlocks): string | null {
  if (line.length > MAX_LINE_BYTES) return TOO_LONG;
  const whole = line.toString('latin1');
  const comment = whole.indexOf('#');
  const text = (comment < 0 ? whole : whole.slice(0, comment)).trim();
  if (text === '') return null;
  const block = readBlockBytes(text);
  if (!block.ok) return `${shown(text)}: ${block.error.problem}`;
  if (blocks.count >= MAX_BLOCKS) return `more than ${MAX_BLOCKS} blocks in all lists`;
  blocks.add({ ...block.value, word });
  return null;
}

/** In a terminal it is shown as it is, and has no other effect. */
function shown(text: string): string {
  return text.slice(0, MAX_SHOWN).replace(/[^ -~]/g, '?');
}

/** By its mark (RFC 2781, section 3.2). */
function isUtf16(part: Buffer): boolean {
  const [first, second] = part;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}
