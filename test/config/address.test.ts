/** Addresses and blocks as a file has them. */
import t from 'tap';
import {
  parseAddress,
  parseBlock,
  parseEndpoint,
  parseIpEndpoint,
} from '../../src/config/address.js';
import type { ReadValue } from '../../src/config/reading.js';
import { ipEndpoint } from '../../src/core/endpoint.js';

const problem = (outcome: ReadValue<unknown>): string =>
  outcome.ok ? 'good' : outcome.faults.map((fault) => fault.problem).join();

const value = (outcome: ReadValue<unknown>): unknown =>
  outcome.ok ? outcome.value : outcome.faults;

t.test('an address of a backend is an IP address, a UNIX socket or a name', async (t) => {
  const good = {
    '10.0.0.1:5432': ipEndpoint(4, '10.0.0.1', 5432),
    '[::1]:53': ipEndpoint(6, '::1', 53),
    '[2001:DB8:0:0::1]:65535': ipEndpoint(6, '2001:db8::1', 65_535),
    'unix:/run/x.sock': { kind: 'unix', path: '/run/x.sock' },
    'DB.example:5432': { kind: 'name', host: 'db.example', port: 5432 },
    'localhost:1': { kind: 'name', host: 'localhost', port: 1 },
    '_pg._tcp.db-1.internal.:5432': { kind: 'name', host: '_pg._tcp.db-1.internal.', port: 5432 },
    '3com.example:80': { kind: 'name', host: '3com.example', port: 80 },
  };
  for (const [text, address] of Object.entries(good)) {
    t.strictSame(value(parseAddress(text)), address, text);
  }
});

t.test('each bad address says what is wrong with it', async (t) => {
  const bad = {
    '': 'no port',
    '10.0.0.1': 'no port',
    '10.0.0.1:': 'not a port number',
    '10.0.0.1:x': 'not a port number',
    '10.0.0.1:65536': 'port above 65535',
    '10.0.0.1:0': 'port 0 cannot be connected to',
    '10.0.0.256:80': 'neither an IP address nor a host name',
    '10.0.1:80': 'neither an IP address nor a host name',
    '010.0.0.1:80': 'neither an IP address nor a host name',
    'a b:80': 'neither an IP address nor a host name',
    '-a:80': 'neither an IP address nor a host name',
    'a..b:80': 'neither an IP address nor a host name',
    ':80': 'neither an IP address nor a host name',
    [`${'a'.repeat(64)}:80`]: 'neither an IP address nor a host name',
    [`${'a.'.repeat(127)}a:80`]: 'neither an IP address nor a host name',
    '::1:53': 'an IPv6 address needs brackets and a port after them',
    '[::1]': 'no port',
    '[::1]53': 'no port',
    '[10.0.0.1]:53': 'not an IPv6 address',
    '[::g]:53': 'not an IPv6 address',
    '[]:53': 'not an IPv6 address',
    '[fe80::1%eth0]:53': 'zones ("%eth0") are not supported',
    '[::ffff:10.0.0.1]:53': 'write it as IPv4, 10.0.0.1',
    'http://10.0.0.1:80': 'a URL, not an address',
    '/run/x.sock': 'a path needs "unix:" before it',
    'unix:run/x.sock': 'the path of a UNIX socket starts with "/"',
    'unix:': 'the path of a UNIX socket starts with "/"',
    'unix:/a\0b': 'a path has no zero byte',
    [`unix:/${'é'.repeat(54)}`]: 'a path longer than 107 bytes',
  };
  for (const [text, expected] of Object.entries(bad)) {
    t.equal(problem(parseAddress(text)), expected, text);
  }
});

t.test('a listener is bound to an address, never to a name; port 0 is any free port', async (t) => {
  t.strictSame(value(parseEndpoint('0.0.0.0:0')), ipEndpoint(4, '0.0.0.0', 0));
  t.strictSame(value(parseEndpoint('[::]:5432')), ipEndpoint(6, '::', 5432));
  t.strictSame(value(parseEndpoint('unix:/x')), { kind: 'unix', path: '/x' });
  t.equal(
    problem(parseEndpoint('localhost:80')),
    'not an IP address, and names are not resolved here',
  );
  t.match(problem(parseEndpoint(':80')), /^no address/);
  t.match(problem(parseEndpoint('*:80')), /^no address/);
  t.not(problem(parseIpEndpoint('unix:/x')), 'good');
});

t.test('a block is an address with a prefix, or one address', async (t) => {
  const good = {
    '10.0.0.0/8': { family: 4, host: '10.0.0.0', prefixBits: 8 },
    '10.0.0.1': { family: 4, host: '10.0.0.1', prefixBits: 32 },
    '10.1.2.128/25': { family: 4, host: '10.1.2.128', prefixBits: 25 },
    '0.0.0.0/0': { family: 4, host: '0.0.0.0', prefixBits: 0 },
    '2001:db8::/32': { family: 6, host: '2001:db8::', prefixBits: 32 },
    '::/0': { family: 6, host: '::', prefixBits: 0 },
    '2001:DB8::1': { family: 6, host: '2001:db8::1', prefixBits: 128 },
  };
  for (const [text, block] of Object.entries(good)) {
    t.strictSame(value(parseBlock(text)), block, text);
  }
  const bad = {
    '10.0.0.1/8': 'bits beyond the prefix; the block is 10.0.0.0/8',
    '10.1.2.129/25': 'bits beyond the prefix; the block is 10.1.2.128/25',
    '2001:db8::1/32': 'bits beyond the prefix; the block is 2001:db8::/32',
    '10.0.0.0/33': 'prefix longer than 32 bits',
    '::/129': 'prefix longer than 128 bits',
    '10.0.0.0/': 'not a prefix length',
    '10.0.0.0/-1': 'not a prefix length',
    '10.0.0.0/8/8': 'not an address or a block',
    'localhost/8': 'not an address or a block',
    '::ffff:10.0.0.1': 'write it as IPv4, 10.0.0.1',
    '::ffff:10.0.0.0/112': 'write it as IPv4, 10.0.0.0/16',
    '::ffff:10.0.3.1/112': 'write it as IPv4, 10.0.0.0/16',
    '::ffff:10.0.0.1/128': 'write it as IPv4, 10.0.0.1/32',
    '::ffff:0.0.0.0/95': 'IPv4 is behind prefixes of 96 to 128 bits',
    '::ffff:10.0.0.1/129': 'IPv4 is behind prefixes of 96 to 128 bits',
    '10.0.0.0:80': 'not an IPv6 address',
    '': 'not an address or a block',
  };
  for (const [text, expected] of Object.entries(bad))
    t.equal(problem(parseBlock(text)), expected, text);
});
