/** Hellos as clients say them, cut in every way, and what is none. */
import t from 'tap';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import { type HelloReading, readHello } from '../../../src/session/early/client_hello.js';
import {
  clientHello,
  extension,
  GREASE,
  helloMessage,
  LARGE_KEY_SHARE,
  protocols,
  records,
  serverNames,
  vector,
} from '../../support/client_hello.js';
import { seed } from '../../support/seed.js';

const NAME = Buffer.from('db.example.org');
const BROWSER = {
  names: [NAME],
  alpn: ['h2', 'http/1.1'],
  before: [GREASE, LARGE_KEY_SHARE],
  behind: [extension(0xfe0d, Buffer.alloc(186, 3)), GREASE, extension(21, Buffer.alloc(300))],
} as const;

const found = (bytes: Buffer) => {
  const reading = readHello(bytes);
  return reading.kind === 'hello' ? reading.hello : reading.kind;
};
const named = (name: string) => clientHello({ names: [Buffer.from(name, 'latin1')] });

t.test('the name and the protocols are found wherever they stand', async (t) => {
  const hello = { serverName: 'db.example.org', alpn: ['h2', 'http/1.1'] };
  for (const order of ['name first', 'name last'] as const) {
    t.same(found(clientHello({ ...BROWSER, order })), hello);
  }
  t.same(found(clientHello({ names: [NAME] })), { ...hello, alpn: [] });
  t.same(found(clientHello({ alpn: ['postgresql'] })), { serverName: null, alpn: ['postgresql'] });
  t.same(found(clientHello()), { serverName: null, alpn: [] });
});

t.test('a name has no case and no dot at its end, and may be one that no host has', async (t) => {
  t.match(found(named('DB.Example.ORG.')), { serverName: 'db.example.org' });
  t.match(found(named('a'.repeat(253))), { serverName: 'a'.repeat(253) });
  for (const name of ['', 'a\0b', 'a b', 'bücher.example', 'a'.repeat(254), 'a.'.repeat(4_000)]) {
    t.match(found(named(name)), { serverName: null }, JSON.stringify(name.slice(0, 20)));
  }
});

t.test('before its last byte a hello is a beginning, in records of any size', async (t) => {
  const short = helloMessage({ names: [NAME], alpn: ['h2', 'http/1.1'] });
  for (const recordBytes of [1, 2, 3, 4, 5, 100, 16_384]) {
    const bytes = records(recordBytes < 100 ? short : helloMessage(BROWSER), recordBytes);
    const kinds = new Set<HelloReading['kind']>();
    for (let length = 0; length < bytes.length; length++) {
      kinds.add(readHello(bytes.subarray(0, length)).kind);
    }
    t.same([...kinds], ['need-more'], `records of ${recordBytes} bytes`);
    const whole = Buffer.concat([bytes, Buffer.from('what comes behind it')]);
    t.match(found(whole), { serverName: 'db.example.org', alpn: ['h2', 'http/1.1'] });
  }
});

t.test('what is no hello is known as such by its first bytes', async (t) => {
  const texts = ['GET / HTTP/1.1', 'SSH-2.0', '\x80\x2e\x01', '\x15\x03\x01', '\x16\x02', '\x17'];
  for (const text of texts)
    t.equal(found(Buffer.from(text, 'latin1')), 'none', JSON.stringify(text));
  t.equal(found(Buffer.from('16030100050200', 'hex')), 'none', 'another message');
  t.equal(found(Buffer.from('1603010000', 'hex')), 'none', 'an empty record');
  t.equal(found(Buffer.from('1603014001', 'hex')), 'none', 'a record that is too long');
});

t.test('a hello that two would read differently is none', async (t) => {
  const twice = (one: Buffer) => clientHello({ ...BROWSER, behind: [one] });
  t.equal(found(twice(serverNames([Buffer.from('other.example')]))), 'none');
  t.equal(found(twice(protocols(['h3']))), 'none');
  t.equal(found(clientHello({ behind: [extension(0, Buffer.alloc(0))] })), 'none');
  t.equal(found(clientHello({ behind: [extension(16, vector(2, Buffer.from([0])))] })), 'none');
  t.equal(found(clientHello({ behind: [Buffer.from('0000ffff', 'hex')] })), 'none');
  const message = helloMessage({});
  const behind = Buffer.concat([
    Buffer.from([1]),
    vector(3, Buffer.concat([message.subarray(4), GREASE])),
  ]);
  t.equal(found(records(behind, 1_000)), 'none', 'bytes behind the extensions');
});

t.test('a hello of before extensions names nothing', async (t) => {
  const body = helloMessage({}).subarray(4, -2);
  t.same(found(records(Buffer.concat([Buffer.from([1]), vector(3, body)]), 1_000)), {
    serverName: null,
    alpn: [],
  });
});

t.test('the first of several names counts, and thousands of protocols cost no more', async (t) => {
  const names = [NAME, Buffer.from('other.example')];
  t.match(found(clientHello({ names })), { serverName: 'db.example.org' });
  const many = Array.from({ length: 3_000 }, (_, index) => `p${index}`);
  const hello = found(clientHello({ alpn: many }));
  t.same(typeof hello === 'string' ? [] : hello.alpn, many.slice(0, 32));
});

function drawn(random: Random): Buffer {
  const bytes = clientHello({
    ...BROWSER,
    ...(random.next() < 0.3 ? { names: null } : {}),
    recordBytes: 1 + below(random, 400),
  });
  for (let flips = below(random, 6); flips > 0; flips--) {
    bytes[below(random, bytes.length)] = below(random, 256);
  }
  return bytes;
}

t.test('whatever comes is read without a fault, and cuts do not matter', async (t) => {
  const kinds = new Set<string>();
  for (let at = 0; at < 600; at++) {
    const random = seededRandom(seed + at);
    const bytes = drawn(random);
    const whole = readHello(bytes);
    kinds.add(whole.kind);
    // What is known of a part stays so: no more bytes make anything else of it.
    let part: HelloReading = { kind: 'need-more' };
    for (let length = 0; part.kind === 'need-more' && length < bytes.length; ) {
      length = Math.min(bytes.length, length + 1 + below(random, 64));
      part = readHello(bytes.subarray(0, length));
    }
    if (JSON.stringify(part) !== JSON.stringify(whole)) t.same(part, whole, `SEED=${seed + at}`);
  }
  // A changed length may make a beginning of it, and does not in every run.
  t.same([...kinds].filter((kind) => kind !== 'need-more').sort(), ['hello', 'none']);
});
