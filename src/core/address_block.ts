/** Blocks of addresses (CIDR): whose word is taken, for example, for a client's address. */
import { KeyRoom } from './address_key.js';
import { present } from './assert.js';
import type { Peer } from './endpoint.js';
import { ipBytes, unmapped } from './ip_bytes.js';
import type { AddressBlock } from './spec.js';

/**
 * A test whether a peer lies in one of `blocks`; made once, because blocks are parsed here. An IPv4
 * address and its IPv4-mapped form (`::ffff:10.0.0.1`, RFC 4291, 2.5.5.2) are the same, in peers
 * and in blocks. False for a UNIX peer, which has no address.
 */
export function inBlocks(blocks: readonly AddressBlock[]): (peer: Peer) => boolean {
  const compiled = blocks.map(compile);
  const room = new KeyRoom();
  return (peer) => {
    const key = room.keyOf(peer);
    for (const block of compiled) if (contains(block, key)) return true;
    return false;
  };
}

/** Whether all addresses of `narrow` lie in `wide`. */
export function coversBlock(wide: AddressBlock, narrow: AddressBlock): boolean {
  const [outer, inner] = [compile(wide), compile(narrow)];
  return outer.prefixBits <= inner.prefixBits && contains(outer, inner.bytes);
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
