/** The key of a Postgres session is noted as its server gives it out, and until it ends. */
import t from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import type { ListenerSettings } from '../../../src/core/spec.js';
import { type Bed, bed, LISTENER, NOTHING } from './bed.js';

const POSTGRES = { cancel: 'route', strict: true } as const;
const KEY = Buffer.from('0000002a0102030405060708090a0b0c', 'hex');

const START = Buffer.from('00000013000300007573657200706700', 'hex');
const SSL = Buffer.from('0000000804d2162f', 'hex');

/** Authenticated; the key; ready. */
const GREETING = Buffer.concat([
  Buffer.from('R\0\0\0\x08\0\0\0\0K\0\0\0\x14', 'latin1'),
  KEY,
  Buffer.from('Z\0\0\0\x05I', 'latin1'),
]);

async function listening(settings: Partial<ListenerSettings>): Promise<Bed> {
  const test = await bed({ workers: 2 });
  return test.apply({ listeners: [test.listener(settings)] });
}

/** A client of worker 1 that has begun with `bytes`, and whose relay runs. */
function begun(test: Bed, bytes: Buffer): PairId {
  const pair = test.accept(1);
  test.worker(1).tcp.clientSends(pair, bytes);
  test.worker(1).tcp.dialSucceeds(pair);
  return pair;
}

const known = (test: Bed): readonly number[] => test.keys.find(LISTENER, KEY);

t.test('a key is known from when its client gets it until the session ends', async (t) => {
  const test = await listening({ postgres: POSTGRES });
  const { tcp } = test.worker(1);
  const pair = begun(test, START);
  t.ok(tcp.pair(pair).isOverheard);
  tcp.backendSays(pair, GREETING.subarray(0, 20));
  t.same(known(test), []);
  tcp.backendSays(pair, GREETING.subarray(20));
  const [backend] = known(test);
  t.equal(test.state(pair, 1), `relaying 10.0.0.${backend}:5432`);
  t.notOk(tcp.pair(pair).isOverheard, 'nothing more is listened to');
  tcp.backendSays(pair, Buffer.from('D and much more'));
  tcp.ends(pair, { kind: 'finished', first: 'client' });
  test.turn();
  t.same(known(test), []);
  t.same(test.remains(), NOTHING);
});

t.test('a server without TLS gives its key behind the answer that says so', async (t) => {
  const test = await listening({ postgres: POSTGRES });
  const { tcp } = test.worker(1);
  const plain = begun(test, SSL);
  tcp.backendSays(plain, Buffer.from('N'));
  tcp.backendSays(plain, GREETING);
  t.equal(known(test).length, 1);
  const encrypted = begun(test, SSL);
  tcp.backendSays(encrypted, Buffer.from('S'));
  t.notOk(tcp.pair(encrypted).isOverheard, 'what is encrypted is not listened to');
});

t.test('sessions of one pair after the other have keys of their own', async (t) => {
  const test = await listening({ postgres: POSTGRES });
  const { tcp } = test.worker(1);
  const first = begun(test, START);
  tcp.backendSays(first, GREETING.subarray(0, 12));
  tcp.ends(first, { kind: 'reset', by: 'backend' });
  test.turn();
  const second = begun(test, START);
  t.equal(second, first, 'the number is used again');
  tcp.backendSays(second, GREETING);
  t.equal(known(test).length, 1);
  tcp.ends(second, { kind: 'reset', by: 'client' });
  const third = begun(test, START);
  tcp.ends(third, { kind: 'reset', by: 'client' });
  test.turn();
  t.same(known(test), []);
  t.same(test.remains(), NOTHING);
});

t.test('no backend is listened to where cancels are not routed', async (t) => {
  for (const postgres of [null, { ...POSTGRES, cancel: 'pass' } as const]) {
    const test = await listening({ postgres });
    t.notOk(test.worker(1).tcp.pair(begun(test, START)).isOverheard);
  }
  const lenient = await listening({ postgres: { ...POSTGRES, strict: false } });
  const odd = begun(lenient, Buffer.from('GET / HTTP/1.1\r\n'));
  t.notOk(lenient.worker(1).tcp.pair(odd).isOverheard);
});
