import t from 'tap';
import { trusted } from '../../src/core/address_block.js';
import type { AddressBlock } from '../../src/core/spec.js';

const block = (host: string, prefixBits: number): AddressBlock => ({
  family: host.includes(':') ? 6 : 4,
  host,
  prefixBits,
});

t.test('a host is trusted when a block of its family holds it', (t) => {
  const test = trusted([block('10.1.0.0', 16), block('192.0.2.7', 32), block('2001:db8::', 33)]);
  for (const host of ['10.1.0.0', '10.1.255.255', '192.0.2.7', '2001:db8:7fff::1']) {
    t.ok(test(host), host);
  }
  for (const host of ['10.0.255.255', '10.2.0.0', '192.0.2.6', '2001:db8:8000::', '::1', 'x', '']) {
    t.notOk(test(host), host);
  }
  t.end();
});

t.test('a prefix that ends inside a byte splits it', (t) => {
  const test = trusted([block('172.16.0.0', 12)]);
  t.ok(test('172.31.255.255'));
  t.notOk(test('172.32.0.0'));
  t.notOk(test('172.15.255.255'));
  t.end();
});

t.test('an IPv4 address and its mapped form are the same, in hosts and in blocks', (t) => {
  t.ok(trusted([block('10.0.0.0', 8)])('::ffff:10.9.9.9'));
  t.ok(trusted([block('::ffff:10.0.0.0', 104)])('10.9.9.9'));
  t.notOk(trusted([block('::ffff:10.0.0.0', 104)])('11.0.0.0'));
  t.end();
});

t.test('a block of everything is a block of one family', (t) => {
  t.ok(trusted([block('0.0.0.0', 0)])('203.0.113.9'));
  t.notOk(trusted([block('0.0.0.0', 0)])('2001:db8::1'));
  t.ok(trusted([block('::', 0)])('2001:db8::1'));
  t.notOk(trusted([block('::', 0)])('203.0.113.9'));
  t.notOk(trusted([])('127.0.0.1'));
  t.end();
});
