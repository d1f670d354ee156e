/** Keys of Postgres sessions: which backend has given out which, over all threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { MAX_BACKENDS } from '../../src/core/limits.js';
import { seededRandom } from '../../src/core/random.js';
import { createKeyMemory, KeyTable, NO_ROOM } from '../../src/pool/key_table.js';
import { seed } from '../support/seed.js';
import { hammeredKey, type KeyHammerReport, type KeyHammerStart } from './key_hammer.js';

const [w0, w1] = [0 as WorkerId, 1 as WorkerId];
const L0 = 0 as ListenerId;
const backend = (id: number): BackendId => id as BackendId;
const key = (text: string): Uint8Array => Buffer.from(text);

/** As another thread has it, over the same memory. */
function both(sets = 4): [KeyTable, KeyTable] {
  const memory = createKeyMemory(2, seededRandom(seed), sets);
  return [new KeyTable(memory), new KeyTable(memory)];
}

t.test('a key is found by every thread for as long as its session lasts', async (t) => {
  const [here, there] = both();
  t.same(there.find(L0, key('pid+secret')), []);
  const slot = here.note(L0, key('pid+secret'), backend(MAX_BACKENDS - 1), w0);
  t.same(there.find(L0, key('pid+secret')), [MAX_BACKENDS - 1]);
  t.same(here.find(L0, key('pid+secret')), [MAX_BACKENDS - 1]);
  here.forget(slot);
  t.same(there.find(L0, key('pid+secret')), []);
  t.throws(() => here.forget(slot), /a key is forgotten once/);
});

t.test('keys of any length are distinguished, and those of listeners, too', async (t) => {
  const [table] = both(64);
  const keys = [8, 9, 36, 260].flatMap((length) => [
    new Uint8Array(length),
    new Uint8Array(length).fill(1, length - 1),
  ]);
  for (const [index, one] of keys.entries()) table.note(L0, one, backend(index), w0);
  for (const [index, one] of keys.entries()) t.same(table.find(L0, one), [index]);
  t.same(table.find(1 as ListenerId, new Uint8Array(8)), []);
  t.same(table.find(L0, new Uint8Array(10)), [], 'a zero more is another key');
});

t.test('where a set is full a key stays unknown, until one of it is forgotten', async (t) => {
  const [table] = both(1);
  const slots = Array.from({ length: 16 }, (_, index) =>
    table.note(L0, key(`key ${index}`), backend(index), w0),
  );
  t.equal(new Set(slots).size, 16);
  t.notOk(slots.includes(NO_ROOM));
  t.equal(table.note(L0, key('one more'), backend(99), w0), NO_ROOM);
  t.same(table.find(L0, key('one more')), []);
  t.not(table.note(L0, key('one more'), backend(98), w1), NO_ROOM, 'another worker has room');
  t.same(table.find(L0, key('one more')), [98]);
  table.forget(slots[7] ?? NO_ROOM);
  t.equal(table.note(L0, key('next'), backend(7), w0), slots[7]);
  t.same(table.find(L0, key('key 7')), []);
  t.same(table.find(L0, key('next')), [7]);
  for (const index of [0, 6, 8, 15]) t.same(table.find(L0, key(`key ${index}`)), [index]);
});

t.test('one key of several sessions names each of their backends once', async (t) => {
  const [table] = both();
  const slots = [1, 2, 1].map((id) => table.note(L0, key('12345678'), backend(id), w0));
  table.note(L0, key('12345678'), backend(3), w1);
  t.same([...table.find(L0, key('12345678'))].sort(), [1, 2, 3]);
  table.forget(slots[0] ?? NO_ROOM);
  t.same([...table.find(L0, key('12345678'))].sort(), [1, 2, 3], 'the other session has it');
  table.forget(slots[2] ?? NO_ROOM);
  t.same([...table.find(L0, key('12345678'))].sort(), [2, 3]);
});

t.test('what a lost worker had noted is forgotten, and nothing else', async (t) => {
  const [table] = both();
  for (let index = 0; index < 20; index++) {
    table.note(L0, key(`key ${index}`), backend(index), index % 2 === 0 ? w0 : w1);
  }
  table.forgetWorker(w0);
  for (let index = 0; index < 20; index++) {
    t.same(table.find(L0, key(`key ${index}`)), index % 2 === 0 ? [] : [index]);
  }
  t.not(table.note(L0, key('again'), backend(5), w0), NO_ROOM, 'the next thread begins anew');
});

t.test('a look while threads note and forget sees no key of another backend', async (t) => {
  const threads = 2;
  const memory = createKeyMemory(threads, seededRandom(seed), 2);
  const table = new KeyTable(memory);
  let over = 0;
  const reports = Array.from({ length: threads }, async (_, worker) => {
    const start: KeyHammerStart = { memory, worker, rounds: 200_000, seed };
    const url = new URL('./key_hammer.js', import.meta.url);
    const [report] = (await once(new Worker(url, { workerData: start }), 'message')) as [
      KeyHammerReport,
    ];
    over++;
    return report;
  });
  let found = 0;
  for (let looks = 0; over < threads; looks++) {
    const id = looks % 1_000;
    const [first, ...more] = table.find(L0, hammeredKey(id));
    if (first !== undefined) found++;
    if ((first !== undefined && first !== id) || more.length > 0) t.fail(`${id}: ${first}`);
    if (id === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { noted, noRoom } of await Promise.all(reports)) {
    t.ok(noted > 1_000);
    t.ok(noRoom > 0, 'there were more than there is room for');
  }
  t.ok(found > 0, `${found} were found`);
  for (let id = 0; id < 1_000; id++) {
    if (table.find(L0, hammeredKey(id)).length > 0) t.fail(`${id} is left`);
  }
});
