import t from 'tap';
import { ClientHash } from '../../src/balance/client_hash.js';

/** 2001:db8:0:1::, with the last bytes given. */
function v6(...tail: readonly number[]): Uint8Array {
  const head = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1];
  return Uint8Array.of(...head, ...new Array(8 - tail.length).fill(0), ...tail);
}

t.test('IPv6 clients of one /64 hash alike, those of another do not', async (t) => {
  const hash = new ClientHash(64);
  const other = v6(1);
  other[7] = 2;
  t.equal(hash.of(v6(1)), hash.of(v6(0xab, 0xcd)));
  t.not(hash.of(v6(1)), hash.of(other));
});

t.test('a prefix that ends inside a byte counts its bits', async (t) => {
  const hash = new ClientHash(124);
  t.equal(hash.of(v6(0x10)), hash.of(v6(0x1f)));
  t.not(hash.of(v6(0x10)), hash.of(v6(0x20)));
});

t.test('a prefix of 128 distinguishes every client, one of 0 none', async (t) => {
  t.not(new ClientHash(128).of(v6(1)), new ClientHash(128).of(v6(2)));
  t.equal(new ClientHash(0).of(v6(1)), new ClientHash(0).of(new Uint8Array(16).fill(9)));
});

t.test('IPv4 clients are distinguished to the last bit', async (t) => {
  const hash = new ClientHash(64);
  t.not(hash.of(Uint8Array.of(192, 0, 2, 6)), hash.of(Uint8Array.of(192, 0, 2, 7)));
});

t.test('UNIX peers, which have no address, are one client', async (t) => {
  const hash = new ClientHash(64);
  t.equal(hash.of(new Uint8Array(0)), hash.of(new Uint8Array(0)));
});
