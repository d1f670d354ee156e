/** How Postgres clients begin, cut at every byte, and what else comes to their port. */
import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { errorResponse } from '../../../src/session/early/postgres_refusal.js';
import { postgresStart } from '../../../src/session/early/postgres_start.js';
import { beginReading, readOn } from '../../../src/session/early/reading.js';
import { seed } from '../../support/seed.js';

const LIMIT = 16_384;

function message(code: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + rest.length);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, rest]);
}

const cancel = (secretBytes: number): Buffer =>
  message(80_877_102, Buffer.alloc(4 + secretBytes, 7));
const START = message(0x3_0000, Buffer.from('user\0me\0database\0orders\0\0'));

/** What becomes of `bytes`, reported from the first on as each one comes. */
function told(bytes: Buffer, strict: 'strict' | 'lenient', route: 'route' | 'pass' = 'route') {
  const spec = { cancel: route, strict: strict === 'strict' };
  const stage = postgresStart(spec, { hello: false, start: false });
  let reading = beginReading([stage]);
  for (let length = 1; length <= bytes.length; length++) {
    const step = readOn(reading, bytes.subarray(0, length), LIMIT);
    reading = step.reading;
    if (step.kind === 'need-more') continue;
    const { consumed, facts } = reading;
    const found = step.kind === 'refuse' ? step.cause : (facts.postgres?.kind ?? 'nothing');
    return { found, at: length, consumed, facts };
  }
  return { found: 'need-more', at: bytes.length, consumed: 0, facts: reading.facts };
}

t.test('a cancel is read to its last byte, whatever its secret has', async (t) => {
  for (const secretBytes of [4, 32, 255, 256]) {
    const bytes = cancel(secretBytes);
    const { found, at, consumed, facts } = told(Buffer.concat([bytes, bytes]), 'strict');
    t.same([found, at, consumed], ['cancel', bytes.length, bytes.length]);
    t.same(facts.postgres?.kind === 'cancel' && Buffer.from(facts.postgres.request), bytes);
  }
  t.equal(told(cancel(3), 'strict').found, 'not-postgres');
  t.equal(told(cancel(257), 'strict').found, 'not-postgres');
  t.equal(told(cancel(4), 'strict', 'pass').found, 'nothing');
});

t.test('what is not a cancel is left to the backend, to the byte', async (t) => {
  const ssl = message(80_877_103, Buffer.alloc(0));
  const gss = message(80_877_104, Buffer.alloc(0));
  for (const bytes of [ssl, gss]) {
    t.match(told(bytes, 'strict'), { found: 'request', at: 8, consumed: 0 });
  }
  t.match(told(START, 'strict'), { found: 'start', at: 8, consumed: 0 });
  t.match(told(message(0x3_0002, Buffer.alloc(9)), 'strict'), { found: 'start' });
  t.match(told(Buffer.from('16030100', 'hex'), 'strict'), { found: 'nothing', at: 1 });
});

t.test('what is not Postgres is refused at once, or goes on where that is wanted', async (t) => {
  const odd = ['GET / HTTP/1.1', '\x00\x01aaaaaa', 'SSH-2.0', '\0\0\0\x08\0\x02\0\0'];
  for (const text of odd) {
    const bytes = Buffer.from(text, 'latin1');
    t.equal(told(bytes, 'strict').found, 'not-postgres', JSON.stringify(text));
    t.match(told(bytes, 'lenient'), { found: 'nothing', consumed: 0 });
  }
  t.equal(told(message(0x3_0000, Buffer.alloc(10_000)), 'strict').found, 'not-postgres');
});

t.test('no first message, however it is cut, does anything else', async (t) => {
  const kinds = new Set<string>();
  for (let at = 0; at < 5_000; at++) {
    const random = seededRandom(seed + at);
    const bytes = Buffer.alloc(2 + below(random, 40));
    for (let index = 0; index < bytes.length; index++) bytes[index] = below(random, 256);
    if (random.next() < 0.8) bytes.writeUInt16BE(0);
    if (bytes.length >= 8 && random.next() < 0.7) {
      bytes.writeUInt32BE(80_877_101 + below(random, 5), 4);
      bytes.writeUInt16BE(below(random, 300), 2);
    }
    kinds.add(told(bytes, 'strict').found);
  }
  t.same([...kinds].sort(), ['cancel', 'need-more', 'not-postgres', 'nothing', 'request'].sort());
});

t.test('an ErrorResponse has its length, a SQLSTATE and the reason', async (t) => {
  const bytes = Buffer.from(errorResponse('queue-full'));
  t.equal(bytes.toString('latin1', 0, 1), 'E');
  t.equal(bytes.readUInt32BE(1), bytes.length - 1);
  t.match(bytes.toString('latin1', 5), /^SFATAL\0VFATAL\0C53300\0M.*queue-full\0\0$/);
});
