import t from 'tap';
import { coversBlock, inBlocks } from '../../src/core/address_block.js';
import { type Peer, peerAt } from '../../src/core/endpoint.js';
import type { AddressBlock } from '../../src/core/spec.js';

const familyOf = (host: string): 4 | 6 => (host.includes(':') ? 6 : 4);
const peer = (host: string): Peer => peerAt({ kind: 'ip', family: familyOf(host), host, port: 1 });
const block = (host: string, prefixBits: number): AddressBlock => ({
  family: familyOf(host),
  host,
  prefixBits,
});

t.test('a peer is in blocks when one of its family holds it', async (t) => {
  const test = inBlocks([block('10.1.0.0', 16), block('192.0.2.7', 32), block('2001:db8::', 33)]);
  for (const host of ['10.1.0.0', '10.1.255.255', '192.0.2.7', '2001:db8:7fff::1']) {
    t.ok(test(peer(host)), host);
  }
  for (const host of ['10.0.255.255', '10.2.0.0', '192.0.2.6', '2001:db8:8000::', '::1']) {
    t.notOk(test(peer(host)), host);
  }
});

t.test('a prefix that ends inside a byte splits it', async (t) => {
  const test = inBlocks([block('172.16.0.0', 12)]);
  t.ok(test(peer('172.31.255.255')));
  t.notOk(test(peer('172.32.0.0')));
  t.notOk(test(peer('172.15.255.255')));
});

t.test('an IPv4 address and its mapped form are the same, in peers and in blocks', async (t) => {
  t.ok(inBlocks([block('10.0.0.0', 8)])(peer('::ffff:10.9.9.9')));
  t.ok(inBlocks([block('::ffff:10.0.0.0', 104)])(peer('10.9.9.9')));
  t.notOk(inBlocks([block('::ffff:10.0.0.0', 104)])(peer('11.0.0.0')));
});

t.test('a block of everything is a block of one family, and holds no UNIX peer', async (t) => {
  t.ok(inBlocks([block('0.0.0.0', 0)])(peer('203.0.113.9')));
  t.notOk(inBlocks([block('0.0.0.0', 0)])(peer('2001:db8::1')));
  t.ok(inBlocks([block('::', 0)])(peer('2001:db8::1')));
  t.notOk(inBlocks([block('::', 0)])(peer('203.0.113.9')));
  t.notOk(inBlocks([])(peer('127.0.0.1')));
  const unix: Peer = { kind: 'unix', path: '' };
  t.notOk(inBlocks([block('0.0.0.0', 0), block('::', 0)])(unix));
});

t.test('a block covers itself and those inside it', async (t) => {
  t.ok(coversBlock(block('10.0.0.0', 8), block('10.0.0.0', 8)));
  t.ok(coversBlock(block('10.0.0.0', 8), block('10.9.0.0', 16)));
  t.notOk(coversBlock(block('10.9.0.0', 16), block('10.0.0.0', 8)));
  t.notOk(coversBlock(block('10.0.0.0', 8), block('11.0.0.0', 16)));
  t.notOk(coversBlock(block('::', 0), block('10.0.0.0', 8)));
});
