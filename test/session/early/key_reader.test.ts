/** What Postgres servers say until a session is ready, cut at every byte, and what others say. */
import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { type Heard, KeyReader, keyReaderFor } from '../../../src/session/early/key_reader.js';
import { seed } from '../../support/seed.js';

function message(type: string, body: Buffer | string): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body)]);
}

const OK = message('R', Buffer.alloc(4));
const READY = message('Z', 'I');
const PARAMETERS = Buffer.concat([
  message('S', 'server_version\x0018.1\0'),
  message('N', 'SNOTICE\0Mthere was one K\0\0'),
  message('S', 'TimeZone\0UTC\0'),
]);
const keyOf = (secretBytes: number): Buffer =>
  Buffer.from(Array.from({ length: 4 + secretBytes }, (_, index) => 1 + (index % 255)));

type First = ConstructorParameters<typeof KeyReader>[0];

/** What a reader has found after `pieces`; it is asked no more once it knows. */
function heard(first: First, pieces: Iterable<Buffer>): Heard {
  const reader = new KeyReader(first);
  for (const piece of pieces) {
    const found = reader.read(piece);
    if (found !== 'more') return found;
  }
  return 'more';
}

t.test('a key is found wherever the bytes before it and in it are cut', async (t) => {
  for (const secretBytes of [4, 32, 256]) {
    const key = keyOf(secretBytes);
    const all = Buffer.concat([OK, PARAMETERS, message('K', key), READY]);
    const whole = all.length - READY.length;
    for (let cut = 0; cut <= all.length; cut++) {
      const found = heard('messages', [all.subarray(0, cut), all.subarray(cut)]);
      if (!key.equals(found as Uint8Array)) t.fail(`cut at ${cut}`);
      const begun = heard('messages', [all.subarray(0, cut)]);
      if ((begun === 'more') !== cut < whole) t.fail(`${cut} bytes: ${begun}`);
    }
    const single = [...all].map((byte) => Buffer.of(byte));
    t.ok(key.equals(heard('messages', single) as Uint8Array), `${secretBytes} bytes`);
  }
});

t.test('single bytes answer requests for encryption', async (t) => {
  const all = Buffer.concat([Buffer.from('NN'), OK, message('K', keyOf(4))]);
  for (let cut = 0; cut <= all.length; cut++) {
    const found = heard('answer', [all.subarray(0, cut), all.subarray(cut)]);
    t.ok(keyOf(4).equals(found as Uint8Array));
  }
  t.equal(heard('answer', [Buffer.from('S')]), 'never', 'what follows is TLS');
  t.equal(heard('answer', [Buffer.from('NG')]), 'never', 'or GSSAPI');
  t.equal(heard('answer', [Buffer.from('N')]), 'more');
});

t.test('no key: a refused client, a server ready without one, or no Postgres', async (t) => {
  for (const said of [
    message('E', 'SFATAL\0\0'),
    Buffer.concat([OK, READY]),
    Buffer.from('HTTP/1.1 400 Bad Request\r\n'),
    message('K', keyOf(3)),
    message('K', keyOf(257)),
    Buffer.from('5200000003', 'hex'),
    Buffer.from('52ffffffff', 'hex'),
  ]) {
    t.equal(heard('messages', [said]), 'never', said.toString('latin1'));
  }
  const notice = message('N', Buffer.alloc(9_000));
  const endless = Array.from({ length: 8 }, () => notice);
  t.equal(heard('messages', endless.slice(1)), 'more');
  t.equal(heard('messages', endless), 'never', 'a start is not as long as that');
});

t.test('nothing that a server may say breaks it', async (t) => {
  const found = new Set<string>();
  for (let at = 0; at < 5_000; at++) {
    const random = seededRandom(seed + at);
    const reader = new KeyReader(random.next() < 0.5 ? 'answer' : 'messages');
    let last: Heard = 'more';
    for (let piece = 0; piece < 6 && last === 'more'; piece++) {
      const length = below(random, 30);
      const bytes = Buffer.from(Array.from({ length }, () => below(random, 256)));
      const isWhole = random.next() < 0.7;
      last = reader.read(isWhole ? message('RSNK'[below(random, 4)] ?? 'R', bytes) : bytes);
    }
    found.add(typeof last === 'string' ? last : 'key');
  }
  t.same([...found].sort(), ['key', 'more', 'never']);
});

t.test('a server that says nothing of a session, or TLS at once, is not listened to', async (t) => {
  const session = { database: null, user: null, application: null };
  t.ok(keyReaderFor({ kind: 'start', session }));
  t.ok(keyReaderFor({ kind: 'request' }));
  t.equal(keyReaderFor({ kind: 'encryption', request: Buffer.alloc(8) }), null);
  t.equal(keyReaderFor(null), null);
});
