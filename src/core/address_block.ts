/** Blocks of addresses (CIDR): whose word is taken, for example, for a client's address. */
import { present } from './assert.js';
import { ipBytes, unmapped } from './ip_bytes.js';
import type { AddressBlock } from './spec.js';

/**
 * A test whether a host lies in one of `blocks`; made once, because blocks are parsed here. An IPv4
 * address and its IPv4-mapped form (`::ffff:10.0.0.1`, RFC 4291, 2.5.5.2) are the same, in hosts
 * and in blocks. False for what is no IP address.
 */
export function trusted(blocks: readonly AddressBlock[]): (host: string) => boolean {
  const compiled = blocks.map(compile);
  return (host) => {
    const bytes = ipBytes(host);
    if (bytes === null) return false;
    const folded = unmapped(bytes);
    return compiled.some((block) => contains(block, folded));
  };
}

interface Block {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

function compile(block: AddressBlock): Block {
  const bytes = present(ipBytes(block.host), `a block begins with an address: ${block.host}`);
  const folded = block.prefixBits < 96 ? bytes : unmapped(bytes);
  const cutBits = 8 * (bytes.length - folded.length);
  return { bytes: folded, prefixBits: block.prefixBits - cutBits };
}

function contains(block: Block, bytes: Uint8Array): boolean {
  if (block.bytes.length !== bytes.length) return false;
  const wholeBytes = block.prefixBits >> 3;
  for (let i = 0; i < wholeBytes; i++) if (block.bytes[i] !== bytes[i]) return false;
  const restBits = block.prefixBits & 7;
  if (restBits === 0) return true;
  const difference = (block.bytes[wholeBytes] ?? 0) ^ (bytes[wholeBytes] ?? 0);
  return difference >> (8 - restBits) === 0;
}
